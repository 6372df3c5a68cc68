"""The command line of the question bank: ask, evaluate, check, index."""

import argparse
import json
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from knowledge.bank import QUESTIONS, Bank, check_bank, load_bank
from knowledge.entry import Answer
from knowledge.errors import KnowledgeError
from knowledge.evaluate import Evaluation, Measures, evaluate, read_questions
from knowledge.language import Language, language_of
from knowledge.outcome import Answered, Hit, Outcome, Query, Refused, Unsure
from knowledge.prepare import prepare
from knowledge.progress import terminal_progress
from knowledge.retriever import TOP_K, Retriever, open_retriever
from knowledge.settings import read_settings

_FAULTS_FOUND: Final = 1
_FAILED: Final = 2
_INTERRUPTED: Final = 130
_HITS_SHOWN: Final = 3
_FENCE: Final = "```"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code: 0, 1 for a bank with faults, 2 for what went wrong."""
    options = _parser().parse_args(arguments)
    try:
        match options.command:
            case "ask":
                return _ask(options)
            case "evaluate":
                return _evaluate(options)
            case "check":
                return _check(options)
            case _:
                return _index(options)
    except KnowledgeError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command line prints
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read along stopped; there is nobody left to tell, at shutdown either.
        sys.stdout = None
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m knowledge", description="Ask, measure and check the question bank."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    ask = commands.add_parser("ask", help="answer a question out of the bank")
    ask.add_argument("question")
    ask.add_argument(
        "--language",
        type=Language,
        choices=list(Language),
        help="language of the answer (default: that of the question)",
    )
    ask.add_argument(
        "--top",
        type=_positive,
        default=_HITS_SHOWN,
        metavar="N",
        help=f"how many hits to show (default: {_HITS_SHOWN})",
    )
    ask.add_argument("--json", action="store_true", help="print one JSON object")

    measure = commands.add_parser(
        "evaluate", help="measure retrieval on questions whose answers are known"
    )
    measure.add_argument("file", type=Path, help='JSON lines: {"query", "entries", "tag"}')
    measure.add_argument("--json", action="store_true", help="print one JSON object")
    measure.add_argument(
        "--unaddressed",
        action="store_true",
        help="as if nobody had put the questions to the tutor",
    )

    check = commands.add_parser("check", help="list every fault of the bank")
    check.add_argument(
        "folder", nargs="?", type=Path, default=QUESTIONS, help="default: the bank that ships"
    )
    check.add_argument(
        "--examples",
        metavar="FILE_OR_IDS",
        help="the examples that exist: a file with one id a line, or ids joined by commas",
    )

    index = commands.add_parser("index", help="bring encoder, index and training up to date")
    index.add_argument("--force", action="store_true", help="make all of it anew")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _ask(options: argparse.Namespace) -> int:
    retriever = _open()
    start = time.perf_counter()
    outcome = retriever.retrieve(Query(options.question), max(options.top, TOP_K))
    elapsed_ms = (time.perf_counter() - start) * 1000
    language = options.language or language_of(options.question)
    if options.json:
        print(json.dumps(_as_json(outcome, language, options.top, elapsed_ms), ensure_ascii=False))  # noqa: T201 - a command line prints
    else:
        print(_readable(outcome, language, retriever.bank, options.top))  # noqa: T201 - a command line prints
    return 0


def _as_json(
    outcome: Outcome, language: Language, top: int, elapsed_ms: float
) -> dict[str, object]:
    return {
        "state": _state(outcome),
        "entry": outcome.entry if isinstance(outcome, Answered) else None,
        "confidence": round(outcome.confidence, 4),
        "hits": [
            {
                "entry": hit.entry,
                "question": hit.question.text(language),
                "score": round(hit.score, 4) + 0.0,  # and never a negative zero
            }
            for hit in outcome.hits[:top]
        ],
        "elapsed_ms": round(elapsed_ms, 1),
    }


def _state(outcome: Outcome) -> str:
    match outcome:
        case Answered():
            return "answered"
        case Unsure():
            return "unsure"
        case Refused():
            return "refused"


def _readable(outcome: Outcome, language: Language, bank: Bank, top: int) -> str:
    chinese = language is Language.ZH
    match outcome:
        case Answered(entry=entry_id):
            entry = bank.entry(entry_id)
            if entry is None:
                raise KnowledgeError(f"the bank has no entry {entry_id}")
            answer = entry.answer(language)
            pitfalls = "常见误会" if chinese else "Common mistakes"
            parts = [
                f"# {entry.question.text(language)}",
                answer.summary,
                answer.explanation,
                *_shared_code(answer),
                f"**{pitfalls}**",
                answer.pitfalls,
            ]
            more = outcome.hits[1:top]
            if more:
                parts.append(_listed("相近的问题：" if chinese else "Close to it:", more, language))
            return "\n\n".join(parts)
        case Unsure(candidates=candidates):
            title = "你想问的是不是：" if chinese else "Did you mean:"
            return _listed(title, candidates, language)
        case Refused(nearest=()):
            return "没有看到问题，请用文字写出来。" if chinese else "There is no question in that."
        case Refused(nearest=nearest):
            title = (
                "题库里没有这个问题的答案。最接近的主题："
                if chinese
                else "The bank has no answer to that. The nearest subjects:"
            )
            return _listed(title, nearest, language)


def _shared_code(answer: Answer) -> list[str]:
    """The code of the other language's answer, where this one has none of its own."""
    if _FENCE in answer.explanation:
        return []
    return [f"{_FENCE}{code.language}\n{code.text}\n{_FENCE}" for code in answer.code]


def _listed(title: str, hits: Sequence[Hit], language: Language) -> str:
    return "\n".join([title, *(f"- {hit.question.text(language)}  ({hit.entry})" for hit in hits)])


def _evaluate(options: argparse.Namespace) -> int:
    bank = load_bank()
    questions = read_questions(options.file, lambda entry_id: bank.entry(entry_id) is not None)
    retriever = _open()
    result = evaluate(questions, retriever.retrieve_many, addressed=not options.unaddressed)
    if options.json:
        print(json.dumps(result.as_json(), ensure_ascii=False, indent=2))  # noqa: T201 - a command line prints
    else:
        print(_table(result))  # noqa: T201 - a command line prints
    return 0


def _table(result: Evaluation) -> str:
    rows = [("all", result.all), *result.tags.items()]
    names = list(result.all.as_json())
    width = max(len(tag) for tag, _ in rows)
    lines = [" ".join([" " * width, *names])]
    lines += [_row(tag.ljust(width), names, measures) for tag, measures in rows]
    return "\n".join(lines)


def _row(tag: str, names: Sequence[str], measures: Measures) -> str:
    values = measures.as_json()
    cells: list[str] = []
    for name in names:
        value = values[name]
        cell = "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
        cells.append(cell.rjust(len(name)))
    return " ".join([tag, *cells])


def _check(options: argparse.Namespace) -> int:
    faults = check_bank(options.folder, _example_ids(options.examples))
    for fault in faults:
        print(fault)  # noqa: T201 - a command line prints
    if not faults:
        print("the bank has no faults", file=sys.stderr)  # noqa: T201 - a command line prints
    return _FAULTS_FOUND if faults else 0


def _example_ids(given: str | None) -> Collection[str] | None:
    if given is None:
        return None
    path = Path(given)
    if path.is_file():
        return set(path.read_text("utf-8").split())
    return {name.strip() for name in given.split(",") if name.strip()}


def _index(options: argparse.Namespace) -> int:
    settings = read_settings()
    prepared = prepare(settings, terminal_progress, force=options.force)
    done = (
        f"{len(prepared.bank.entries)} entries, {len(prepared.index)} vectors, "
        f"encoder {prepared.index.model}, in {settings.index_dir}"
    )
    print(done)  # noqa: T201 - a command line prints
    return 0


def _open() -> Retriever:
    """The retriever; what is missing or merely out of date is prepared first."""
    settings = read_settings()
    prepare(settings, terminal_progress, mend=False)
    return open_retriever(settings, terminal_progress)

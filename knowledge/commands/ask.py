"""``ask``: answer a question out of the bank."""

import argparse
import json
import time
from collections.abc import Sequence
from typing import Final

from knowledge.bank import Bank
from knowledge.commands import command
from knowledge.entry import Answer
from knowledge.errors import KnowledgeError
from knowledge.language import Language, language_of
from knowledge.outcome import Answered, Compared, Hit, Outcome, Query, Refused, Silent, Unsure
from knowledge.retriever import TOP_K

_HITS_SHOWN: Final = 3
_FENCE: Final = "```"


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("question")
    parser.add_argument(
        "--language",
        type=Language,
        choices=list(Language),
        help="language of the answer (default: that of the question)",
    )
    parser.add_argument(
        "--top",
        type=_positive,
        default=_HITS_SHOWN,
        metavar="N",
        help=f"how many hits to show (default: {_HITS_SHOWN})",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _ask(options: argparse.Namespace) -> int:
    retriever = command.prepared_retriever()
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
        "entry": outcome.entry if isinstance(outcome, Answered | Compared) else None,
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
        case Answered() | Compared():
            return "answered"
        case Unsure():
            return "unsure"
        case Refused():
            return "refused"
        case Silent():
            return "silent"


def _readable(outcome: Outcome, language: Language, bank: Bank, top: int) -> str:
    chinese = language is Language.ZH
    match outcome:
        case Answered(entry=entry_id) | Compared(entry=entry_id):
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
        case Refused(nearest=()) | Silent():
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


COMMAND: Final = command.Command("ask", "answer a question out of the bank", _add_options, _ask)

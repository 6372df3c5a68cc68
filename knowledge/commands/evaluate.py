"""``evaluate``: measure retrieval on questions whose answers are known."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from knowledge.bank import load_bank
from knowledge.commands import command
from knowledge.evaluate import Evaluation, Measures, evaluate, read_questions


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help='JSON lines: {"query", "entries", "tag"}')
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--unaddressed",
        action="store_true",
        help="as if nobody had put the questions to the tutor",
    )


def _evaluate(options: argparse.Namespace) -> int:
    bank = load_bank()
    questions = read_questions(options.file, lambda entry_id: bank.entry(entry_id) is not None)
    retriever = command.prepared_retriever()
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


COMMAND: Final = command.Command(
    "evaluate", "measure retrieval on questions whose answers are known", _add_options, _evaluate
)

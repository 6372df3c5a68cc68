"""``evaluate``: measure retrieval on questions or conversations whose answers are known."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from knowledge.bank import load_bank
from knowledge.commands import command
from knowledge.conversations import evaluate_conversations, read_conversations
from knowledge.evaluate import evaluate, read_questions

_Values = Mapping[str, Any]
"""Measures by name: numbers, or None where one does not apply."""


def _add_options(parser: argparse.ArgumentParser) -> None:
    files = parser.add_mutually_exclusive_group(required=True)
    files.add_argument("file", type=Path, nargs="?", help='JSON lines: {"query", "entries", "tag"}')
    files.add_argument(
        "--conversations",
        type=Path,
        metavar="FILE",
        help='JSON lines: {"turns", "entry", "aspect", "other", "tag"}',
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--unaddressed",
        action="store_true",
        help="as if nobody had put the questions to the tutor",
    )


def _evaluate(options: argparse.Namespace) -> int:
    bank = load_bank()

    def known(name: str) -> bool:
        return bank.entry(name) is not None

    if options.conversations:
        cases = read_conversations(options.conversations, known)
        talks = evaluate_conversations(cases, command.prepared_retriever().retrieve_many)
        rows = {"all": asdict(talks.all)} | {tag: asdict(each) for tag, each in talks.tags.items()}
        result = talks.as_json()
    else:
        questions = read_questions(options.file, known)
        retrieve_many = command.prepared_retriever().retrieve_many
        measured = evaluate(questions, retrieve_many, addressed=not options.unaddressed)
        rows = {"all": measured.all.as_json()}
        rows |= {tag: measures.as_json() for tag, measures in measured.tags.items()}
        result = measured.as_json()
    text = json.dumps(result, ensure_ascii=False, indent=2) if options.json else _table(rows)
    print(text)  # noqa: T201 - a command line prints
    return 0


def _table(rows: Mapping[str, _Values]) -> str:
    names = list(rows["all"])
    width = max(len(tag) for tag in rows)
    lines = [" ".join([" " * width, *names])]
    lines += [_row(tag.ljust(width), values) for tag, values in rows.items()]
    return "\n".join(lines)


def _row(tag: str, values: _Values) -> str:
    cells: list[str] = []
    for name, value in values.items():
        cell = "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
        cells.append(cell.rjust(len(name)))
    return " ".join([tag, *cells])


COMMAND: Final = command.Command(
    "evaluate",
    "measure retrieval on questions or conversations whose answers are known",
    _add_options,
    _evaluate,
)

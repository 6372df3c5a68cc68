"""``check``: list every fault of the bank."""

import argparse
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Final

from knowledge.bank import QUESTIONS, check_bank
from knowledge.commands import command


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", nargs="?", type=Path, default=QUESTIONS, help="default: the bank that ships"
    )
    parser.add_argument(
        "--examples",
        metavar="FILE_OR_IDS",
        help="the examples that exist: a file with one id a line, or ids joined by commas",
    )


def _check(options: argparse.Namespace) -> int:
    faults = check_bank(options.folder, _example_ids(options.examples))
    for fault in faults:
        print(fault)  # noqa: T201 - a command line prints
    if not faults:
        print("the bank has no faults", file=sys.stderr)  # noqa: T201 - a command line prints
    return command.FAULTS_FOUND if faults else 0


def _example_ids(given: str | None) -> Collection[str] | None:
    if given is None:
        return None
    path = Path(given)
    if path.is_file():
        return set(path.read_text("utf-8").split())
    return {name.strip() for name in given.split(",") if name.strip()}


COMMAND: Final = command.Command("check", "list every fault of the bank", _add_options, _check)

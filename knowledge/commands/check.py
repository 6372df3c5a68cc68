"""``check``: list every fault of the bank."""

import argparse
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Final

from knowledge.bank import QUESTIONS, check_bank, load_bank
from knowledge.commands import command
from knowledge.encoder import open_encoder
from knowledge.errors import EncoderUnavailableError
from knowledge.fault import Fault
from knowledge.meaning_check import Common, check_meanings
from knowledge.prepare import prepare
from knowledge.progress import terminal_progress
from knowledge.settings import read_settings


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", nargs="?", type=Path, default=QUESTIONS, help="default: the bank that ships"
    )
    parser.add_argument(
        "--examples",
        metavar="FILE_OR_IDS",
        help="the examples that exist: a file with one id a line, or ids joined by commas",
    )
    parser.add_argument(
        "--quick", action="store_true", help="look at the files alone, compare no meanings"
    )
    parser.add_argument(
        "--private",
        action="store_true",
        help="the folder's bank is used beside the one that ships, as a guild's is",
    )
    parser.add_argument(
        "--complete",
        action="store_true",
        help="ask for as many phrasings as the bank that ships must have",
    )


def _check(options: argparse.Namespace) -> int:
    folder: Path = options.folder
    faults = check_bank(
        folder,
        _example_ids(options.examples),
        beside=load_bank() if options.private else None,
        complete=options.complete or folder.resolve() == QUESTIONS.resolve(),
    )
    if not faults and not options.quick:
        faults = _compared(folder, private=options.private)
    elif not options.quick:
        _say("meanings are compared once the files have no faults")
    for fault in faults:
        print(fault)  # noqa: T201 - a command line prints
    if not faults:
        _say("the bank has no faults")
    return command.FAULTS_FOUND if faults else 0


def _compared(folder: Path, *, private: bool) -> tuple[Fault, ...]:
    settings = read_settings()
    try:
        prepared = prepare(settings, terminal_progress, mend=False)
    except EncoderUnavailableError as error:
        _say(f"no meanings were compared: {error}")
        return ()
    common = Common(prepared, lambda: open_encoder(settings, terminal_progress))
    return check_meanings(folder, common, terminal_progress, private=private)


def _example_ids(given: str | None) -> Collection[str] | None:
    if given is None:
        return None
    # Many ids in a row are longer than a file's name may be.
    if "," not in given and Path(given).is_file():
        return set(Path(given).read_text("utf-8").split())
    return {name.strip() for name in given.split(",") if name.strip()}


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - a command line prints


COMMAND: Final = command.Command("check", "list every fault of the bank", _add_options, _check)

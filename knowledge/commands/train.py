"""``train``: bring encoder, index and training up to date."""

import argparse
from typing import Final

from knowledge.commands import command
from knowledge.prepare import prepare
from knowledge.progress import terminal_progress
from knowledge.settings import read_settings


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="make all of it anew")


def _train(options: argparse.Namespace) -> int:
    settings = read_settings()
    prepared = prepare(settings, terminal_progress, force=options.force)
    done = (
        f"{len(prepared.bank.entries)} entries, {len(prepared.index)} vectors, "
        f"encoder {prepared.index.model}, in {settings.index_dir}"
    )
    print(done)  # noqa: T201 - a command line prints
    return 0


COMMAND: Final = command.Command(
    "train", "bring encoder, index and training up to date", _add_options, _train
)

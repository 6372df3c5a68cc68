"""The command line of the question bank."""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from knowledge.commands import ask, check, evaluate, train
from knowledge.errors import KnowledgeError

COMMANDS: Final = (ask.COMMAND, evaluate.COMMAND, check.COMMAND, train.COMMAND)

_FAILED: Final = 2
_INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code: 0, 1 for a bank with faults, 2 for what went wrong."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except KnowledgeError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command line prints
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read along stopped; there is nobody left to tell, at shutdown either.
        sys.stdout = None
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m knowledge", description="Ask, measure, check and train the question bank."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        subparser = commands.add_parser(command.name, help=command.help)
        command.add_options(subparser)
        subparser.set_defaults(run=command.run)
    return parser

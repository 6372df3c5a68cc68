"""The runner program's command line: ``list``, ``run``, ``serve``."""

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Sequence

from runners.catalogue import EXAMPLES, load_catalogue
from runners.errors import InvalidParametersError, RunnerError
from runners.protocol.catalogue import ParameterInfo, ParameterValue
from runners.protocol.jobs import Submission
from runners.protocol.settings_text import Fault, parse_settings
from runners.protocol.words import Language
from runners.settings import read_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    options = _parser().parse_args(arguments)
    try:
        match options.command:
            case "list":
                return _list(options)
            case "run":
                return _run(options)
            case _:
                return _serve(options)
    except RunnerError as error:
        print(f"runners: {error}", file=sys.stderr)  # noqa: T201 - a command line prints
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="runners", description="Runs the tutor's examples.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list what can run").add_argument(
        "--json", action="store_true", help="one JSON array instead of a table"
    )
    run = commands.add_parser("run", help="run one example here")
    run.add_argument("example", metavar="ID")
    run.add_argument(
        "--set",
        metavar="NAME=VALUE",
        nargs="+",
        action="extend",
        default=[],
        help="a parameter that is not at its default",
    )
    run.add_argument("--json", action="store_true", help="end with one JSON object")
    serve = commands.add_parser("serve", help="serve jobs over HTTP")
    serve.add_argument("--host", help="instead of XUEBAN_RUNNER_HOST")
    serve.add_argument("--port", type=int, help="instead of XUEBAN_RUNNER_PORT")
    serve.add_argument(
        "--supervised",
        action="store_true",
        help="end when nobody supervises it and no job is left; the bot starts it so",
    )
    for command in commands.choices.values():
        command.add_argument(
            "--examples", default=EXAMPLES, metavar="PACKAGE", help="where the examples are"
        )
    return parser


def _list(options: argparse.Namespace) -> int:
    catalogue = load_catalogue(options.examples, read_settings().pythons)
    if options.json:
        examples = [info.model_dump(mode="json") for info in catalogue]
        print(json.dumps(examples, ensure_ascii=False, indent=2))  # noqa: T201 - a command line prints
        return 0
    from runners.terminal import show_catalogue

    show_catalogue(catalogue, _language())
    return 0


def _run(options: argparse.Namespace) -> int:
    settings = read_settings()
    catalogue = load_catalogue(options.examples, settings.pythons)
    listed = catalogue[options.example]
    given = _given(options.set, listed.info.parameters)
    from runners.terminal import run_in_terminal

    return asyncio.run(
        run_in_terminal(
            settings,
            catalogue,
            Submission(example=options.example, parameters=given),
            language=_language(),
            as_json=options.json,
        )
    )


def _given(pairs: list[str], parameters: Sequence[ParameterInfo]) -> dict[str, ParameterValue]:
    given = parse_settings(" ".join(pairs), parameters)
    if isinstance(given, Fault):
        raise InvalidParametersError(given.text(_language()))
    return given


def _serve(options: argparse.Namespace) -> int:
    given = {
        f"runner_{name}": value
        for name in ("host", "port")
        if (value := getattr(options, name)) is not None
    }
    settings = read_settings(**given)
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    from runners.jobs.server import serve

    catalogue = load_catalogue(options.examples, settings.pythons)
    return asyncio.run(serve(settings, catalogue, supervised=options.supervised))


def _language() -> Language:
    # not asked of the C library: it knows only the locales that are installed
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    spoken = next((name for name in names if name), "")
    return "zh" if spoken.lower().startswith("zh") else "en"

"""The runner program's command line: ``list``, ``run``, ``compare``, ``serve``."""

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Sequence
from typing import Final

from runners.catalogue import EXAMPLES, load_catalogue, markdown_table
from runners.comparison import SEEDS
from runners.errors import InvalidParametersError, RunnerError
from runners.protocol.catalogue import ParameterInfo, ParameterValue
from runners.protocol.jobs import Submission
from runners.protocol.settings_text import Fault, parse_settings
from runners.protocol.words import Language
from runners.settings import read_settings

_SEEDS_AT_MOST: Final = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    options = _parser().parse_args(arguments)
    try:
        match options.command:
            case "list":
                return _list(options)
            case "run":
                return _run(options)
            case "compare":
                return _compare(options)
            case _:
                return _serve(options)
    except RunnerError as error:
        print(f"runners: {error}", file=sys.stderr)  # noqa: T201 - a command line prints
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="runners", description="Runs the tutor's examples.")
    commands = parser.add_subparsers(dest="command", required=True)
    form = commands.add_parser("list", help="list what can run").add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON array instead of a table")
    form.add_argument("--markdown", action="store_true", help="the table of the README")
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
    compare = commands.add_parser(
        "compare",
        help="run two examples, or one with two settings, over seeds and set them side by side",
        epilog="A and B are ids, with settings of their own as in "
        "pytorch-optimizers:learning_rate=0.1,epochs=3",
    )
    compare.add_argument("a", metavar="A")
    compare.add_argument("b", metavar="B")
    compare.add_argument(
        "--set",
        metavar="NAME=VALUE",
        nargs="+",
        action="extend",
        default=[],
        help="a parameter of both that is not at its default",
    )
    compare.add_argument(
        "--seeds", type=int, default=SEEDS, metavar="N", help=f"seeds 0 … N-1; {SEEDS} unless set"
    )
    compare.add_argument("--json", action="store_true", help="end with one JSON object")
    serve = commands.add_parser("serve", help="serve jobs over HTTP")
    serve.add_argument("--engine", choices=("local", "ray"), help="instead of XUEBAN_RUNNER_ENGINE")
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
    if options.markdown:
        print(markdown_table(catalogue))  # noqa: T201 - same
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


def _compare(options: argparse.Namespace) -> int:
    if not 1 <= options.seeds <= _SEEDS_AT_MOST:
        raise InvalidParametersError(f"--seeds must be from 1 to {_SEEDS_AT_MOST}")
    settings = read_settings()
    catalogue = load_catalogue(options.examples, settings.pythons)
    sides: list[list[Submission]] = []
    for word in (options.a, options.b):
        example, _, own = word.partition(":")
        parameters = catalogue[example].info.parameters
        given = _given([*options.set, own], parameters)
        if "seed" in given:
            raise InvalidParametersError("the seeds are set by --seeds")
        sides.append(
            [
                Submission(example=example, parameters={**given, "seed": seed})
                for seed in range(options.seeds)
            ]
        )
    from runners.terminal import compare_in_terminal

    return asyncio.run(
        compare_in_terminal(
            settings, catalogue, (sides[0], sides[1]), language=_language(), as_json=options.json
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
        for name in ("engine", "host", "port")
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

"""The command ``xueban``: a thin door to the programs."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table

from bot.errors import BotError
from bot.settings import Settings, describe, load_settings, markdown_table
from knowledge.errors import KnowledgeError
from runners.errors import RunnerError

_Command = Callable[[Settings], None]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``xueban``; an expected fault is one clear line and exit status 2."""
    parser = argparse.ArgumentParser(prog="xueban", description="A tutor for a study group.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (_, text) in _COMMANDS.items():
        commands.add_parser(name, help=text, description=text)
    text = "run the runner program (python -m runners serve)"
    # nothing that follows is an option here, or argparse would not hand it on
    runner = commands.add_parser("runner", help=text, prefix_chars="\0", add_help=False)
    runner.add_argument("rest", nargs=argparse.REMAINDER)
    commands.choices["settings"].add_argument(
        "--markdown", action="store_true", help="as the README's table, with the defaults"
    )
    parsed = parser.parse_args(arguments)
    if parsed.command == "runner":
        # Its own program: a runner's host needs none of the bot's packages.
        os.execv(sys.executable, [sys.executable, "-m", "runners", "serve", *parsed.rest])  # noqa: S606 - no shell is wanted
    try:
        if parsed.command == "settings" and parsed.markdown:
            sys.stdout.write(f"{markdown_table()}\n")
            return
        run, _ = _COMMANDS[parsed.command]
        run(load_settings())
    except (BotError, KnowledgeError, RunnerError) as error:
        sys.stderr.write(f"xueban: {error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _bot(settings: Settings) -> None:
    from bot.program import run_bot

    _log_to_terminal(settings)
    asyncio.run(_until_told_to_end(run_bot(settings)))


def _playground(settings: Settings) -> None:
    from bot.program import run_playground

    _log_to_terminal(settings)
    console = Console()
    playground = run_playground(
        settings,
        lambda url: console.print(
            f"\n  The playground is open: [bold]{url}[/bold]\n"
            "  学伴就在里面，打开网页就能提问。Ctrl-C ends it.\n"
        ),
    )
    asyncio.run(_until_told_to_end(playground))


async def _until_told_to_end(program: Coroutine[Any, Any, None]) -> None:
    """Run ``program`` until SIGINT or SIGTERM, which end it in good order.

    A cancellation that arrives just as a wait ends can get lost on Python 3.11
    (`asyncio.wait_for`, which discord.py connects with), so it is said again.
    """
    running = asyncio.ensure_future(program)
    told = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, told.set)
    telling = asyncio.create_task(told.wait())
    await asyncio.wait([running, telling], return_when=asyncio.FIRST_COMPLETED)
    telling.cancel()
    while not running.done():
        running.cancel()
        await asyncio.wait([running], timeout=_SAY_AGAIN_S)
    if not running.cancelled():
        running.result()


_SAY_AGAIN_S = 5.0


def _prepare(settings: Settings) -> None:
    from bot.status import figures_font
    from knowledge.prepare import prepare
    from knowledge.progress import terminal_progress

    prepare(settings, terminal_progress)
    Console().print(f"figures: {figures_font()}", highlight=False)


def _settings(settings: Settings) -> None:
    table = Table("setting", "value", "what it is", box=None, pad_edge=False)
    for row in describe(settings):
        table.add_row(*row)
    Console().print(table)


def _status(settings: Settings) -> None:
    from bot.status import status

    table = Table("what", "state", box=None, pad_edge=False)
    for row in status(settings):
        table.add_row(*row)
    Console().print(table)


_COMMANDS: dict[str, tuple[_Command, str]] = {
    "bot": (_bot, "serve Discord; needs XUEBAN_DISCORD_TOKEN"),
    "playground": (_playground, "open a Discord on loopback with the tutor in it"),
    "prepare": (_prepare, "unpack the encoder and build the index; quick when nothing changed"),
    "settings": (_settings, "print every setting with its value, secrets hidden"),
    "status": (_status, "print what is prepared and the form that the encoder computes in"),
}


def _log_to_terminal(settings: Settings) -> None:
    logging.basicConfig(
        level=settings.log_level,
        format="%(name)s: %(message)s",
        handlers=[RichHandler(console=Console(stderr=True), show_path=False)],
    )
    for chatty in ("alembic", "faiss", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)

"""The README's tables say what the code says."""

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from discord import app_commands

from bot.client import create_bot
from bot.localization import command_payloads
from bot.services import Services
from bot.settings import Settings
from bot.settings import markdown_table as settings_table
from bot.store.testing import MemoryStore
from bot.testing import FakeClock, FakeRetriever
from knowledge.bank import Bank, load_bank
from runners.catalogue import load_catalogue, markdown_table
from runners.testing import FakeRunner

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture(scope="module")
def readme() -> str:
    return README.read_text(encoding="utf-8")


def first_cells(readme: str, table: str) -> list[str]:
    """The code in the first column of the table that follows the comment named ``table``."""
    _, _, after = readme.partition(f"<!-- {table}:")
    rows = itertools.takewhile(bool, after.splitlines()[3:])
    return [match[1] for row in rows if (match := re.match(r"\| `([^`]+)`", row))]


def section(readme: str, name: str) -> str:
    """What stands between the comments of that name."""
    _, _, after = readme.partition(f"<!-- {name} -->\n")
    found, _, _ = after.partition(f"\n<!-- /{name} -->")
    return found


def test_every_setting_is_listed_with_its_default(readme: str) -> None:
    """Mend it with the output of `xueban settings --markdown`."""
    assert section(readme, "settings") == settings_table()


def test_every_example_is_listed(readme: str) -> None:
    """Mend it with the output of `python -m runners list --markdown`."""
    assert section(readme, "examples") == markdown_table(load_catalogue())


async def test_every_command_is_listed_with_its_options(readme: str, tmp_path: Path) -> None:
    services = Services(FakeRetriever(Bank(())), FakeRunner(()), MemoryStore(), FakeClock())
    async with create_bot(Settings(data_dir=tmp_path), services) as bot:
        await bot.load_features()
        listed = [usage(path, options) for path, options in await commands_of(bot.tree)]
    assert first_cells(readme, "commands") == sorted(listed)


async def commands_of(tree: app_commands.CommandTree[Any]) -> list[tuple[str, list[Any]]]:
    found: list[tuple[str, list[Any]]] = []
    payloads: list[dict[str, Any]] = await command_payloads(tree)
    for payload in payloads:
        options = payload["options"]
        subcommands = [option for option in options if option["type"] == 1]
        if subcommands:
            found += [(f"{payload['name']} {sub['name']}", sub["options"]) for sub in subcommands]
        else:
            found.append((payload["name"], options))
    return found


def usage(path: str, options: list[Any]) -> str:
    shown = [o["name"] if o.get("required") else f"[{o['name']}]" for o in options]
    return " ".join((f"/{path}", *shown))


def test_examples_of_the_bank_exist_and_every_example_has_an_entry() -> None:
    named = {example for entry in load_bank().entries for example in entry.examples}
    assert named == {info.id for info in load_catalogue()}

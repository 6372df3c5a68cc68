"""A playground, and a real discord.py bot that lives in it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import discord
import pytest
import yarl
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.playground.server import Playground, open_playground
from tests.schema_check import check_playground

Connect = Callable[..., AbstractAsyncContextManager[commands.AutoShardedBot]]


@pytest.fixture
async def playground(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Playground]:
    async with open_playground() as opened:
        point_discord_at(opened, monkeypatch)
        yield opened
        check_playground(opened)


def point_discord_at(playground: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Route, "BASE", playground.api_url)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(playground.gateway_url))
    monkeypatch.setattr(discord.Asset, "BASE", playground.cdn_url)


@pytest.fixture(autouse=True)
def nobody_logs_an_error(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A payload that discord.py cannot read, or a handler that fails, is logged and lost."""
    yield
    errors = [
        record.getMessage()
        for when in ("setup", "call")
        for record in caplog.get_records(when)
        if record.name.startswith(("discord", "aiohttp")) and record.levelno >= logging.ERROR
    ]
    assert not errors


@pytest.fixture
def connect(playground: Playground) -> Connect:
    return lambda **options: connected(playground, **options)


@asynccontextmanager
async def connected(
    playground: Playground,
    *,
    intents: discord.Intents | None = None,
    prepare: Callable[[commands.AutoShardedBot], None] | None = None,
) -> AsyncIterator[commands.AutoShardedBot]:
    bot = commands.AutoShardedBot(
        "!", intents=intents or discord.Intents.all(), help_command=None, guild_ready_timeout=0.1
    )
    if prepare is not None:
        prepare(bot)
    ready = asyncio.Event()

    @bot.listen("on_ready")
    async def note_ready() -> None:
        ready.set()

    running = asyncio.create_task(bot.start(playground.bot_token))
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({running, waiting}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        assert ready.is_set()
        yield bot
    finally:
        waiting.cancel()
        await bot.close()
        await running


@pytest.fixture
async def bot(connect: Connect) -> AsyncIterator[commands.AutoShardedBot]:
    async with connect() as opened:
        yield opened

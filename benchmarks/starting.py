"""From a cold start: until the bot is online, and until the first answer is there."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from benchmarks.comparison import Comparison
from bot.playground.learner import Learner
from bot.playground.server import Playground, open_playground
from bot.settings import Settings

_ROUNDS = 5

_BARE_CLIENT = """
import asyncio, os, sys
import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

Route.BASE = os.environ["XUEBAN_DISCORD_API"]
DiscordWebSocket.DEFAULT_GATEWAY = URL(os.environ["XUEBAN_DISCORD_GATEWAY"])
client = discord.AutoShardedClient(intents=discord.Intents.none())
client.run(os.environ["XUEBAN_DISCORD_TOKEN"], log_handler=None)
"""

_BARE_ENCODING = """
import sys
from sentence_transformers import SentenceTransformer

SentenceTransformer(sys.argv[1], device="cpu").encode(["训练集准确率很高但是测试集很差怎么回事"])
"""


async def ready_from_cold(settings: Settings) -> Comparison:
    """The program ``xueban bot`` until it is online, against a client that does nothing."""
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(_ROUNDS):
        ours.append(await _until_online(settings, "-m", "bot", "bot"))
        bare.append(await _until_online(settings, "-c", _BARE_CLIENT))
    return Comparison("start to READY / the same of an empty client", tuple(ours), tuple(bare))


async def first_answer_from_cold(settings: Settings) -> Comparison:
    """From the start of ``xueban bot`` to its first answer, against loading and one encoding."""
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(_ROUNDS):
        async with open_playground() as playground, Learner(playground.url, "小明") as learner:
            began = time.perf_counter()
            async with _program(settings, playground, "-m", "bot", "bot"):
                await learner.wait_for_bot(60)
                asked = await learner.mention("训练集准确率很高但是测试集很差怎么回事")
                await learner.wait_for_message(
                    lambda message, asked=asked: (
                        (message.get("message_reference") or {}).get("message_id") == asked["id"]
                        and "⏳" not in message["content"]
                    ),
                    90,
                )
                ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _BARE_ENCODING, str(settings.encoder_dir)),
            stderr=asyncio.subprocess.DEVNULL,
        )
        if await process.wait():
            raise RuntimeError("the bare encoding failed")
        bare.append(time.perf_counter() - began)
    return Comparison(
        "cold start to the first answer / a script that loads the encoder and encodes once",
        tuple(ours),
        tuple(bare),
    )


async def _until_online(settings: Settings, *program: str) -> float:
    async with open_playground() as playground, Learner(playground.url, "小明") as learner:
        began = time.perf_counter()
        async with _program(settings, playground, *program):
            await learner.wait_for_bot(60)
            return time.perf_counter() - began


@asynccontextmanager
async def _program(
    settings: Settings, playground: Playground, *arguments: str
) -> AsyncGenerator[None]:
    variables = {
        "XUEBAN_DATA_DIR": str(settings.data_dir),
        "XUEBAN_DISCORD_TOKEN": playground.bot_token,
        "XUEBAN_DISCORD_API": playground.api_url,
        "XUEBAN_DISCORD_GATEWAY": playground.gateway_url,
        "XUEBAN_LOG_LEVEL": "ERROR",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env={**os.environ, **variables}
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()

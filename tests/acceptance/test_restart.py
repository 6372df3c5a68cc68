"""A bot that is killed or ended in the middle of a run, and comes back."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.playground.learner import Learner
from bot.playground.server import open_playground
from bot.program import at_playground
from bot.settings import Settings, load_settings


class BotProcess:
    """The program ``xueban bot``, started and ended as an operator would."""

    def __init__(self, settings: Settings) -> None:
        token = settings.discord_token
        assert token is not None
        given = settings.model_dump(exclude={"discord_token"}, exclude_none=True)
        self._variables = {f"XUEBAN_{name.upper()}": str(value) for name, value in given.items()}
        self._variables["XUEBAN_DISCORD_TOKEN"] = token.get_secret_value()
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "bot"), env={**os.environ, **self._variables}
        )

    async def end(self, how: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(how)
            await self._process.wait()
            self._process = None


@pytest.fixture
async def xueban(home: Path, tmp_path: Path) -> AsyncGenerator[tuple[BotProcess, Learner]]:
    for name in ("encoder", "index"):
        (tmp_path / name).symlink_to(home / name)
    settings = load_settings(data_dir=tmp_path, progress_seconds=0.5)
    async with (
        open_playground() as playground,
        Learner(playground.url, "小明") as learner,
    ):
        bot = BotProcess(at_playground(settings, playground))
        await bot.start()
        try:
            await learner.wait_for_bot(180)
            yield bot, learner
        finally:
            await bot.end(signal.SIGINT)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
async def test_a_restart_in_the_middle_of_a_run_still_delivers_its_result(
    xueban: tuple[BotProcess, Learner], how: signal.Signals
) -> None:
    bot, learner = xueban
    await learner.slash("run", example="tensorflow-simple-network", settings="epochs=30")
    await learner.wait_for_message(lambda m: "▰" in m["content"] or "▱" in m["content"], 120)
    await bot.end(how)
    await bot.start()
    card = await learner.wait_for_message(
        lambda m: (
            m["content"].startswith("### ") and ("✅" in m["content"] or "❌" in m["content"])
        ),
        120,
    )
    assert "✅" in card["content"]
    assert card["attachments"]


async def test_buttons_of_an_earlier_process_work(xueban: tuple[BotProcess, Learner]) -> None:
    bot, learner = xueban
    asked = await learner.mention("模型在训练集上很好测试集很差")
    answer = await learner.wait_for_message(
        lambda m: any(
            each["custom_id"] == "more:overfitting:zh"
            for row in m["components"]
            for each in row["components"]
        ),
        90,
    )
    assert asked["id"] != answer["id"]
    await bot.end(signal.SIGKILL)
    await bot.start()
    await learner.wait_for_bot(180)
    interaction = await learner.press(answer, "more:overfitting:zh")
    assert interaction["state"] == "acknowledged"

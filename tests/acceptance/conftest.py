"""The whole product: the real bot, encoder, runner and training, in a Discord on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from bot.playground.learner import Learner
from bot.playground.server import Playground, open_playground
from bot.program import at_playground, run_bot
from bot.settings import load_settings
from tests.schema_check import check_playground


@pytest.fixture(scope="session")
def home(prepared_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with encoder and index in it and nothing else."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("encoder", "index"):
        (folder / name).symlink_to(prepared_data_dir / name)
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playground(home: Path) -> AsyncGenerator[Playground]:
    """The playground with the tutor in it, as ``make playground`` opens it."""
    settings = load_settings(data_dir=home, tick_seconds=0.5, progress_seconds=0.5)
    async with open_playground() as opened:
        tutor = asyncio.create_task(run_bot(at_playground(settings, opened), opened.clock))
        yield opened
        tutor.cancel()
        await asyncio.gather(tutor, return_exceptions=True)
        check_playground(opened)
    await runners_gone(home)


async def runners_gone(home: Path, within_s: float = 30) -> None:
    """Wait until no process of the runner program that works in ``home`` is left."""
    async with asyncio.timeout(within_s):
        while left := runner_processes(home):
            await asyncio.to_thread(psutil.wait_procs, left, 1)


def runner_processes(home: Path) -> list[psutil.Process]:
    """The runner program's processes that work in ``home``, its workers among them."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("XUEBAN_DATA_DIR") == str(home) and "runners" in " ".join(
                process.cmdline()
            ):
                found += [process, *process.children(recursive=True)]
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def xiaoming(playground: Playground) -> AsyncGenerator[Learner]:
    async with Learner(playground.url, "小明") as learner:
        await learner.wait_for_bot(180)
        yield learner


@pytest_asyncio.fixture(loop_scope="session")
async def alice(playground: Playground) -> AsyncGenerator[Learner]:
    async with Learner(playground.url, "Alice") as learner:
        await learner.wait_for_bot(180)
        yield learner


@pytest_asyncio.fixture(loop_scope="session")
async def teacher(playground: Playground) -> AsyncGenerator[Learner]:
    async with Learner(playground.url, "老师") as learner:
        await learner.wait_for_bot(180)
        yield learner

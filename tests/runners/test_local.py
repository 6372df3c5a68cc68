import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import psutil
import pytest

from runners.catalogue import Catalogue
from runners.client import Patience
from runners.errors import RunnerUnreachableError
from runners.local import open_local_runner
from runners.protocol.jobs import JobView, Submission
from runners.protocol.words import JobState
from runners.settings import RunnerSettings

if TYPE_CHECKING:
    from tests.runners.conftest import Program


def programs() -> list[psutil.Process]:
    return [
        child for child in psutil.Process().children() if "runners" in " ".join(child.cmdline())
    ]


async def test_a_runner_starts_by_itself_and_ends_with_its_caller(
    settings: RunnerSettings, trials: Catalogue, leftovers: Callable[[], list[str]]
) -> None:
    del trials
    async with open_local_runner(settings, examples="trials") as runner:
        first = await runner.submit(Submission(example="steady"))
        last = [view async for view in runner.watch(first.id)][-1]
        assert last.state is JobState.SUCCEEDED
        assert len(programs()) == 1
    assert programs() == []
    assert leftovers() == []


async def test_it_starts_again_when_it_is_killed_and_says_what_became_of_its_job(
    settings: RunnerSettings, trials: Catalogue
) -> None:
    del trials
    async with open_local_runner(settings, Patience(call_s=30), "trials") as runner:
        first = await runner.submit(Submission(example="unruly", parameters={"how": "deaf"}))
        views: list[JobView] = []
        killed = False
        async for view in runner.watch(first.id):
            views.append(view)
            if view.progress is not None and not killed:
                killed = True
                programs()[0].kill()
        assert views[-1].failure is not None
        assert views[-1].failure.reason == "lost"
        again = await runner.submit(Submission(example="steady"))
        assert [view async for view in runner.watch(again.id)][-1].state is JobState.SUCCEEDED


async def test_nobody_else_may_use_it(settings: RunnerSettings, trials: Catalogue) -> None:
    del trials
    async with open_local_runner(settings, examples="trials") as runner:
        await runner.health()
        [program] = programs()
        [listening] = [each for each in program.net_connections() if each.status == "LISTEN"]
        assert listening.laddr[0] == "127.0.0.1"
        _, writer = reader_and_writer = await asyncio.open_connection(*listening.laddr[:2])
        writer.write(b"GET /jobs HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await reader_and_writer[0].readline() == b"HTTP/1.1 401 Unauthorized\r\n"
        writer.close()
        assert await runner.recent() == ()


async def test_why_it_does_not_start_is_told_to_whoever_calls(
    program: "Program", settings: RunnerSettings
) -> None:
    await asyncio.to_thread(program.start)
    async with open_local_runner(settings, Patience(call_s=3), "trials") as runner:
        with pytest.raises(RunnerUnreachableError, match="another runner program"):
            await runner.catalogue()


async def test_leaving_at_once_leaves_nothing(
    settings: RunnerSettings, trials: Catalogue, leftovers: Callable[[], list[str]]
) -> None:
    del trials
    async with open_local_runner(settings, examples="trials"):
        await asyncio.sleep(0)
    assert programs() == []
    assert leftovers() == []

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING

import psutil
import pytest

from runners.catalogue import Catalogue
from runners.client import Patience, RunnerClient
from runners.errors import RunnerUnreachableError
from runners.local import open_local_runner
from runners.protocol.catalogue import ParameterValue
from runners.protocol.events import EVENT, Event
from runners.protocol.jobs import JobView, Submission
from runners.protocol.words import JobId, JobState
from runners.settings import RunnerSettings
from runners.whereabouts import find_program

if TYPE_CHECKING:
    from tests.runners.conftest import Program

LONG: dict[str, ParameterValue] = {"steps": 60, "pause_ms": 80}

SUPERVISOR = """
import asyncio, sys
from runners.local import open_local_runner
from runners.protocol.jobs import Submission
from runners.settings import RunnerSettings

async def main():
    settings = RunnerSettings.model_validate_json(sys.argv[1])
    parameters = {"steps": 60, "pause_ms": 50}
    async with open_local_runner(settings, examples="trials") as runner:
        job = await runner.submit(Submission(example="steady", parameters=parameters))
        async for event in runner.follow(job.id):
            print(job.id, event.model_dump_json(), flush=True)

asyncio.run(main())
"""


def programs(settings: RunnerSettings) -> list[psutil.Process]:
    """The runner programs that work in the data folder, whoever started them."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if (
                process.status() != psutil.STATUS_ZOMBIE
                and process.environ().get("XUEBAN_DATA_DIR") == str(settings.data_dir)
                and "serve" in process.cmdline()
            ):
                found.append(process)
    return found


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - the end of other processes is looked for
            await asyncio.sleep(0.02)


async def nothing_left(settings: RunnerSettings, leftovers: Callable[[], list[str]]) -> None:
    await until(lambda: not programs(settings))
    assert leftovers() == []
    assert not (settings.data_dir / "runner" / "whereabouts.json").exists()


async def told(runner: RunnerClient, job_id: JobId) -> list[Event]:
    return [event async for event in runner.follow(job_id)]


@pytest.fixture(autouse=True)
def _no_orphans(settings: RunnerSettings, trials: Catalogue) -> Iterator[None]:
    del trials
    yield
    for process in programs(settings):
        process.kill()


@contextlib.asynccontextmanager
async def another_supervisor(
    settings: RunnerSettings,
) -> AsyncIterator[tuple[asyncio.subprocess.Process, JobId, list[Event]]]:
    """A process that supervises, its job, and the events that it saw, one metric among them."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SUPERVISOR, settings.model_dump_json(exclude_none=True)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    seen: list[Event] = []
    job_id = ""
    try:
        while not seen or seen[-1].type != "metric":
            job_id, _, event = (await process.stdout.readline()).decode().partition(" ")
            seen.append(EVENT.validate_json(event))
        yield process, JobId(job_id), seen
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def test_a_runner_starts_by_itself_and_ends_with_its_caller(
    settings: RunnerSettings, leftovers: Callable[[], list[str]]
) -> None:
    async with open_local_runner(settings, examples="trials") as runner:
        first = await runner.submit(Submission(example="steady"))
        last = [view async for view in runner.watch(first.id)][-1]
        assert last.state is JobState.SUCCEEDED
        assert len(programs(settings)) == 1
    await nothing_left(settings, leftovers)


async def test_it_starts_again_when_it_is_killed_and_says_what_became_of_its_job(
    settings: RunnerSettings,
) -> None:
    async with open_local_runner(settings, Patience(call_s=30), "trials") as runner:
        first = await runner.submit(Submission(example="unruly", parameters={"how": "deaf"}))
        views: list[JobView] = []
        killed = False
        async for view in runner.watch(first.id):
            views.append(view)
            if view.progress is not None and not killed:
                killed = True
                programs(settings)[0].kill()
        assert views[-1].failure is not None
        assert views[-1].failure.reason == "lost"
        again = await runner.submit(Submission(example="steady"))
        assert [view async for view in runner.watch(again.id)][-1].state is JobState.SUCCEEDED


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_a_job_goes_on_without_its_supervisor_and_the_next_one_sees_its_end(
    settings: RunnerSettings, leftovers: Callable[[], list[str]], how: signal.Signals
) -> None:
    async with another_supervisor(settings) as (process, job_id, seen):
        [program] = programs(settings)
        process.send_signal(how)
        await process.wait()
        async with open_local_runner(settings, examples="trials") as runner:
            events = await told(runner, job_id)
            assert [each.pid for each in programs(settings)] == [program.pid]
            assert events[: len(seen)] == seen
            assert [event.sequence for event in events] == list(range(1, len(events) + 1))
            assert events[-1].type == "succeeded"
            metrics = [event.values for event in events if event.type == "metric"]
            losses = [values["loss"] for values in metrics if "loss" in values]
            assert losses == [1 / step for step in range(1, 61)]
            again = await runner.submit(Submission(example="steady"))
            assert (await told(runner, again.id))[-1].type == "succeeded"
    await nothing_left(settings, leftovers)


async def test_it_ends_after_its_last_job_when_nobody_comes_back(
    settings: RunnerSettings, leftovers: Callable[[], list[str]]
) -> None:
    async with open_local_runner(settings, examples="trials") as runner:
        running = await runner.submit(Submission(example="steady", parameters=LONG))
        waiting = await runner.submit(Submission(example="steady"))
    assert len(programs(settings)) == 1
    await nothing_left(settings, leftovers)
    async with open_local_runner(settings, examples="trials") as runner:
        for job in (running, waiting):
            assert (await told(runner, job.id))[-1].type == "succeeded"


async def test_a_kill_of_the_supervisor_alone_leaves_no_orphan(
    settings: RunnerSettings, leftovers: Callable[[], list[str]]
) -> None:
    async with another_supervisor(settings) as (process, _, _):
        process.kill()
        await process.wait()
        assert len(programs(settings)) == 1
        await nothing_left(settings, leftovers)


async def test_one_that_was_taken_over_is_started_again_when_it_dies(
    settings: RunnerSettings, leftovers: Callable[[], list[str]]
) -> None:
    async with another_supervisor(settings) as (process, job_id, seen):
        process.kill()
        await process.wait()
        async with open_local_runner(settings, Patience(call_s=30), "trials") as runner:
            await runner.health()
            [taken_over] = programs(settings)
            taken_over.kill()
            events = await told(runner, job_id)
            assert events[: len(seen)] == seen
            assert (events[-1].type, getattr(events[-1], "reason", None)) == ("failed", "lost")
            again = await runner.submit(Submission(example="steady"))
            assert (await told(runner, again.id))[-1].type == "succeeded"
            [started] = programs(settings)
            assert started.pid != taken_over.pid
    await nothing_left(settings, leftovers)


async def test_it_stays_for_whoever_else_supervises_it(settings: RunnerSettings) -> None:
    async with open_local_runner(settings, examples="trials") as first:
        await first.health()
        program = find_program(settings.data_dir / "runner")
        async with open_local_runner(settings, examples="trials") as second:
            job = await second.submit(Submission(example="steady", parameters=LONG))
        assert (await told(first, job.id))[-1].type == "succeeded"
        assert find_program(settings.data_dir / "runner") == program
        again = await first.submit(Submission(example="steady"))
        assert (await told(first, again.id))[-1].type == "succeeded"


@pytest.mark.parametrize("content", ["{", "stale"])
async def test_what_a_dead_one_left_written_down_is_passed_over(
    settings: RunnerSettings, content: str
) -> None:
    folder = settings.data_dir / "runner"
    folder.mkdir(parents=True)
    if content == "stale":
        # this very process, had it been born at another time
        content = json.dumps(
            {"address": "http://127.0.0.1:1", "token": "x", "pid": os.getpid(), "born": 1.0}
        )
    await asyncio.to_thread((folder / "whereabouts.json").write_text, content)
    async with open_local_runner(settings, examples="trials") as runner:
        job = await runner.submit(Submission(example="steady"))
        assert (await told(runner, job.id))[-1].type == "succeeded"


async def test_one_that_is_stopped_is_ended_for_good(settings: RunnerSettings) -> None:
    async with open_local_runner(settings, examples="trials") as runner:
        await runner.health()
        [program] = programs(settings)
        program.suspend()
    assert programs(settings) == []


async def test_an_idle_one_has_ended_when_its_caller_goes_on(settings: RunnerSettings) -> None:
    async with open_local_runner(settings, examples="trials") as runner:
        await runner.health()
        assert len(programs(settings)) == 1
    assert programs(settings) == []


async def test_nobody_else_may_use_it(settings: RunnerSettings) -> None:
    async with open_local_runner(settings, examples="trials") as runner:
        await runner.health()
        [program] = programs(settings)
        [listening] = [each for each in program.net_connections() if each.status == "LISTEN"]
        assert listening.laddr[0] == "127.0.0.1"
        for path in (b"/jobs", b"/supervision"):
            reader, writer = await asyncio.open_connection(*listening.laddr[:2])
            writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await reader.readline() == b"HTTP/1.1 401 Unauthorized\r\n"
            writer.close()
        assert await runner.recent() == ()


async def test_why_it_does_not_start_is_told_to_whoever_calls(
    program: "Program", settings: RunnerSettings
) -> None:
    await asyncio.to_thread(program.start)
    async with open_local_runner(settings, Patience(call_s=3), "trials") as runner:
        with pytest.raises(RunnerUnreachableError, match="another runner program"):
            await runner.catalogue()


@pytest.mark.parametrize("after_s", [0, 0.1, 0.5])
async def test_leaving_early_leaves_nothing(
    settings: RunnerSettings, leftovers: Callable[[], list[str]], after_s: float
) -> None:
    async with open_local_runner(settings, examples="trials"):
        await asyncio.sleep(after_s)
    assert programs(settings) == []
    await nothing_left(settings, leftovers)


@pytest.mark.parametrize("after_s", [0, 0.005, 0.01, 0.02])
async def test_leaving_while_it_is_being_greeted_leaves_nothing(
    settings: RunnerSettings, leftovers: Callable[[], list[str]], after_s: float
) -> None:
    whereabouts = settings.data_dir / "runner" / "whereabouts.json"
    async with open_local_runner(settings, examples="trials"):
        async with asyncio.timeout(60):
            while not whereabouts.exists():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.0005)
        await asyncio.sleep(after_s)
    assert programs(settings) == []
    await nothing_left(settings, leftovers)

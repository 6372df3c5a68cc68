import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from runners.catalogue import Catalogue
from runners.jobs.workshop import open_runner
from runners.protocol.events import Terminal
from runners.protocol.jobs import Submission
from runners.protocol.words import FailureReason, JobState
from runners.settings import RunnerSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.runners.conftest import Bench


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_a_job_reports_its_rows_results_and_picture(bench: "Bench") -> None:
    view = await bench.end(bench.submit("steady", steps=4, seed=5))
    assert view.state is JobState.SUCCEEDED
    assert [(row.step, row.values) for row in view.history] == [
        (step, {"loss": 1 / step}) for step in (1, 2, 3, 4)
    ]
    assert view.metrics == {"final": 5.0}
    assert view.progress is not None
    assert (view.progress.done, view.progress.total) == (4, 4)
    assert [figure.name for figure in view.figures] == ["curves.png"]
    assert bench.runner.artifacts.path(view.id, "curves.png").read_bytes().startswith(b"\x89PNG")
    assert view.parameters == {"seed": 5, "steps": 4, "pause_ms": 0}
    assert view.device is not None
    assert view.versions["python"].startswith("3.")
    assert view.measured is not None
    assert view.measured.peak_memory_mb > 5


async def test_an_exception_is_told_in_one_line_with_its_traceback_for_staff(
    bench: "Bench",
) -> None:
    view = await bench.end(bench.submit("unruly", how="raise"))
    assert view.state is JobState.FAILED
    assert view.failure is not None
    assert view.failure.reason is FailureReason.ERROR
    assert view.failure.message == "ValueError: seven is not a batch size"
    assert "Traceback" in view.failure.detail


@pytest.mark.parametrize(("how", "status"), [("exit", "exit status 7"), ("segfault", "SIGSEGV")])
async def test_a_process_that_ends_without_a_word_was_killed(
    bench: "Bench", how: str, status: str
) -> None:
    view = await bench.end(bench.submit("unruly", how=how))
    assert view.failure is not None
    assert view.failure.reason is FailureReason.KILLED
    assert view.failure.detail == status


async def test_kill_9_of_the_process_is_told_as_killed(bench: "Bench") -> None:
    job = bench.submit("unruly", how="deaf")
    os.kill(await bench.started(job), signal.SIGKILL)
    view = await bench.end(job)
    assert view.failure is not None
    assert (view.failure.reason, view.failure.detail) == (FailureReason.KILLED, "SIGKILL")
    assert view.measured is not None


@pytest.mark.parametrize("how", ["swallow", "deaf", "stubborn"])
async def test_cancel_ends_whatever_the_job_does_about_it(bench: "Bench", how: str) -> None:
    job = bench.submit("unruly", how=how)
    pid = await bench.started(job)
    bench.runner.dispatcher.cancel(job)
    view = await bench.end(job)
    assert view.state is JobState.CANCELLED
    assert view.measured is not None
    assert gone(pid)


async def test_cancel_between_two_reports_is_heard_by_the_job(bench: "Bench") -> None:
    job = bench.submit("steady", steps=1_000, pause_ms=20)
    await bench.started(job)
    bench.runner.dispatcher.cancel(job)
    assert (await bench.end(job)).state is JobState.CANCELLED


async def test_a_cancelled_job_takes_its_whole_family_with_it(
    bench: "Bench", leftovers: "Callable[[], list[str]]"
) -> None:
    job = bench.submit("unruly", how="family")
    pid = await bench.started(job)
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    assert len(family) >= 4
    bench.runner.dispatcher.cancel(job)
    await bench.end(job)
    assert all(gone(each.pid) for each in family)
    assert not [left for left in leftovers() if "time.sleep(600)" in left]


async def test_a_job_over_its_wall_clock_limit_times_out(bench: "Bench") -> None:
    view = await bench.end(bench.submit("hasty"))
    assert view.state is JobState.TIMED_OUT
    assert view.measured is not None
    assert view.measured.elapsed_s >= 0.5


async def test_a_job_over_its_memory_limit_fails_for_it(bench: "Bench") -> None:
    view = await bench.end(bench.submit("unruly", how="hungry"))
    assert view.failure is not None
    assert view.failure.reason is FailureReason.MEMORY
    assert "256 MiB" in view.failure.message
    assert view.measured is not None
    assert view.measured.peak_memory_mb > 256


async def test_what_a_job_prints_is_bounded_and_readable(bench: "Bench") -> None:
    job = bench.submit("unruly", how="chatty")
    view = await bench.end(job)
    assert view.state is JobState.SUCCEEDED
    logs = await bench.lines(job)
    assert len(logs) == 401
    assert logs[0] == "x" * 100
    assert logs[-1] == "more than 400 log lines: the rest is left out"


async def test_a_flood_of_reports_is_bounded_and_its_result_survives(bench: "Bench") -> None:
    view = await bench.end(bench.submit("unruly", how="flood"))
    assert view.state is JobState.SUCCEEDED
    assert len(view.history) == 5_000
    assert view.metrics == {"final": 1.0}
    assert view.progress is not None
    assert view.progress.done == 20_000


@pytest.mark.parametrize("how", ["garbage", "giant"])
async def test_a_process_that_reports_nonsense_fails_and_its_runner_goes_on(
    bench: "Bench", how: str
) -> None:
    view = await bench.end(bench.submit("unruly", how=how))
    assert view.failure is not None
    assert view.failure.message == "it reported what nobody can read"
    assert (await bench.end(bench.submit("steady"))).state is JobState.SUCCEEDED


async def test_files_that_are_no_pictures_are_not_kept(bench: "Bench") -> None:
    view = await bench.end(bench.submit("unruly", how="pictures"))
    assert view.state is JobState.SUCCEEDED
    assert view.figures == ()
    assert view.logs == (
        "text.png was not kept: it is no PNG picture",
        "huge.png was not kept: it is larger than 8 MiB",
    )
    assert bench.runner.artifacts.names(view.id) == ()


async def test_numbers_that_are_not_finite_arrive(bench: "Bench") -> None:
    view = await bench.end(bench.submit("unruly", how="diverge"))
    assert view.metrics == {"final": float("inf")}
    assert str(view.history[0].values["loss"]) == "nan"


async def test_a_thread_left_behind_does_not_keep_a_job_from_ending(bench: "Bench") -> None:
    assert (await bench.end(bench.submit("unruly", how="thread"))).state is JobState.SUCCEEDED


async def test_a_job_sees_a_folder_and_session_of_its_own_and_no_settings(
    bench: "Bench",
) -> None:
    job = bench.submit("unruly", how="environment")
    await bench.end(job)
    logs = await bench.lines(job)
    assert not [line for line in logs if line.startswith("XUEBAN_")]
    assert "session=True" in logs
    assert "loaded=False" in logs
    assert "MPLBACKEND=Agg" in logs
    assert "OMP_WAIT_POLICY=PASSIVE" in logs
    assert any(line.startswith("cwd=") and line.endswith(job) for line in logs)


async def test_nothing_is_left_when_jobs_have_ended(
    bench: "Bench", leftovers: "Callable[[], list[str]]"
) -> None:
    jobs = [bench.submit("steady"), bench.submit("unruly", how="raise")]
    for job in jobs:
        await bench.end(job)
    await asyncio.sleep(0.1)
    assert not [left for left in leftovers() if "scratch" in left]


async def test_the_events_of_a_job_are_gapless_and_have_one_end(bench: "Bench") -> None:
    job = bench.submit("steady", steps=50)
    await bench.end(job)
    events = await bench.events(job)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert [event.type for event in events if isinstance(event, Terminal)] == ["succeeded"]
    assert isinstance(events[-1], Terminal)
    assert [event.type for event in events[:2]] == ["queued", "started"]


async def test_a_job_finds_its_framework_loaded(
    settings: RunnerSettings, trials: Catalogue, tmp_path: Path
) -> None:
    from tests.runners.conftest import Bench

    ahead = settings.model_copy(update={"runner_preload": True, "runner_memory_mb": 4_096})
    async with open_runner(ahead, trials, tmp_path / "jobs.db", tmp_path / "scratch") as runner:
        submission = Submission(example="unruly", parameters={"how": "environment"})
        view, _ = runner.dispatcher.submit(submission)
        logs = await Bench(runner).lines(view.id)
    assert "loaded=True" in logs


async def test_a_framework_that_cannot_be_loaded_is_told(
    settings: RunnerSettings, trials: Catalogue, tmp_path: Path
) -> None:
    broken = settings.model_copy(update={"pytorch_python": Path("/bin/false")})
    async with open_runner(broken, trials, tmp_path / "jobs.db", tmp_path / "scratch") as runner:
        view, _ = runner.dispatcher.submit(Submission(example="steady"))
        async for _ in runner.journal.follow(view.id, 0, 5):
            pass
        failed = runner.journal.view(view.id).failure
    assert failed is not None
    assert failed.message == "pytorch could not be loaded"

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any

import pytest

from runners.catalogue import Catalogue
from runners.errors import (
    InvalidParametersError,
    QueueFullError,
    RunnerUnreachableError,
    UnavailableExampleError,
    UnknownArtifactError,
    UnknownExampleError,
    UnknownJobError,
)
from runners.protocol.events import Log, Progress
from runners.protocol.jobs import JobView, Submission
from runners.protocol.words import FailureReason, JobId, JobState, Text
from runners.testing import MEASURED, FakeRunner

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
WORDS = Text(zh="曲线", en="curves")


@pytest.fixture
def runner(trials: Catalogue) -> FakeRunner:
    return FakeRunner(trials)


async def test_a_job_goes_the_way_that_the_test_says(runner: FakeRunner) -> None:
    first = await runner.submit(Submission(example="steady", parameters={"steps": 9}))
    assert (first.state, first.position, first.parameters["steps"]) == (JobState.QUEUED, 1, 9)
    assert runner.submissions == [Submission(example="steady", parameters={"steps": 9})]
    seen: list[JobView] = []

    async def watch() -> None:
        seen.extend([view async for view in runner.watch(first.id)])

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    runner.start(first.id)
    runner.progress(first.id, 1, 9)
    runner.metric(first.id, step=1, loss=0.5)
    runner.metric(first.id, accuracy=0.9)
    runner.log(first.id, "hello")
    await asyncio.sleep(0)
    runner.draw(first.id, "curves.png", b"png", WORDS, WORDS)
    runner.finish(first.id)
    await watching
    last = seen[-1]
    assert [view.state for view in seen] == [JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED]
    assert (last.metrics, last.history[0].values) == ({"accuracy": 0.9}, {"loss": 0.5})
    assert (last.logs, last.measured) == (("hello",), MEASURED)
    assert await runner.artifact(first.id, "curves.png") == b"png"
    assert last.sequence == 8


async def test_it_refuses_what_a_real_runner_refuses(runner: FakeRunner) -> None:
    with pytest.raises(UnknownExampleError):
        await runner.submit(Submission(example="nothing"))
    with pytest.raises(InvalidParametersError, match="from 1 to 100000"):
        await runner.submit(Submission(example="steady", parameters={"steps": 0}))
    with pytest.raises(InvalidParametersError, match="no parameter"):
        await runner.submit(Submission(example="steady", parameters={"stride": 0}))
    with pytest.raises(UnknownJobError):
        await runner.job(JobId("0" * 32))
    with pytest.raises(UnknownArtifactError):
        await runner.artifact(JobId("0" * 32), "curves.png")
    assert runner.submissions == []


async def test_an_example_that_cannot_run_there_is_refused(trials: Catalogue) -> None:
    missing = {"available": False, "reason": "pytorch is not installed"}
    runner = FakeRunner([info.model_copy(update=missing) for info in trials])
    with pytest.raises(UnavailableExampleError, match="not installed"):
        await runner.submit(Submission(example="steady"))


async def test_the_same_key_is_the_same_job(runner: FakeRunner) -> None:
    submission = Submission(example="steady", key="once")
    first = await runner.submit(submission)
    assert (await runner.submit(submission)).id == first.id
    assert runner.submissions == [submission]


async def test_waiting_jobs_have_their_places(runner: FakeRunner) -> None:
    views = [await runner.submit(Submission(example="steady")) for _ in range(2)]
    assert [view.position for view in views] == [1, 2]
    assert runner.last == views[1].id


async def test_a_script_plays_by_itself(trials: Catalogue) -> None:
    script = [Progress(sequence=1, at=AT, done=1, total=2), Log(sequence=1, at=AT, text="half")]
    runner = FakeRunner(trials, scripts={"steady": script}, now=lambda: AT)
    view = await runner.submit(Submission(example="steady"))
    assert (view.sequence, view.logs, view.submitted_at) == (3, ("half",), AT)


async def test_cancel_ends_a_job_once(runner: FakeRunner) -> None:
    view = await runner.submit(Submission(example="steady"))
    assert (await runner.cancel(view.id)).state is JobState.CANCELLED
    assert (await runner.cancel(view.id)).state is JobState.CANCELLED
    assert runner.cancelled == [view.id]
    with pytest.raises(ValueError, match="has ended"):
        runner.finish(view.id)


async def test_a_job_can_fail(runner: FakeRunner) -> None:
    view = await runner.submit(Submission(example="steady"))
    failed = runner.fail(view.id, FailureReason.MEMORY, "too much")
    assert failed.failure is not None
    assert (failed.failure.reason, failed.failure.message) == (FailureReason.MEMORY, "too much")


async def test_while_a_fault_is_set_every_call_raises_it(runner: FakeRunner) -> None:
    view = await runner.submit(Submission(example="steady"))
    runner.fault = RunnerUnreachableError()
    for call in (runner.catalogue(), runner.job(view.id), runner.cancel(view.id)):
        with pytest.raises(RunnerUnreachableError):
            await call
    with pytest.raises(RunnerUnreachableError):
        await anext(runner.watch(view.id))
    runner.fault = QueueFullError()
    with pytest.raises(QueueFullError):
        await runner.submit(Submission(example="steady"))


async def test_all_waiting_goes_through_the_hold(runner: FakeRunner) -> None:
    reasons: list[str] = []

    async def hold(awaitable: Awaitable[Any], *, reason: str) -> Any:  # noqa: ANN401 - as awaited
        reasons.append(reason)
        return await awaitable

    runner.hold = hold
    view = await runner.submit(Submission(example="steady"))
    views = runner.watch(view.id)
    await anext(views)
    waiting = asyncio.create_task(anext(views))
    await asyncio.sleep(0)
    runner.start(view.id)
    assert (await waiting).state is JobState.RUNNING
    assert reasons == [f"job {view.id} goes on"]
    await views.aclose()

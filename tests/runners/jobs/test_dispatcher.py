import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from runners.catalogue import Catalogue
from runners.errors import OwnQueueFullError, QueueFullError
from runners.jobs import nurseries
from runners.jobs.cards import Card
from runners.jobs.retention import Retention
from runners.jobs.workshop import Runner, open_runner
from runners.protocol.catalogue import ParameterValue
from runners.protocol.jobs import JobView, Submission
from runners.protocol.words import Birth, FailureReason, Framework, JobId, JobState
from runners.settings import RunnerSettings

if TYPE_CHECKING:
    from tests.runners.conftest import Bench, Driver

Open = Callable[..., AbstractAsyncContextManager["Bench"]]


@pytest.fixture
def opened(settings: RunnerSettings, trials: Catalogue) -> Open:
    """Opens a runner with some settings changed, on one data folder."""
    from tests.runners.conftest import Bench

    @asynccontextmanager
    async def open_one(**changes: object) -> AsyncIterator[Bench]:
        folder = settings.data_dir / "runner"
        changed = settings.model_copy(update=changes)
        async with open_runner(changed, trials, folder / "jobs.db", folder / "scratch") as runner:
            yield Bench(runner)

    return open_one


def submit(runner: Runner, learner: str, guild: str = "g", **parameters: ParameterValue) -> JobId:
    submission = Submission(example="steady", parameters=parameters, learner=learner, guild=guild)
    view, _ = runner.dispatcher.submit(submission)
    return view.id


async def order(bench: "Bench", jobs: dict[str, JobId]) -> list[str]:
    ends = {name: await bench.end(job) for name, job in jobs.items()}
    return sorted(ends, key=lambda name: started_at(ends[name]))


def started_at(view: JobView) -> float:
    assert view.started_at is not None
    return view.started_at.timestamp()


async def test_one_who_submits_many_does_not_keep_the_others_waiting(opened: Open) -> None:
    async with opened() as bench:
        running = bench.submit("steady", steps=1, pause_ms=500)
        jobs = {f"mine {number}": submit(bench.runner, "me") for number in range(3)}
        jobs["yours"] = submit(bench.runner, "you")
        jobs["far"] = submit(bench.runner, "she", guild="h")
        places = {name: bench.view(job).position for name, job in jobs.items()}
        assert places == {"mine 0": 1, "far": 2, "yours": 3, "mine 1": 4, "mine 2": 5}
        assert await order(bench, jobs) == ["mine 0", "far", "yours", "mine 1", "mine 2"]
        assert (await bench.end(running)).state is JobState.SUCCEEDED


async def test_whose_turn_it_is_outlives_the_runner(opened: Open) -> None:
    async with opened() as bench:
        running = submit(bench.runner, "me", steps=1_000, pause_ms=20)
        await bench.started(running)
        waiting = {"mine": submit(bench.runner, "me"), "yours": submit(bench.runner, "you")}
    async with opened() as bench:
        assert await order(bench, waiting) == ["yours", "mine"]


async def test_a_learner_has_one_job_running_unless_set_otherwise(opened: Open) -> None:
    async with opened(runner_slots=2) as bench:
        first = submit(bench.runner, "me", steps=1, pause_ms=700)
        second = submit(bench.runner, "me")
        other = submit(bench.runner, "you")
        ends = {job: await bench.end(job) for job in (first, second, other)}
        assert started_at(ends[other]) < started_at(ends[second])
        over = ends[first].ended_at
        assert over is not None
        assert started_at(ends[second]) >= over.timestamp()
    async with opened(runner_slots=2, runner_running_each=2) as bench:
        jobs = [submit(bench.runner, "me", steps=1_000, pause_ms=20) for _ in range(2)]
        for job in jobs:
            await bench.started(job)
        assert {bench.view(job).state for job in jobs} == {JobState.RUNNING}


async def test_the_queue_has_room_for_everybody(opened: Open) -> None:
    async with opened(runner_waiting_each=2, runner_queue_limit=3) as bench:
        bench.submit("unruly", how="deaf")
        for _ in range(2):
            submit(bench.runner, "me")
        with pytest.raises(OwnQueueFullError):
            submit(bench.runner, "me")
        submit(bench.runner, "you")
        with pytest.raises(QueueFullError):
            submit(bench.runner, "she")


async def test_a_wait_is_told_once_something_was_measured(opened: Open) -> None:
    async with opened() as bench:
        first = bench.submit("steady", steps=1, pause_ms=400)
        unknown = submit(bench.runner, "me")
        assert bench.view(unknown).expected_at is None
        assert (await bench.end(first)).measured is not None
        await bench.end(unknown)
        bench.submit("steady", steps=1, pause_ms=900)
        jobs = [submit(bench.runner, name) for name in ("you", "she")]
        waits: list[float] = []
        for job in jobs:
            expected = bench.view(job).expected_at
            assert expected is not None
            waits.append((expected - bench.view(job).submitted_at).total_seconds())
        assert 0 < waits[0] < waits[1] < 5


async def test_an_identical_job_is_answered_from_the_record_if_that_is_wanted(
    opened: Open,
) -> None:
    wish = Submission(example="steady", parameters={"steps": 2, "seed": 4}, reuse=True)
    async with opened() as bench:
        earlier = await bench.end(bench.runner.dispatcher.submit(wish)[0].id)
        assert earlier.recorded is None
        view, new = bench.runner.dispatcher.submit(wish)
        assert new
        assert view.id != earlier.id
        assert view.state is JobState.SUCCEEDED
        assert view.recorded is not None
        assert (view.recorded.job, view.recorded.measured_at) == (earlier.id, earlier.ended_at)
        assert (view.metrics, view.history) == (earlier.metrics, earlier.history)
        assert (view.device, view.versions) == (earlier.device, earlier.versions)
        assert (view.measured, view.started_at) == (earlier.measured, None)
        artifacts = bench.runner.artifacts
        artifacts.forget(earlier.id)
        assert artifacts.path(view.id, "curves.png").read_bytes().startswith(b"\x89PNG")
        others = (
            wish.model_copy(update={"reuse": False}),
            wish.model_copy(update={"parameters": {"steps": 2, "seed": 5}}),
        )
        for other in others:
            again = await bench.end(bench.runner.dispatcher.submit(other)[0].id)
            assert again.recorded is None


async def test_a_result_that_is_not_fresh_is_measured_anew(opened: Open) -> None:
    wish = Submission(example="steady", reuse=True)
    async with opened(runner_fresh_hours=0) as bench:
        for _ in range(2):
            view = await bench.end(bench.runner.dispatcher.submit(wish)[0].id)
            assert view.recorded is None


async def test_old_jobs_and_their_pictures_are_forgotten_and_running_ones_never(
    opened: Open,
) -> None:
    async with opened(runner_slots=2) as bench:
        ended = await bench.end(bench.submit("steady"))
        running = bench.submit("steady", steps=1_000, pause_ms=20)
        await bench.started(running)
        waiting = [submit(bench.runner, "me", steps=1_000, pause_ms=20) for _ in range(2)][1]
        artifacts, archive = bench.runner.artifacts, bench.runner.archive
        stray = JobId("f" * 32)
        artifacts.share(ended.id, stray)
        assert await archive.prune() == ()
        assert set(artifacts.stock()) == {ended.id, stray}
        nothing = replace(archive, retention=Retention(age=timedelta(0), size=0))
        assert set(await nothing.prune()) == {ended.id, stray}
        assert artifacts.stock() == {}
        states = [bench.view(job).state for job in (running, waiting)]
        assert states == [JobState.RUNNING, JobState.QUEUED]


@pytest.fixture
def cards(driver: "Driver", monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Have the driver tell of so many graphics cards, which PyTorch is said to compute on."""
    monkeypatch.setattr(nurseries, "can_use_cards", lambda *_: True)
    monkeypatch.setattr(nurseries, "_PROBES", {Framework.PYTORCH: "", Framework.TENSORFLOW: ""})
    return lambda count: driver(*(Card(f"GPU-{number}", "H100") for number in range(count)))


async def visible(bench: "Bench", job: JobId) -> str:
    lines = await bench.lines(job)
    return next(line for line in lines if line.startswith("CUDA_VISIBLE_DEVICES="))


async def test_each_card_is_a_slot_of_its_own(opened: Open, cards: Callable[[int], None]) -> None:
    cards(2)
    async with opened() as bench:
        holding = bench.submit("unruly", how="deaf")
        await bench.started(holding)
        second = await bench.end(bench.submit("unruly", how="environment"))
        assert await visible(bench, second.id) == "CUDA_VISIBLE_DEVICES=GPU-1"
        assert (second.device, bench.view(holding).device) == ("H100", "H100")


async def test_without_cards_a_job_sees_none(opened: Open, cards: Callable[[int], None]) -> None:
    cards(0)
    async with opened() as bench:
        view = await bench.end(bench.submit("unruly", how="environment"))
        assert await visible(bench, view.id) == "CUDA_VISIBLE_DEVICES=-1"
        assert view.device is not None
        assert view.device.startswith("cpu")


async def test_a_card_that_goes_away_fails_its_job_and_is_not_given_again(
    opened: Open, cards: Callable[[int], None]
) -> None:
    cards(2)
    async with opened() as bench:
        cards(1)
        view = await bench.end(bench.submit("unruly", how="lost"))
        assert view.failure is not None
        assert view.failure.reason is FailureReason.DEVICE
        holding = bench.submit("unruly", how="deaf")
        await bench.started(holding)
        waiting = bench.submit("unruly", how="environment")
        await asyncio.sleep(0.3)
        assert bench.view(waiting).state is JobState.QUEUED
        bench.runner.dispatcher.cancel(holding)
        assert (await bench.end(waiting)).state is JobState.SUCCEEDED


async def test_memory_that_ran_out_names_what_to_lower(bench: "Bench") -> None:
    view = await bench.end(bench.submit("unruly", how="full"))
    assert view.failure is not None
    assert view.failure.reason is FailureReason.MEMORY
    assert view.failure.message.endswith("Tried to allocate 20.00 GiB; lower `size`")
    smallest = await bench.end(bench.submit("unruly", how="hungry", size=1))
    assert smallest.failure is not None
    assert smallest.failure.message == "it used more than 256 MiB of memory"


async def test_processor_time_and_file_size_are_limited(bench: "Bench") -> None:
    limits = (await bench.end(bench.submit("unruly", how="limits"))).metrics
    assert 60 <= limits["processor_s"] <= 60 * 1_024
    assert limits["file_bytes"] == 2 * 1024**3
    view = await bench.end(bench.submit("unruly", how="spin"))
    assert view.failure is not None
    assert (view.failure.reason, view.failure.detail) == (FailureReason.LIMIT, "SIGXCPU")


async def test_where_forks_will_not_do_a_process_is_kept_ready(
    opened: Open, cards: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cards(1)
    refuses = {Framework.PYTORCH: "raise SystemExit(3)", Framework.TENSORFLOW: ""}
    monkeypatch.setattr(nurseries, "_PROBES", refuses)
    async with opened() as bench:
        views = [await bench.end(bench.submit("steady")) for _ in range(2)]
    assert [(view.state, view.birth) for view in views] == [
        (JobState.SUCCEEDED, Birth.KEPT_READY)
    ] * 2


async def test_a_process_kept_ready_is_as_good_as_a_forked_one(
    opened: Open, leftovers: Callable[[], list[str]]
) -> None:
    async with opened(runner_fork=False) as bench:
        view = await bench.end(bench.submit("steady", steps=4))
        assert (view.state, view.birth) == (JobState.SUCCEEDED, Birth.KEPT_READY)
        assert len(view.history) == 4
        job = bench.submit("unruly", how="family")
        await bench.started(job)
        bench.runner.dispatcher.cancel(job)
        assert (await bench.end(job)).state is JobState.CANCELLED
        abandoned = await bench.end(bench.submit("unruly", how="abandon"))
        assert abandoned.state is JobState.SUCCEEDED
    assert leftovers() == []

import asyncio
import contextlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import pytest_asyncio
from ray.cluster_utils import Cluster

import runners
from runners.catalogue import load_catalogue
from runners.jobs.engine import Capacity
from runners.jobs.ray_engine import room_of
from runners.jobs.workshop import open_runner
from runners.protocol.jobs import JobView
from runners.protocol.words import FailureReason, Framework, JobId, JobState
from runners.settings import RunnerSettings

if TYPE_CHECKING:
    from tests.runners.conftest import Bench, Program

on_the_nodes = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(runners.__file__).parents[1]
TRIALS = Path(__file__).parents[1]
STORE = 80 * 1024 * 1024


@dataclass
class Nodes:
    """A cluster of two nodes with a core each; the second one has a graphics card, too."""

    folder: Path
    cluster: Any = None

    def start(self) -> None:
        known = {"health_check_period_ms": 500, "health_check_failure_threshold": 3}
        options = {"num_cpus": 1, "object_store_memory": STORE, "include_dashboard": False}
        self.cluster = Cluster(
            initialize_head=True, head_node_args={**options, "_system_config": known}
        )
        self.cluster.add_node(**options, num_gpus=1)

    @property
    def address(self) -> str:
        return self.cluster.address

    def processes(self, words: str = "") -> list[psutil.Process]:
        """What attendants and their jobs are, on both nodes."""
        found: list[psutil.Process] = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.status() == psutil.STATUS_ZOMBIE:
                    continue
                command = " ".join(process.cmdline())
                ours = process.environ().get("TMPDIR") == str(self.folder)
                theirs = process.environ().get("HOME", "").startswith(str(self.folder))
                if (theirs or (ours and "runners.jobs" in command)) and words in command:
                    found.append(process)
        return found

    def attendants(self) -> list[psutil.Process]:
        return self.processes("runners.jobs.attendant")

    def of_jobs(self) -> list[Path]:
        """The files and folders of jobs."""
        return list(self.folder.glob("*/scratch/*")) + list(self.folder.glob("*/artifacts/*"))

    def leftovers(self) -> list[object]:
        return [*self.processes(), *self.folder.glob("xueban-*")]


def node_of(attendant: psutil.Process) -> int:
    """The process of Ray's that stands for the node."""
    place = attendant.parent()
    assert place is not None
    return place.ppid()


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    # the path of a socket in it has a limit of some hundred bytes
    nodes = Nodes(Path(tempfile.mkdtemp(prefix="nodes-")))
    card = Path(tempfile.mkdtemp(prefix="card-")) / "nvidia-smi"
    card.write_text("#!/bin/sh\necho 'GPU-a, H100'\n")
    card.chmod(card.stat().st_mode | stat.S_IEXEC)
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith("XUEBAN_"):
                patch.delenv(name)
        patch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        patch.setenv("TMPDIR", str(nodes.folder))
        patch.setenv("PATH", f"{card.parent}:{os.environ['PATH']}")
        patch.setenv("PYTHONPATH", f"{ROOT}:{TRIALS}")
        nodes.start()
    yield nodes
    nodes.cluster.shutdown()
    shutil.rmtree(nodes.folder)
    shutil.rmtree(card.parent)


def on(nodes: Nodes, data: Path) -> RunnerSettings:
    return RunnerSettings(
        data_dir=data,
        runner_engine="ray",
        ray_address=nodes.address,
        runner_slots=3,
        runner_preload=False,
        runner_memory_mb=256,
        runner_ask_grace_s=0.5,
        runner_terminate_grace_s=0.3,
        runner_walls="off",
    )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bench(nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator["Bench"]:
    """A runner in this process, whose jobs run on the nodes."""
    from tests.runners.conftest import Bench

    data = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TRIALS))
        trials = load_catalogue("trials")
    settings = on(nodes, data)
    async with open_runner(settings, trials, data / "jobs.db", data / "scratch") as runner:
        yield Bench(runner)
    assert nodes.leftovers() == []


async def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what it waits for happens in other processes
            await asyncio.sleep(0.02)


async def over(bench: "Bench", job: JobId) -> JobView:
    """The job's end, once its place has been given back, too."""
    view = await bench.end(job)
    await until(lambda: bench.runner.dispatcher.running == 0)
    return view


async def said_something(bench: "Bench", job: JobId) -> JobView:
    return await bench.until(job, lambda view: view.progress is not None)


def test_what_a_cluster_has_room_for() -> None:
    big = {"CPU": 7.0, "GPU": 2.0, "accelerator_type:H100": 1.0}
    nodes = [
        {"NodeID": "a", "Alive": True, "Resources": big},
        {"NodeID": "b", "Alive": True, "Resources": {"CPU": 3.0, "GPU": 1.0}},
        {"NodeID": "c", "Alive": False, "Resources": big},
    ]
    room = room_of(nodes, cpus=2, slots=None)
    assert (room.slots, room.together) == (4, 2)
    assert [card.name for card in room.cards] == ["H100", "H100", "GPU"]
    assert room_of(nodes, cpus=2, slots=9).slots == 9
    assert room_of([], cpus=1, slots=None) == Capacity(slots=1)


def test_a_cluster_that_is_not_there_is_one_clear_line(nodes: Nodes, program: "Program") -> None:
    program.settings = on(nodes, Path("data")).model_copy(update={"ray_address": "127.0.0.1:1"})
    program.variables = {"PYTHONPATH": f"{ROOT}:{TRIALS}"}
    assert program.start() == ""
    assert program.process is not None
    _, told = program.process.communicate(timeout=20)
    assert program.process.returncode == 2
    assert told.splitlines()[-1].startswith("runners: the Ray cluster cannot be reached: ")


def test_kill_9_of_the_runner_ends_its_jobs_and_sigterm_ends_it_truthfully(
    nodes: Nodes,
    tmp_path: Path,
    program: "Program",
    eventually: Callable[[Callable[[], bool]], None],
) -> None:
    from tests.runners.jobs.test_deaths import Remote

    program.settings = on(nodes, tmp_path / "data").model_copy(update={"runner_engine": "local"})
    program.variables = {"PYTHONPATH": f"{ROOT}:{TRIALS}"}
    remote = Remote(program)
    program.start("--engine", "ray")
    job = remote.submit("unruly", how="family")
    eventually(lambda: remote.view(job).progress is not None)
    program.kill()
    eventually(lambda: nodes.leftovers() == [])
    program.start("--engine", "ray")
    assert getattr(remote.events(job)[-1], "reason", None) == "lost"
    job = remote.submit("unruly", how="deaf")
    eventually(lambda: remote.view(job).progress is not None)
    assert program.stop() == 0
    eventually(lambda: nodes.leftovers() == [])


@on_the_nodes
async def test_a_job_reports_its_rows_results_and_picture(bench: "Bench", nodes: Nodes) -> None:
    job = bench.submit("steady", steps=4, seed=5)
    view = await over(bench, job)
    assert view.state is JobState.SUCCEEDED
    assert [(row.step, row.values) for row in view.history] == [
        (step, {"loss": 1 / step}) for step in (1, 2, 3, 4)
    ]
    assert view.metrics == {"final": 5.0}
    assert [figure.name for figure in view.figures] == ["curves.png"]
    assert bench.runner.artifacts.path(view.id, "curves.png").read_bytes().startswith(b"\x89PNG")
    assert view.device == "cpu (1 core)"
    assert view.versions["python"].startswith("3.")
    assert view.measured is not None
    assert view.measured.peak_memory_mb > 5
    events = await bench.events(job)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert [event.type for event in events[:2]] == ["queued", "started"]
    assert nodes.of_jobs() == []


@on_the_nodes
async def test_a_place_is_kept_for_the_next_job(bench: "Bench", nodes: Nodes) -> None:
    await over(bench, bench.submit("steady"))
    assert bench.runner.health().frameworks[Framework.PYTORCH] == "ready"
    [attendant] = nodes.attendants()
    began = time.monotonic()
    view = await over(bench, bench.submit("steady"))
    assert view.state is JobState.SUCCEEDED
    assert time.monotonic() - began < 5
    assert nodes.attendants() == [attendant]


@on_the_nodes
async def test_jobs_run_where_cores_are_free_and_others_wait_for_one(
    bench: "Bench", nodes: Nodes
) -> None:
    running = [bench.submit("unruly", how="deaf") for _ in range(2)]
    for job in running:
        await said_something(bench, job)
    assert len({node_of(each) for each in nodes.attendants()}) == 2
    waiting = [bench.submit("steady") for _ in range(2)]
    await asyncio.sleep(0.5)
    assert [bench.view(job).state for job in waiting] == [JobState.QUEUED] * 2
    bench.runner.dispatcher.cancel(waiting[0])
    assert (await bench.end(waiting[0])).state is JobState.CANCELLED
    for job in running:
        bench.runner.dispatcher.cancel(job)
        assert (await bench.end(job)).state is JobState.CANCELLED
    assert (await over(bench, waiting[1])).state is JobState.SUCCEEDED
    assert nodes.of_jobs() == []


@pytest.mark.parametrize("how", ["swallow", "stubborn"])
@on_the_nodes
async def test_cancel_ends_whatever_the_job_does_about_it(
    bench: "Bench", nodes: Nodes, how: str
) -> None:
    job = bench.submit("unruly", how=how)
    await said_something(bench, job)
    bench.runner.dispatcher.cancel(job)
    view = await over(bench, job)
    assert view.state is JobState.CANCELLED
    assert view.measured is not None
    assert nodes.of_jobs() == []


@on_the_nodes
async def test_a_job_over_its_wall_clock_limit_times_out(bench: "Bench") -> None:
    view = await bench.end(bench.submit("hasty"))
    assert view.state is JobState.TIMED_OUT
    assert view.measured is not None
    assert 0.5 <= view.measured.elapsed_s < 5


@on_the_nodes
async def test_a_job_over_its_memory_limit_fails_for_it(bench: "Bench") -> None:
    view = await bench.end(bench.submit("unruly", how="hungry"))
    assert view.failure is not None
    assert view.failure.reason is FailureReason.MEMORY
    assert view.measured is not None
    assert view.measured.peak_memory_mb > 256


@on_the_nodes
async def test_a_flood_of_reports_and_pictures_that_are_none_arrive_as_they_should(
    bench: "Bench",
) -> None:
    view = await bench.end(bench.submit("unruly", how="flood"))
    assert (view.state, len(view.history)) == (JobState.SUCCEEDED, 5_000)
    view = await bench.end(bench.submit("unruly", how="pictures"))
    assert view.figures == ()
    assert view.logs[0] == "text.png was not kept: it is no PNG picture"
    view = await bench.end(bench.submit("unruly", how="diverge"))
    assert view.metrics == {"final": float("inf")}


@on_the_nodes
async def test_a_job_gets_a_card_where_there_is_one_and_others_see_none(
    bench: "Bench", monkeypatch: pytest.MonkeyPatch
) -> None:
    without = bench.submit("unruly", how="environment")
    await bench.end(without)
    assert "CUDA_VISIBLE_DEVICES=-1" in await bench.lines(without)
    monkeypatch.setattr(bench.runner.engine, "able", frozenset({Framework.PYTORCH}))
    job = bench.submit("unruly", how="environment")
    assert (await bench.end(job)).device == "H100"
    assert "CUDA_VISIBLE_DEVICES=GPU-a" in await bench.lines(job)


@on_the_nodes
async def test_a_place_whose_attendant_died_is_replaced(bench: "Bench", nodes: Nodes) -> None:
    await over(bench, bench.submit("steady"))
    for attendant in nodes.attendants():
        attendant.kill()
    assert (await bench.end(bench.submit("steady"))).state is JobState.SUCCEEDED


@on_the_nodes
async def test_an_attendant_that_dies_takes_its_job_with_it_and_all_that_it_left(
    bench: "Bench", nodes: Nodes
) -> None:
    job = bench.submit("unruly", how="family")
    await said_something(bench, job)
    [folder] = nodes.of_jobs()
    family = [each for each in nodes.processes() if "time.sleep(600)" in each.cmdline()[-1]]
    assert len(family) == 2
    for attendant in nodes.attendants():
        attendant.kill()
    view = await bench.end(job)
    assert view.failure is not None
    assert view.failure.reason is FailureReason.LOST
    assert view.failure.message == "its attendant ended while it ran"
    await until(lambda: not folder.parents[1].exists())
    await until(lambda: not [each for each in nodes.processes() if each in family])


@on_the_nodes
async def test_a_node_that_dies_is_told_and_the_next_job_runs_on_another(
    bench: "Bench", nodes: Nodes
) -> None:
    jobs = [bench.submit("unruly", how="deaf") for _ in range(2)]
    for job in jobs:
        await said_something(bench, job)
    waiting = bench.submit("steady")
    [second] = nodes.cluster.worker_nodes
    before = len(nodes.attendants())
    await asyncio.to_thread(nodes.cluster.remove_node, second, allow_graceful=False)
    await until(lambda: any(bench.view(job).state.final for job in jobs))
    [lost] = [job for job in jobs if bench.view(job).state.final]
    [left] = [job for job in jobs if job != lost]
    failure = bench.view(lost).failure
    assert failure is not None
    assert failure.reason is FailureReason.LOST
    assert failure.message == "the node was lost while it ran on it"
    await until(lambda: len(nodes.attendants()) < before)
    assert bench.view(left).state is JobState.RUNNING
    bench.runner.dispatcher.cancel(left)
    assert (await bench.end(left)).state is JobState.CANCELLED
    assert (await over(bench, waiting)).state is JobState.SUCCEEDED
    await bench.runner.dispatcher.look_again()
    assert nodes.of_jobs() == []

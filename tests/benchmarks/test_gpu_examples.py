import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.gpu_examples import run_examples, run_watched
from benchmarks.gpu_memory import (
    CardGauge,
    CardMemory,
    memory_of_cards,
    memory_of_processes,
    used_of,
)
from runners.catalogue import Catalogue, load_catalogue
from runners.jobs.cards import Card
from runners.jobs.workshop import open_runner
from runners.protocol.jobs import Submission
from runners.protocol.words import JobState
from runners.settings import RunnerSettings

CARD = Card("GPU-a1", "NVIDIA H100 80GB HBM3")


def test_memory_is_read_by_process_and_by_card() -> None:
    told = "4711, 512\n4711, 1024\n 12 ,  300\n13, [N/A]\n\nNo devices were found\n"
    assert memory_of_processes(told) == {4711: 1536, 12: 300}
    cards = memory_of_cards("GPU-a1, 1500\nGPU-b2, 3\nGPU-c3, [Not Supported]\n")
    assert cards == {"GPU-a1": 1500, "GPU-b2": 3}
    assert used_of(["GPU-b2"], cards) == 3
    assert used_of(["MIG-d4"], cards) == 1503
    assert used_of(["GPU-b2"], {}) is None


@dataclass(frozen=True, slots=True)
class Driver:
    """A program in place of nvidia-smi, and the files that it reads its answers from."""

    folder: Path

    def say(self, *, processes: str, used: int) -> None:
        (self.folder / "processes").write_text(processes)
        (self.folder / "used").write_text(f"{CARD.id}, {used}\n")


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    folder = tmp_path / "driver"
    folder.mkdir()
    program = folder / "nvidia-smi"
    program.write_text(
        f"""#!/bin/sh
case "$1" in
  --query-compute-apps=*) . {folder}/processes ;;
  --query-gpu=uuid,memory.used) cat {folder}/used ;;
  *) echo '{CARD.id}, {CARD.name}' ;;
esac
"""
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    driver = Driver(folder)
    driver.say(processes="", used=0)
    return driver


async def test_what_a_job_holds_is_what_its_own_processes_hold(driver: Driver) -> None:
    gauge = CardGauge([CARD])
    driver.say(processes="", used=100)
    await gauge.begin()
    for held in (300, 700, 500):
        driver.say(processes=f"echo '1, 9000'; echo '{os.getpid()}, {held}'", used=9000 + held)
        await gauge.sample(os.getpid())
    assert gauge.peak == CardMemory(700, of_job=True)


async def test_where_no_process_is_listed_it_is_what_the_card_has_in_use_more(
    driver: Driver,
) -> None:
    gauge = CardGauge([CARD])
    driver.say(processes="", used=1500)
    await gauge.begin()
    for used in (1400, 2100, 1900):
        driver.say(processes="", used=used)
        await gauge.sample(os.getpid())
    assert gauge.peak == CardMemory(600, of_job=False)


async def test_where_nobody_tells_there_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    gauge = CardGauge([CARD])
    await gauge.begin()
    await gauge.sample(os.getpid())
    assert gauge.peak is None


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Catalogue:
    folder = Path(__file__).parents[1] / "runners"
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.chdir(tmp_path)
    return load_catalogue("trials")


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RunnerSettings:
    for name in os.environ:
        if name.startswith("XUEBAN_"):
            monkeypatch.delenv(name)
    return RunnerSettings(
        data_dir=tmp_path / "data", runner_preload=False, runner_walls="off", runner_memory_mb=256
    )


async def test_a_run_is_watched_until_its_end(
    driver: Driver, trials: Catalogue, settings: RunnerSettings, tmp_path: Path
) -> None:
    every = 'for each in /proc/[0-9]*; do echo "${each#/proc/}, 100"; done'
    driver.say(processes=every, used=0)
    async with open_runner(settings, trials, tmp_path / "jobs.db", tmp_path / "scratch") as runner:
        slow = Submission(example="steady", parameters={"steps": 5, "pause_ms": 200})
        ran = await run_watched(runner, slow)
    assert ran.run.view.state is JobState.SUCCEEDED
    assert ran.run.share_shown == "1 of 1"
    assert [each.text("en") for each in ran.run.found] == ["final 0 ≤ 9"]
    assert ran.card == CardMemory(100, of_job=True)


@pytest.mark.usefixtures("driver")
async def test_examples_run_one_after_the_other_and_leave_nothing(
    trials: Catalogue, settings: RunnerSettings
) -> None:
    ran = await run_examples(settings, trials, ["steady", "steady"])
    first, second = (each.run.view for each in ran)
    assert {first.state, second.state} == {JobState.SUCCEEDED}
    assert first.ended_at is not None
    assert second.started_at is not None
    assert first.ended_at <= second.started_at
    assert not settings.data_dir.exists()

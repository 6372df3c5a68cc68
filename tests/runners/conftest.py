import asyncio
import contextlib
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from runners.catalogue import Catalogue, load_catalogue
from runners.jobs.cards import Card
from runners.jobs.workshop import Runner, open_runner
from runners.protocol.catalogue import ParameterValue
from runners.protocol.events import Event
from runners.protocol.jobs import JobView, Submission
from runners.protocol.words import JobId
from runners.settings import RunnerSettings

TRIALS = Path(__file__).parent


@pytest.fixture(autouse=True)
def _no_settings_of_mine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("XUEBAN_"):
            monkeypatch.delenv(name)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    """The catalogue of the trial examples."""
    monkeypatch.syspath_prepend(str(TRIALS))
    monkeypatch.setenv("PYTHONPATH", str(TRIALS))
    return load_catalogue("trials")


@pytest.fixture
def settings(tmp_path: Path) -> RunnerSettings:
    """Settings under which a trial starts quickly and ends quickly."""
    return RunnerSettings(
        data_dir=tmp_path / "data",
        runner_preload=False,
        runner_memory_mb=256,
        runner_ask_grace_s=0.5,
        runner_terminate_grace_s=0.3,
        runner_walls="off",
    )


@pytest.fixture
def leftovers(settings: RunnerSettings) -> Callable[[], list[str]]:
    """What jobs and their nurseries left behind: processes and scratch folders."""

    def find() -> list[str]:
        home = str(settings.data_dir / "cache")
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if (
                    process.status() != psutil.STATUS_ZOMBIE
                    and process.environ().get("HOME") == home
                ):
                    found.append(" ".join(process.cmdline()))
        return found + [str(scratch) for scratch in settings.data_dir.glob("**/scratch/*")]

    return find


Driver = Callable[..., None]


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """Has a program in place of nvidia-smi tell of the cards given, and fail without any."""
    program = tmp_path / "driver" / "nvidia-smi"
    program.parent.mkdir()

    def tell(*cards: Card) -> None:
        lines = "".join(f"echo '{card.id}, {card.name}'\n" for card in cards)
        program.write_text(f"#!/bin/sh\n{lines or 'exit 9'}\n")
        program.chmod(program.stat().st_mode | stat.S_IEXEC)

    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return tell


class Bench:
    """An open runner and what tests do with it."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner

    def submit(self, example: str, **parameters: ParameterValue) -> JobId:
        view, _ = self.runner.dispatcher.submit(Submission(example=example, parameters=parameters))
        return view.id

    def view(self, job_id: JobId) -> JobView:
        return self.runner.journal.view(job_id)

    async def until(self, job_id: JobId, reached: Callable[[JobView], bool]) -> JobView:
        async with asyncio.timeout(60):
            view = self.view(job_id)
            while not reached(view):
                await asyncio.sleep(0.01)
                view = self.view(job_id)
        return view

    async def started(self, job_id: JobId) -> int:
        """The id of the job's process once it said something."""
        await self.until(job_id, lambda view: view.progress is not None)
        trace = self.runner.journal.trace(job_id)
        assert trace is not None
        return trace.pid

    async def end(self, job_id: JobId) -> JobView:
        return await self.until(job_id, lambda view: view.state.final)

    async def events(self, job_id: JobId) -> list[Event]:
        """All that happened to a job, once it has ended."""
        return [
            event
            async for batch in self.runner.journal.follow(job_id, 0, 5)
            if isinstance(batch, tuple)
            for event in batch
        ]

    async def lines(self, job_id: JobId) -> list[str]:
        """All lines that a job leaves, once it has ended."""
        return [event.text for event in await self.events(job_id) if event.type == "log"]


@pytest.fixture
async def bench(settings: RunnerSettings, trials: Catalogue) -> AsyncIterator[Bench]:
    """A runner in this process."""
    folder = settings.data_dir / "runner"
    async with open_runner(settings, trials, folder / "jobs.db", folder / "scratch") as runner:
        yield Bench(runner)


class Program:
    """A runner program in a process of its own."""

    def __init__(self, settings: RunnerSettings, **variables: str) -> None:
        self.settings = settings
        self.variables = variables
        self.address = ""
        self.process: subprocess.Popen[str] | None = None

    def start(self, *options: str) -> str:
        values = self.settings.model_dump(exclude_none=True)
        environment = {f"XUEBAN_{name.upper()}": str(value) for name, value in values.items()}
        command = [sys.executable, "-m", "runners", "serve", "--examples", "trials"]
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [*command, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment, **self.variables},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.address = json.loads(line)["listening"] if line else ""
        return self.address

    def kill(self) -> None:
        """Kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    def stop(self) -> int:
        """Have it end, unless it did by itself; its exit status."""
        assert self.process is not None
        if self.address:
            self.process.terminate()
        self.process.communicate(timeout=20)
        return self.process.returncode


@pytest.fixture
def program(settings: RunnerSettings, trials: Catalogue) -> Iterator[Program]:
    """A runner program, not started yet."""
    del trials
    program = Program(settings)
    yield program
    if program.process is not None and program.process.poll() is None:
        program.kill()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait until something holds."""

    def wait(holds: Callable[[], bool], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "it never came to hold"
            time.sleep(0.02)

    return wait

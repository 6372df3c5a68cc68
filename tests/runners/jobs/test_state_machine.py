"""Submit, cancel, kill and restart in any order: what must hold of every job holds."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psutil
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from runners.protocol.events import EVENT, Event, Failed, Terminal
from runners.settings import RunnerSettings

if TYPE_CHECKING:
    from tests.runners.conftest import Program

Kind = Literal["quick", "slow", "deaf", "stubborn", "raise", "exit"]
KINDS: dict[Kind, dict[str, Any]] = {
    "quick": {"example": "steady", "parameters": {"steps": 3}},
    "slow": {"example": "steady", "parameters": {"steps": 40, "pause_ms": 20}},
    "deaf": {"example": "unruly", "parameters": {"how": "deaf"}},
    "stubborn": {"example": "unruly", "parameters": {"how": "stubborn"}},
    "raise": {"example": "unruly", "parameters": {"how": "raise"}},
    "exit": {"example": "unruly", "parameters": {"how": "exit"}},
}
OWN_ENDS: dict[Kind, set[str]] = {
    "quick": {"succeeded"},
    "slow": {"succeeded"},
    "deaf": set(),
    "stubborn": set(),
    "raise": {"failed error"},
    "exit": {"failed killed"},
}


@dataclass
class Submitted:
    kind: Kind
    key: str
    ends: set[str]
    seen: list[Event] = field(default_factory=list[Event])


LIVES = int(os.environ.get("XUEBAN_LIVES", "6"))  # read now: no test sees such settings

NUMBERS = st.integers(0, 99)
"""Which one of the jobs or processes there are: how many is not for what is drawn to depend on."""


class Lives(RuleBasedStateMachine):
    """One runner program after another on one data folder."""

    def __init__(self, make: Callable[..., "Program"]) -> None:
        super().__init__()
        self.make = make
        self.folder = Path(tempfile.mkdtemp(prefix="lives-"))
        self.short = self.folder / "tmp"
        self.short.mkdir()
        self.jobs: dict[str, Submitted] = {}

    @initialize(fork=st.booleans(), walls=st.booleans())
    def begin(self, fork: bool, walls: bool) -> None:  # noqa: FBT001 - drawn, not chosen
        settings = RunnerSettings(
            data_dir=self.folder / "data",
            runner_preload=False,
            runner_fork=fork,
            runner_walls="auto" if walls else "off",
            runner_slots=2,
            runner_ask_grace_s=0.2,
            runner_terminate_grace_s=0.2,
        )
        self.program = self.make(settings, TMPDIR=str(self.short))
        assert self.program.start()

    @rule(kind=st.sampled_from(sorted(KINDS)))
    def submit(self, kind: Kind) -> None:
        key = f"key {len(self.jobs)}"
        job = self.ask("/jobs", {**KINDS[kind], "key": key})["id"]
        assert job not in self.jobs
        self.jobs[job] = Submitted(kind, key, set(OWN_ENDS[kind]))

    @precondition(lambda self: self.jobs)
    @rule(number=NUMBERS)
    def submit_again(self, number: int) -> None:
        job = self.choose(number)
        body = {**KINDS[self.jobs[job].kind], "key": self.jobs[job].key}
        assert self.ask("/jobs", body)["id"] == job

    @precondition(lambda self: self.jobs)
    @rule(number=NUMBERS)
    def cancel(self, number: int) -> None:
        job = self.choose(number)
        self.jobs[job].ends.add("cancelled")
        self.ask(f"/jobs/{job}/cancel", {})

    @precondition(lambda self: self.jobs)
    @rule(number=NUMBERS)
    def kill_a_process(self, number: int) -> None:
        job = self.choose(number)
        row = self.query("SELECT pid, state FROM jobs WHERE id = ?", job)
        if row is not None and row[0] is not None and row[1] == "running":
            self.jobs[job].ends.add("failed killed")
            with contextlib.suppress(ProcessLookupError):
                os.kill(row[0], signal.SIGKILL)

    @precondition(lambda self: self.jobs)
    @rule(number=NUMBERS)
    def kill_any_process_of_its_own(self, number: int) -> None:
        """The walls, the nursery, the forkserver, one that is kept ready, a job's or its child."""
        for submitted in self.jobs.values():
            submitted.ends.add("failed killed")
        if family := self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                family[number % len(family)].kill()

    @rule()
    def kill_the_runner(self) -> None:
        self.expect_losses()
        self.program.kill()
        assert self.program.start()

    @rule()
    def restart_the_runner(self) -> None:
        self.expect_losses()
        assert self.program.stop() == 0
        assert self.processes() == []
        assert self.program.start()

    @precondition(lambda self: self.jobs)
    @rule(number=NUMBERS)
    def read_on(self, number: int) -> None:
        """A follower that comes back gets what it has not seen, each event once."""
        job = self.choose(number)
        seen = self.jobs[job].seen
        with contextlib.suppress(TimeoutError):
            for event in self.stream(job, after=len(seen), seconds=0.2):
                seen.append(event)
        assert [event.sequence for event in seen] == list(range(1, len(seen) + 1))

    @rule(seconds=st.sampled_from([0.05, 0.3]))
    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def teardown(self) -> None:
        try:
            for job, submitted in self.jobs.items():
                if not OWN_ENDS[submitted.kind]:
                    submitted.ends.add("cancelled")
                    self.ask(f"/jobs/{job}/cancel", {})
            for job, submitted in self.jobs.items():
                self.check(job, submitted)
            assert self.program.stop() == 0
            assert self.processes() == []
            assert list((self.folder / "data" / "runner").glob("scratch/*")) == []
            assert list(self.short.iterdir()) == []
        finally:
            if self.program.process is not None and self.program.process.poll() is None:
                self.program.kill()
            shutil.rmtree(self.folder)

    def check(self, job: str, submitted: Submitted) -> None:
        events = list(self.stream(job, after=0, seconds=60))
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert [isinstance(event, Terminal) for event in events].count(True) == 1
        assert events[: len(submitted.seen)] == submitted.seen
        end = events[-1]
        told = f"failed {end.reason}" if isinstance(end, Failed) else end.type
        assert told in submitted.ends

    def choose(self, number: int) -> str:
        return list(self.jobs)[number % len(self.jobs)]

    def expect_losses(self) -> None:
        for submitted in self.jobs.values():
            submitted.ends.add("failed lost")

    def ask(self, path: str, body: object) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - on loopback
            self.program.address + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - on loopback
            return json.loads(answer.read())

    def stream(self, job: str, *, after: int, seconds: float) -> "list[Event]":
        address = f"{self.program.address}/jobs/{job}/events?after={after}"
        events: list[Event] = []
        with (
            contextlib.suppress(TimeoutError),
            urllib.request.urlopen(address, timeout=seconds) as lines,  # noqa: S310 - on loopback
        ):
            events.extend(EVENT.validate_json(line) for line in lines if line.strip())
        return events

    def query(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        path = self.folder / "data" / "runner" / "jobs.db"
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return connection.execute(sql, values).fetchone()

    def family(self) -> list[psutil.Process]:
        home = str(self.folder / "data" / "cache")
        found: list[psutil.Process] = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("HOME") == home:
                    found.append(process)
        return found

    def processes(self) -> list[str]:
        found: list[str] = []
        for process in self.family():
            with contextlib.suppress(psutil.Error):
                found.append(" ".join(process.cmdline()))
        return found


def test_every_job_has_one_true_end_whatever_happens(program: "Program") -> None:
    class TheseLives(Lives):
        def __init__(self) -> None:
            super().__init__(type(program))

    run_state_machine_as_test(
        TheseLives,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
            phases=(Phase.explicit, Phase.generate),
            database=None,
        ),
    )

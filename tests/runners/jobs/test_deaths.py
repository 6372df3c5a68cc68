import json
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING

import psutil
import pytest

from runners.protocol.events import EVENT, Event
from runners.protocol.jobs import JobView
from runners.settings import RunnerSettings
from tests.runners.bubblewrap import need_walls

if TYPE_CHECKING:
    from tests.runners.conftest import Program

Eventually = Callable[[Callable[[], bool]], None]
Leftovers = Callable[[], list[str]]


class Remote:
    """A runner program, asked over HTTP."""

    def __init__(self, program: "Program") -> None:
        self.program = program

    def ask(self, path: str, body: object = None, method: str = "GET") -> bytes:
        request = urllib.request.Request(  # noqa: S310 - on loopback
            self.program.address + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - on loopback
            return answer.read()

    def submit(self, example: str, **parameters: object) -> str:
        body = {"example": example, "parameters": parameters}
        return json.loads(self.ask("/jobs", body, "POST"))["id"]

    def view(self, job: str) -> JobView:
        return JobView.model_validate_json(self.ask(f"/jobs/{job}"))

    def cancel(self, job: str) -> None:
        self.ask(f"/jobs/{job}/cancel", {}, "POST")

    def events(self, job: str, after: int = 0) -> list[Event]:
        lines = self.ask(f"/jobs/{job}/events?after={after}").splitlines()
        return [EVENT.validate_json(line) for line in lines if line]

    def process_of(self, job: str) -> int:
        path = self.program.settings.data_dir / "runner" / "jobs.db"
        connection = sqlite3.connect(path)
        row = connection.execute("SELECT pid FROM jobs WHERE id = ?", (job,)).fetchone()
        connection.close()
        return row[0]


behind_walls_too = pytest.mark.parametrize("settings", ["off", "required"], indirect=True)


@pytest.fixture
def settings(settings: RunnerSettings, request: pytest.FixtureRequest) -> RunnerSettings:
    """Without walls, or as a test is marked."""
    walls = getattr(request, "param", "off")
    if walls == "required":
        need_walls()
    return settings.model_copy(update={"runner_walls": walls})


@pytest.fixture
def remote(program: "Program") -> Remote:
    return Remote(program)


def check_events(events: list[Event]) -> None:
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    ends = [event.type in ("succeeded", "failed", "cancelled", "timed_out") for event in events]
    assert ends == [False] * (len(events) - 1) + [True]


@behind_walls_too
def test_kill_9_of_the_runner_ends_its_jobs_and_the_next_one_says_so(
    remote: Remote, eventually: Eventually, leftovers: Leftovers
) -> None:
    remote.program.start()
    running = remote.submit("unruly", how="stubborn")
    waiting = remote.submit("steady")
    eventually(lambda: remote.view(running).progress is not None)
    remote.program.kill()
    eventually(lambda: not [left for left in leftovers() if "scratch" not in left])

    remote.program.start()
    lost = remote.events(running)
    check_events(lost)
    assert (lost[-1].type, getattr(lost[-1], "reason", None)) == ("failed", "lost")
    went_on = remote.events(waiting)
    check_events(went_on)
    assert went_on[-1].type == "succeeded"
    assert remote.program.stop() == 0
    assert leftovers() == []


def test_a_follower_goes_on_where_it_was_after_kill_9_of_the_runner(
    remote: Remote, eventually: Eventually
) -> None:
    remote.program.start()
    job = remote.submit("steady", steps=1_000, pause_ms=20)
    eventually(lambda: len(remote.view(job).history) > 3)
    seen = remote.view(job).sequence
    remote.program.kill()
    remote.program.start()
    rest = remote.events(job, after=seen)
    assert rest[0].sequence == seen + 1
    assert rest[-1].type == "failed"


@behind_walls_too
def test_kill_9_of_a_nursery_ends_its_job_and_the_next_one_runs(
    remote: Remote, eventually: Eventually
) -> None:
    remote.program.start()
    job = remote.submit("unruly", how="deaf")
    eventually(lambda: remote.view(job).progress is not None)
    assert remote.program.process is not None
    [nursery] = psutil.Process(remote.program.process.pid).children()
    nursery.kill()
    events = remote.events(job)
    check_events(events)
    assert getattr(events[-1], "reason", None) == "killed"
    assert remote.events(remote.submit("steady"))[-1].type == "succeeded"


@behind_walls_too
def test_kill_9_of_the_forkserver_ends_its_job_and_the_next_one_runs(
    remote: Remote, eventually: Eventually
) -> None:
    remote.program.start()
    job = remote.submit("unruly", how="deaf")
    eventually(lambda: remote.view(job).progress is not None)
    forkserver = psutil.Process(remote.process_of(job)).parent()
    assert forkserver is not None
    forkserver.kill()
    events = remote.events(job)
    check_events(events)
    assert getattr(events[-1], "reason", None) == "killed"
    assert remote.events(remote.submit("steady"))[-1].type == "succeeded"


@behind_walls_too
def test_sigterm_ends_the_runner_truthfully(
    remote: Remote, eventually: Eventually, leftovers: Leftovers
) -> None:
    remote.program.start()
    running = remote.submit("unruly", how="stubborn")
    waiting = remote.submit("steady")
    eventually(lambda: remote.view(running).progress is not None)
    assert remote.program.process is not None
    remote.program.process.send_signal(signal.SIGTERM)
    remote.program.process.communicate(timeout=20)
    assert remote.program.process.returncode == 0
    assert leftovers() == []
    remote.program.start()
    events = remote.events(running)
    check_events(events)
    assert getattr(events[-1], "reason", None) == "lost"
    assert remote.events(waiting)[-1].type == "succeeded"


def test_a_process_that_took_over_the_number_of_a_lost_one_is_left_alone(
    remote: Remote, eventually: Eventually
) -> None:
    remote.program.start()
    job = remote.submit("unruly", how="deaf")
    eventually(lambda: remote.view(job).progress is not None)
    remote.program.kill()
    bystander = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    path = remote.program.settings.data_dir / "runner" / "jobs.db"
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE jobs SET pid = ?", (bystander.pid,))
    connection.close()
    remote.program.start()
    assert getattr(remote.events(job)[-1], "reason", None) == "lost"
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_two_runners_do_not_share_a_data_folder(
    program: "Program", settings: RunnerSettings
) -> None:
    program.start()
    second = type(program)(settings)
    assert second.start() == ""
    assert second.process is not None
    assert second.process.stderr is not None
    complaint = second.process.stderr.read()
    assert second.stop() == 2
    assert program.process is not None
    assert f"another runner program (process {program.process.pid}) works in" in complaint
    assert "Traceback" not in complaint


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"XUEBAN_RUNNER_HOST": "0.0.0.0"}, "set XUEBAN_RUNNER_TOKEN as well"),  # noqa: S104 - refused
        ({"XUEBAN_RUNNER_PORT": "0x50"}, "XUEBAN_RUNNER_PORT is wrong"),
        ({"XUEBAN_RUNNER_HOST": "203.0.113.1", "XUEBAN_RUNNER_TOKEN": "x"}, "cannot listen on"),
    ],
)
def test_a_runner_that_may_not_listen_says_why_in_one_line(
    program: "Program", settings: RunnerSettings, variables: dict[str, str], complaint: str
) -> None:
    program = type(program)(settings, **variables)
    assert program.start() == ""
    assert program.process is not None
    assert program.process.stderr is not None
    told = program.process.stderr.read()
    assert program.stop() == 2
    assert complaint in told.splitlines()[-1]
    assert "Traceback" not in told


def test_it_says_once_where_it_listens_and_nothing_else(remote: Remote) -> None:
    remote.program.start()
    remote.events(remote.submit("unruly", how="chatty"))
    assert remote.program.process is not None
    remote.program.process.terminate()
    told, _ = remote.program.process.communicate(timeout=20)
    assert told == ""
    assert remote.program.process.returncode == 0


def test_memory_of_the_runner_does_not_grow_with_what_a_job_prints(remote: Remote) -> None:
    remote.program.start()
    assert remote.program.process is not None
    runner = psutil.Process(remote.program.process.pid)
    remote.events(remote.submit("steady"))
    before = runner.memory_info().rss
    remote.events(remote.submit("unruly", how="chatty"))
    remote.events(remote.submit("unruly", how="giant"))
    assert runner.memory_info().rss - before < 32 * 1024**2


@behind_walls_too
def test_kill_9_of_the_runner_ends_a_whole_family(
    remote: Remote, eventually: Eventually, leftovers: Leftovers
) -> None:
    remote.program.start()
    job = remote.submit("unruly", how="family")
    eventually(lambda: remote.view(job).progress is not None)
    assert len([left for left in leftovers() if "time.sleep(600)" in left]) == 2
    remote.program.kill()
    eventually(lambda: not [left for left in leftovers() if "scratch" not in left])


@behind_walls_too
def test_what_a_job_started_and_left_behind_ends_after_it(
    remote: Remote, eventually: Eventually, leftovers: Leftovers
) -> None:
    remote.program.start()
    assert remote.events(remote.submit("unruly", how="abandon"))[-1].type == "succeeded"
    eventually(lambda: not [left for left in leftovers() if "time.sleep(600)" in left])
    assert remote.events(remote.submit("steady"))[-1].type == "succeeded"


def test_a_runner_that_starts_forgets_what_is_too_old(
    settings: RunnerSettings, program: "Program", eventually: Eventually
) -> None:
    forgetful = Remote(type(program)(settings.model_copy(update={"runner_keep_days": 1e-9})))
    forgetful.program.start()
    job = forgetful.submit("steady")
    assert forgetful.events(job)[-1].type == "succeeded"
    picture = settings.data_dir / "artifacts" / job / "curves.png"
    assert picture.exists()
    assert forgetful.program.stop() == 0
    forgetful.program.start()
    eventually(lambda: not picture.exists())
    with pytest.raises(urllib.error.HTTPError, match="404"):
        forgetful.view(job)
    assert forgetful.program.stop() == 0

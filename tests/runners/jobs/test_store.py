import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runners.errors import RunnerSettingsError, UnknownJobError
from runners.jobs.store import _STEPS, Job, JobStore, ProcessTrace
from runners.protocol.events import Cancelled, Event, Log, Measured, Queued, Succeeded
from runners.protocol.jobs import fold
from runners.protocol.words import Framework, JobId, JobState

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
FIRST = Queued(sequence=1, at=AT, position=1)
END = Cancelled(sequence=2, at=AT)


def new_job(letter: str, key: str | None = None) -> Job:
    return Job(
        id=JobId(letter * 32),
        example="steady",
        framework=Framework.PYTORCH,
        parameters={"epochs": 3, "rate": 0.5, "augment": True, "optimizer": "sgd"},
        seed=7,
        submitted_at=AT,
        key=key,
        learner="小明",
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
def store(path: Path):  # noqa: ANN201 - a fixture's type is its value's
    store = JobStore.open(path)
    yield store
    store.close()


def append(store: JobStore, job_id: JobId, *events: Event) -> None:
    view = store.view(job_id)
    for event in events:
        view = fold(view, event)
    store.append([(view, events)])


def test_jobs_and_events_are_there_after_opening_again(path: Path, store: JobStore) -> None:
    job = new_job("a", key="k")
    store.add(job, [FIRST])
    append(store, job.id, Log(sequence=2, at=AT, text="你好"))
    store.close()
    again = JobStore.open(path)
    assert again.job(job.id) == job
    assert again.job_with_key("k") == job
    assert again.events(job.id) == (FIRST, Log(sequence=2, at=AT, text="你好"))
    assert again.view(job.id).logs == ("你好",)
    again.close()


def test_a_key_is_taken_once(store: JobStore) -> None:
    store.add(new_job("a", key="k"), [FIRST])
    with pytest.raises(sqlite3.IntegrityError):
        store.add(new_job("b", key="k"), [FIRST])
    with pytest.raises(UnknownJobError):
        store.job(JobId("b" * 32))


def test_a_second_end_is_refused_by_the_database(store: JobStore) -> None:
    job = new_job("a")
    store.add(job, [FIRST])
    append(store, job.id, END)
    measured = Measured(elapsed_s=1, peak_memory_mb=1)
    with pytest.raises(sqlite3.IntegrityError, match="ended already"):
        append(store, job.id, Succeeded(sequence=3, at=AT, measured=measured))
    assert store.view(job.id).state is JobState.CANCELLED


def test_nothing_comes_after_the_end(store: JobStore) -> None:
    job = new_job("a")
    store.add(job, [FIRST])
    append(store, job.id, END)
    with pytest.raises(sqlite3.IntegrityError):
        append(store, job.id, Log(sequence=3, at=AT, text="late"))


@pytest.mark.parametrize("sequence", [1, 3])
def test_sequence_numbers_rise_by_one(store: JobStore, sequence: int) -> None:
    job = new_job("a")
    store.add(job, [FIRST])
    with pytest.raises(sqlite3.IntegrityError):
        append_raw(store, job, Log(sequence=sequence, at=AT, text="x"))
    assert store.events(job.id) == (FIRST,)


def append_raw(store: JobStore, job: Job, event: Event) -> None:
    store.append([(store.view(job.id), [event])])


def test_events_of_several_jobs_are_kept_all_or_none(store: JobStore) -> None:
    first, second = new_job("a"), new_job("b")
    store.add(first, [FIRST])
    store.add(second, [FIRST])
    good = (store.view(first.id), [Log(sequence=2, at=AT, text="x")])
    bad = (store.view(second.id), [Log(sequence=9, at=AT, text="x")])
    with pytest.raises(sqlite3.IntegrityError):
        store.append([good, bad])
    assert store.events(first.id) == (FIRST,)


def test_jobs_are_listed_by_state_in_order_and_newest_first(store: JobStore) -> None:
    for letter in "abc":
        store.add(new_job(letter), [FIRST])
    append(store, JobId("b" * 32), END)
    assert [job.id[0] for job in store.jobs_in(JobState.QUEUED)] == ["a", "c"]
    assert [job.id[0] for job in store.jobs_in(JobState.CANCELLED)] == ["b"]
    assert [job_id[0] for job_id in store.recent(2)] == ["c", "b"]


def test_the_process_of_a_job_is_remembered(store: JobStore) -> None:
    job = new_job("a")
    store.add(job, [FIRST])
    assert store.trace(job.id) is None
    store.append([(store.view(job.id), [])], ProcessTrace(12, 3.5))
    assert store.trace(job.id) == ProcessTrace(12, 3.5)


def test_events_are_read_after_a_number_and_in_pages(store: JobStore) -> None:
    job = new_job("a")
    logs = [Log(sequence=number, at=AT, text=str(number)) for number in range(2, 8)]
    store.add(job, [FIRST, *logs])
    assert [event.sequence for event in store.events(job.id, after=3, limit=2)] == [4, 5]
    assert store.view(job.id).sequence == 7


def test_a_store_of_another_version_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RunnerSettingsError, match="schema 99"):
        JobStore.open(path)


def test_a_file_that_is_no_store_is_refused_in_one_line(path: Path) -> None:
    path.write_text("this is no database, however long it may be " * 50)
    with pytest.raises(RunnerSettingsError, match="is no job store"):
        JobStore.open(path)


def test_a_store_of_the_first_version_is_carried_over(path: Path) -> None:
    old = sqlite3.connect(path)
    old.executescript(f"{_STEPS[0]} PRAGMA user_version = 1;")
    old.execute(
        "INSERT INTO jobs (id, example, framework, parameters, seed, submitted_at, state)"
        " VALUES (?, 'steady', 'pytorch', '{}', 0, ?, 'queued')",
        ("a" * 32, AT.isoformat()),
    )
    old.commit()
    old.close()
    store = JobStore.open(path)
    assert store.job(JobId("a" * 32)).fingerprint == ""
    assert [job.id[0] for job in store.jobs_in(JobState.QUEUED)] == ["a"]
    store.close()


def test_jobs_that_have_not_ended_are_not_forgotten(store: JobStore) -> None:
    for letter in "ab":
        store.add(new_job(letter), [FIRST])
    append(store, JobId("b" * 32), END)
    assert [(job[0], at) for job, at, _ in store.ended()] == [("b", AT)]
    store.forget([JobId("a" * 32), JobId("b" * 32)])
    assert (store.knows(JobId("a" * 32)), store.knows(JobId("b" * 32))) == (True, False)
    assert store.events(JobId("b" * 32)) == ()

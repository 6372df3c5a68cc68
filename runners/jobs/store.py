"""Jobs and their events, durable: one SQLite file.

Every call is one short transaction. The journal is a write-ahead log with ``synchronous =
NORMAL``: a commit does not wait for the disk, nothing is lost when the program is killed, and
the file stays whole when the power fails. What must hold of a job's events is enforced by the
database: sequence numbers rise by one, one terminal event at most, nothing after it.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from runners.errors import RunnerSettingsError, UnknownJobError
from runners.protocol.catalogue import ParameterValue
from runners.protocol.events import EVENT, Event, Terminal
from runners.protocol.jobs import JobView, fold
from runners.protocol.words import Framework, JobId, JobState

SCHEMA_VERSION: Final = 2

_FIRST_SCHEMA: Final = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    key TEXT UNIQUE,
    example TEXT NOT NULL,
    framework TEXT NOT NULL,
    parameters TEXT NOT NULL,
    seed INTEGER NOT NULL,
    learner TEXT,
    guild TEXT,
    submitted_at TEXT NOT NULL,
    state TEXT NOT NULL,
    pid INTEGER,
    born REAL,
    final_view TEXT
);
CREATE INDEX jobs_by_state ON jobs (state, number);
CREATE TABLE events (
    job TEXT NOT NULL REFERENCES jobs (id),
    sequence INTEGER NOT NULL,
    terminal INTEGER NOT NULL CHECK (terminal IN (0, 1)),
    body TEXT NOT NULL,
    PRIMARY KEY (job, sequence)
) WITHOUT ROWID;
CREATE UNIQUE INDEX one_terminal_event ON events (job) WHERE terminal = 1;
CREATE TRIGGER sequence_rises_by_one BEFORE INSERT ON events
WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM events WHERE job = NEW.job)
BEGIN SELECT raise(ABORT, 'an event is out of sequence'); END;
CREATE TRIGGER nothing_after_the_end BEFORE INSERT ON events
WHEN EXISTS (SELECT 1 FROM events WHERE job = NEW.job AND terminal = 1)
BEGIN SELECT raise(ABORT, 'the job has ended already'); END;
"""
_STEPS: Final = (
    _FIRST_SCHEMA,
    """
ALTER TABLE jobs ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN ended_at TEXT;
CREATE INDEX jobs_by_example ON jobs (example, state, number);
""",
)
"""What leads from each version of the file to the next."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it was submitted.

    ``fingerprint`` is that of the example's text; empty for one that was answered from the
    record, whose result is none of its own.
    """

    id: JobId
    example: str
    framework: Framework
    parameters: dict[str, ParameterValue]
    seed: int
    submitted_at: datetime
    key: str | None = None
    learner: str | None = None
    guild: str | None = None
    fingerprint: str = ""

    def first_view(self) -> JobView:
        """The view before any event."""
        return JobView(
            id=self.id,
            example=self.example,
            framework=self.framework,
            parameters=self.parameters,
            seed=self.seed,
            submitted_at=self.submitted_at,
        )


@dataclass(frozen=True, slots=True)
class ProcessTrace:
    """A process as it can be found again: its id, and when it was born (seconds since 1970)."""

    pid: int
    born: float


class JobStore:
    """The open file. One program writes it at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or create the file; raises RunnerSettingsError when it is not ours to use."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=10, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise RunnerSettingsError(f"{path} cannot be opened: {error}") from error
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            _create(connection, path)
        except sqlite3.DatabaseError as error:
            connection.close()
            raise RunnerSettingsError(f"{path} is no job store: {error}") from error
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def add(self, job: Job, events: Sequence[Event]) -> None:
        """Keep a new job together with its first events."""
        with self._transaction():
            self._connection.execute(
                "INSERT INTO jobs (id, key, example, framework, parameters, seed, learner, guild,"
                " fingerprint, submitted_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    job.id,
                    job.key,
                    job.example,
                    job.framework,
                    json.dumps(job.parameters),
                    job.seed,
                    job.learner,
                    job.guild,
                    job.fingerprint,
                    job.submitted_at.isoformat(),
                    JobState.QUEUED,
                ),
            )
            self._insert(job.id, events)

    def append(
        self, batches: Iterable[tuple[JobView, Sequence[Event]]], trace: ProcessTrace | None = None
    ) -> None:
        """Append events to jobs, all or none; each batch comes with the view after it.

        ``trace`` is the process that the jobs run in from now on. Raises sqlite3.IntegrityError
        for an event out of sequence or after the end.
        """
        with self._transaction():
            for view, events in batches:
                self._insert(view.id, events)
                final = view.model_dump_json() if view.state.final else None
                ended = None if view.ended_at is None else view.ended_at.isoformat()
                self._connection.execute(
                    "UPDATE jobs SET state = ?, final_view = ?, ended_at = ? WHERE id = ?",
                    (view.state, final, ended, view.id),
                )
                if trace is not None:
                    self._connection.execute(
                        "UPDATE jobs SET pid = ?, born = ? WHERE id = ?",
                        (trace.pid, trace.born, view.id),
                    )

    def job(self, job_id: JobId) -> Job:
        """The job of that id, or UnknownJobError."""
        return _job(self._row(job_id))

    def knows(self, job_id: JobId) -> bool:
        """Whether there is a job of that id."""
        found = self._connection.execute("SELECT 1 FROM jobs WHERE id = ?", (job_id,))
        return found.fetchone() is not None

    def job_with_key(self, key: str) -> Job | None:
        """The job that was submitted under ``key``."""
        row = self._connection.execute("SELECT * FROM jobs WHERE key = ?", (key,)).fetchone()
        return None if row is None else _job(row)

    def jobs_in(self, state: JobState) -> tuple[Job, ...]:
        """The jobs that stand there, in the order of their submission."""
        rows = self._connection.execute(
            "SELECT * FROM jobs WHERE state = ? ORDER BY number", (state,)
        )
        return tuple(_job(row) for row in rows)

    def recent(self, limit: int) -> tuple[JobId, ...]:
        """The jobs submitted last, newest first."""
        rows = self._connection.execute(
            "SELECT id FROM jobs ORDER BY number DESC LIMIT ?", (limit,)
        )
        return tuple(JobId(row["id"]) for row in rows)

    def served(self, limit: int) -> tuple[Job, ...]:
        """The latest ``limit`` jobs that wait no longer, in the order of their submission."""
        rows = self._connection.execute(
            "SELECT * FROM jobs WHERE state <> ? ORDER BY number DESC LIMIT ?",
            (JobState.QUEUED, limit),
        )
        return tuple(_job(row) for row in rows)[::-1]

    def fresh(self, like: Job, since: datetime) -> JobId | None:
        """The latest job that ran as ``like`` would, to its end, and ended not before ``since``."""
        row = self._connection.execute(
            "SELECT id FROM jobs WHERE example = ? AND state = ? AND parameters = ?"
            " AND fingerprint = ? AND fingerprint <> '' AND ended_at >= ?"
            " ORDER BY number DESC LIMIT 1",
            (
                like.example,
                JobState.SUCCEEDED,
                json.dumps(like.parameters),
                like.fingerprint,
                since.isoformat(),
            ),
        ).fetchone()
        return None if row is None else JobId(row["id"])

    def durations(self, limit: int) -> tuple[tuple[str, float], ...]:
        """Example and seconds of the latest ``limit`` runs that succeeded, oldest first."""
        rows = self._connection.execute(
            "SELECT example, json_extract(final_view, '$.measured.elapsed_s') AS seconds FROM jobs"
            " WHERE state = ? AND fingerprint <> '' ORDER BY number DESC LIMIT ?",
            (JobState.SUCCEEDED, limit),
        )
        return tuple((row["example"], row["seconds"]) for row in rows)[::-1]

    def ended(self) -> tuple[tuple[JobId, datetime, int], ...]:
        """Every job that has ended: when it did, and how many characters its events have."""
        rows = self._connection.execute(
            "SELECT id, coalesce(ended_at, submitted_at) AS at, (SELECT sum(length(body))"
            " FROM events WHERE job = jobs.id) AS size FROM jobs WHERE final_view IS NOT NULL"
        )
        return tuple(
            (JobId(row["id"]), datetime.fromisoformat(row["at"]), row["size"] or 0) for row in rows
        )

    def forget(self, job_ids: Iterable[JobId]) -> None:
        """Remove jobs that have ended, with their events; others stay whatever is asked."""
        with self._transaction():
            for job_id in job_ids:
                gone = "SELECT id FROM jobs WHERE id = ? AND final_view IS NOT NULL"
                self._connection.execute(f"DELETE FROM events WHERE job IN ({gone})", (job_id,))  # noqa: S608 - a constant
                self._connection.execute(f"DELETE FROM jobs WHERE id IN ({gone})", (job_id,))  # noqa: S608 - a constant

    def trace(self, job_id: JobId) -> ProcessTrace | None:
        """The process that the job was last known to run in."""
        row = self._row(job_id)
        return None if row["pid"] is None else ProcessTrace(row["pid"], row["born"])

    def events(self, job_id: JobId, after: int = 0, limit: int = 1_000) -> tuple[Event, ...]:
        """At most ``limit`` events with sequence numbers above ``after``, in their order."""
        rows = self._connection.execute(
            "SELECT body FROM events WHERE job = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (job_id, after, limit),
        )
        return tuple(EVENT.validate_json(row["body"]) for row in rows)

    def view(self, job_id: JobId) -> JobView:
        """The job as its events tell it, or UnknownJobError."""
        row = self._row(job_id)
        if row["final_view"] is not None:
            return JobView.model_validate_json(row["final_view"])
        view = _job(row).first_view()
        while events := self.events(job_id, view.sequence):
            for event in events:
                view = fold(view, event)
        return view

    def _row(self, job_id: JobId) -> sqlite3.Row:
        row = self._connection.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if row is None:
            raise UnknownJobError
        return row

    def _insert(self, job_id: JobId, events: Sequence[Event]) -> None:
        self._connection.executemany(
            "INSERT INTO events (job, sequence, terminal, body) VALUES (?, ?, ?, ?)",
            [
                (job_id, event.sequence, isinstance(event, Terminal), event.model_dump_json())
                for event in events
            ],
        )

    def _transaction(self) -> AbstractContextManager[None]:
        return _Transaction(self._connection)


class _Transaction(AbstractContextManager[None]):
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")


def _create(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if not 0 <= version <= SCHEMA_VERSION:
        raise RunnerSettingsError(
            f"{path} was written by another version of xueban (schema {version}, "
            f"not {SCHEMA_VERSION}); point XUEBAN_DATA_DIR elsewhere"
        )
    for number, step in enumerate(_STEPS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")


def _job(row: Any) -> Job:  # noqa: ANN401 - a sqlite3.Row, whose columns have no types
    return Job(
        id=JobId(row["id"]),
        example=row["example"],
        framework=Framework(row["framework"]),
        parameters=json.loads(row["parameters"]),
        seed=row["seed"],
        submitted_at=datetime.fromisoformat(row["submitted_at"]),
        key=row["key"],
        learner=row["learner"],
        guild=row["guild"],
        fingerprint=row["fingerprint"],
    )

"""Which of the jobs that have ended are forgotten, by age and by the room that they take."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from runners.protocol.words import JobId


@dataclass(frozen=True, slots=True)
class Kept:
    """A job that has ended, when it did, and how many bytes its events and artifacts take."""

    job: JobId
    ended_at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class Retention:
    """How long and up to how many bytes in all jobs are kept once they have ended."""

    age: timedelta
    size: int

    def to_forget(self, kept: Iterable[Kept], now: datetime) -> list[JobId]:
        """Those of ``kept`` that are too old, and the oldest of those too many, oldest first."""
        forgotten: list[JobId] = []
        total = 0
        for job in sorted(kept, key=lambda each: each.ended_at, reverse=True):
            total += job.size
            if now - job.ended_at > self.age or total > self.size:
                forgotten.append(job.job)
        return forgotten[::-1]

"""The one place that events go through: numbered, kept, folded, told to those who follow."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from runners.jobs.store import Job, JobStore, ProcessTrace
from runners.protocol.events import Event, Figure, Metric, Queued, Recorded, Terminal
from runners.protocol.jobs import JobView, fold
from runners.protocol.words import JobId, JobState

_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing happened for a while."""


def utc_now() -> datetime:
    """This moment, aware, UTC."""
    return datetime.now(UTC)


class Journal:
    """The jobs' events. Views of jobs that have not ended are kept at hand."""

    def __init__(self, store: JobStore, now: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._live: dict[JobId, JobView] = {}
        self._followers: dict[JobId, set[asyncio.Event]] = {}
        self.now = now

    def add(self, job: Job, position: int, wait_s: float | None = None) -> JobView:
        """Keep a new job that waits at ``position``."""
        event = Queued(sequence=1, at=job.submitted_at, position=position, wait_s=wait_s)
        self._store.add(job, [event])
        self._live[job.id] = fold(job.first_view(), event)
        return self._live[job.id]

    def add_recorded(self, job: Job, recorded: Recorded, terminal: Terminal) -> JobView:
        """Keep a new job that is answered by the result of ``recorded.job``."""
        self.add(job, position=1)
        result = [
            event for event in self._all_events(recorded.job) if isinstance(event, Metric | Figure)
        ]
        return self.append(job.id, [recorded, *result, terminal])

    def append(
        self, job_id: JobId, events: Sequence[Event], trace: ProcessTrace | None = None
    ) -> JobView:
        """Number, keep and tell ``events``; the view after them."""
        if events:
            self.append_all([(job_id, events)], trace)
        return self.view(job_id)

    def append_all(
        self,
        batches: Sequence[tuple[JobId, Sequence[Event]]],
        trace: ProcessTrace | None = None,
    ) -> None:
        """Append to several jobs in one transaction."""
        numbered = [self._numbered(job_id, events) for job_id, events in batches]
        self._store.append(numbered, trace)
        for view, _ in numbered:
            if view.state.final:
                self._live.pop(view.id, None)
            else:
                self._live[view.id] = view
            for follower in self._followers.get(view.id, ()):
                follower.set()

    def view(self, job_id: JobId) -> JobView:
        """The job as it stands, or UnknownJobError."""
        view = self._live.get(job_id)
        if view is None:
            view = self._store.view(job_id)
            if not view.state.final:
                self._live[job_id] = view
        return view

    def recent(self, limit: int) -> tuple[JobView, ...]:
        """The jobs submitted last, newest first."""
        return tuple(self.view(job_id) for job_id in self._store.recent(limit))

    def fresh(self, like: Job, since: datetime) -> JobView | None:
        """The latest job that ran as ``like`` would and ended well, not before ``since``."""
        found = self._store.fresh(like, since)
        return None if found is None else self.view(found)

    def served(self, limit: int) -> tuple[Job, ...]:
        """The latest ``limit`` jobs that wait no longer, in the order of their submission."""
        return self._store.served(limit)

    def durations(self, limit: int) -> tuple[tuple[str, float], ...]:
        """Example and seconds of the latest ``limit`` runs that succeeded, oldest first."""
        return self._store.durations(limit)

    def ended(self) -> tuple[tuple[JobId, datetime, int], ...]:
        """Every job that has ended: when it did, and how many characters its events have."""
        return self._store.ended()

    def forget(self, job_ids: Sequence[JobId]) -> tuple[JobId, ...]:
        """Remove jobs that have ended, but those that somebody follows; which were removed."""
        forgotten = tuple(job_id for job_id in job_ids if job_id not in self._followers)
        self._store.forget(forgotten)
        return forgotten

    def knows(self, job_id: JobId) -> bool:
        """Whether there is such a job."""
        return self._store.knows(job_id)

    def jobs_in(self, state: JobState) -> tuple[Job, ...]:
        """The jobs that stand there, in the order of their submission."""
        return self._store.jobs_in(state)

    def job_with_key(self, key: str) -> Job | None:
        """The job that was submitted under ``key``."""
        return self._store.job_with_key(key)

    def trace(self, job_id: JobId) -> ProcessTrace | None:
        """The process that the job was last known to run in."""
        return self._store.trace(job_id)

    async def follow(
        self, job_id: JobId, after: int, quiet_s: float
    ) -> AsyncIterator[Sequence[Event] | Quiet]:
        """The events after number ``after`` in batches, until the terminal one.

        Says Quiet whenever ``quiet_s`` seconds went by without one. Raises UnknownJobError.
        """
        news = asyncio.Event()
        self.view(job_id)
        self._followers.setdefault(job_id, set()).add(news)
        try:
            while True:
                news.clear()
                while events := self._store.events(job_id, after, _PAGE):
                    after = events[-1].sequence
                    yield events
                if self.view(job_id).state.final:
                    return
                try:
                    await asyncio.wait_for(news.wait(), quiet_s)
                except TimeoutError:
                    yield Quiet()
        finally:
            followers = self._followers[job_id]
            followers.discard(news)
            if not followers:
                del self._followers[job_id]

    def _all_events(self, job_id: JobId) -> list[Event]:
        events: list[Event] = []
        while page := self._store.events(job_id, events[-1].sequence if events else 0, _PAGE):
            events.extend(page)
        return events

    def _numbered(self, job_id: JobId, events: Sequence[Event]) -> tuple[JobView, Sequence[Event]]:
        view = self.view(job_id)
        numbered: list[Event] = []
        for event in events:
            counted = event.model_copy(update={"sequence": view.sequence + 1})
            numbered.append(counted)
            view = fold(view, counted)
        return view, numbered

"""From a job's reports to its journal: gathered, bounded, written a few times a second."""

import asyncio
from collections.abc import Sequence
from typing import Final

from runners.jobs.intake import Intake
from runners.jobs.journal import Journal
from runners.jobs.messages import LogReport, MetricReport, ProgressReport
from runners.protocol.events import Event, Terminal
from runners.protocol.words import JobId

_WRITE_S: Final = 0.05
_BUFFERED: Final = 200


class Recorder:
    """Writes one job's events in batches; whoever adds faster than that has to wait."""

    def __init__(self, journal: Journal, job_id: JobId) -> None:
        self._journal = journal
        self._job_id = job_id
        self._buffer: list[Event] = []
        self._room = asyncio.Event()
        self.intake = Intake()

    async def report(self, report: MetricReport | LogReport | ProgressReport) -> None:
        """Record a report, or as much of it as is within the limits."""
        await self.add(self.intake.report(report, self._journal.now()))

    async def log(self, text: str) -> None:
        """Record a line that the job wrote."""
        await self.add(self.intake.log(text, self._journal.now()))

    async def add(self, events: Sequence[Event]) -> None:
        """Record ``events``."""
        self._buffer.extend(events)
        while len(self._buffer) >= _BUFFERED:
            self._room.clear()
            await self._room.wait()

    async def write(self) -> None:
        """Write what was recorded, again and again, until cancelled."""
        while True:
            await asyncio.sleep(_WRITE_S)
            self._flush(self.intake.due(self._journal.now()))

    def finish(self, terminal: Terminal) -> None:
        """Write all that is left and the end, in one transaction."""
        self._flush([*self.intake.rest(self._journal.now()), terminal])

    def _flush(self, more: Sequence[Event]) -> None:
        events = [*self._buffer, *more]
        self._buffer.clear()
        self._room.set()
        self._journal.append(self._job_id, events)

"""What is kept of jobs that have ended, and for how long."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from runners.jobs.artifacts import Artifacts
from runners.jobs.journal import Journal
from runners.jobs.retention import Kept, Retention
from runners.protocol.words import JobId

_logger = logging.getLogger(__name__)

_PAUSE_S: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class Archive:
    """The jobs that have ended, pruned by a retention. Those that wait or run are never touched."""

    journal: Journal
    artifacts: Artifacts
    retention: Retention

    async def prune_again_and_again(self) -> None:
        """Prune now and every hour, until cancelled."""
        while True:
            try:
                await self.prune()
            except Exception:
                _logger.exception("old jobs could not be pruned")
            await asyncio.sleep(_PAUSE_S)

    async def prune(self) -> tuple[JobId, ...]:
        """Forget what is too old or too much, and pictures that no job owns; the jobs forgotten."""
        ended = self.journal.ended()
        sizes = await asyncio.to_thread(self._sizes, [job for job, _, _ in ended])
        kept = [
            Kept(job, at, events + artifacts)
            for (job, at, events), artifacts in zip(ended, sizes, strict=True)
        ]
        doomed = self.retention.to_forget(kept, self.journal.now())
        forgotten = self.journal.forget(doomed)
        owners = await asyncio.to_thread(self.artifacts.owners)
        for job in owners:
            if not self.journal.knows(job):
                await asyncio.to_thread(self.artifacts.forget, job)
        if forgotten:
            _logger.info("%d old jobs were forgotten", len(forgotten))
        return forgotten

    def _sizes(self, jobs: list[JobId]) -> list[int]:
        return [self.artifacts.size(job) for job in jobs]

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
        """Forget what is too old or too much, with its pictures; which jobs those were.

        Pictures that no job here owns, as a run in a terminal leaves them, age like the others.
        """
        ended = self.journal.ended()
        owned = await asyncio.to_thread(self.artifacts.stock)
        kept = [
            Kept(job, at, size + (owned[job].size if job in owned else 0))
            for job, at, size in ended
        ]
        kept += [each for job, each in owned.items() if not self.journal.knows(job)]
        forgotten = self.journal.forget(self.retention.to_forget(kept, self.journal.now()))
        for job in forgotten:
            await asyncio.to_thread(self.artifacts.forget, job)
        if forgotten:
            _logger.info("%d old jobs were forgotten", len(forgotten))
        return forgotten

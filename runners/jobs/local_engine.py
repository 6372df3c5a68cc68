"""Jobs on this computer."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from runners.jobs.artifacts import Artifacts
from runners.jobs.attempt import Attempt, Limits, Surroundings
from runners.jobs.cards import Card, device_name, graphics_cards
from runners.jobs.engine import Capacity, Condition
from runners.jobs.journal import Journal
from runners.jobs.measure import cores
from runners.jobs.messages import Assignment
from runners.jobs.nurseries import Nurseries, prepare_nurseries
from runners.protocol.words import Framework
from runners.settings import RunnerSettings


@dataclass(frozen=True, slots=True)
class LocalEngine:
    """Runs ``slots`` jobs on the processor, each with ``threads`` of its cores."""

    nurseries: Nurseries
    journal: Journal
    artifacts: Artifacts
    slots: int
    threads: int

    @property
    def able(self) -> frozenset[Framework]:
        """The frameworks that can use the graphics cards."""
        return self.nurseries.able

    async def capacity(self) -> Capacity:
        """What it can run now: a card that failed is not there any more."""
        cards = await graphics_cards()
        return Capacity(self.slots, cards, len(cards))

    def attempt(
        self,
        framework: Framework,
        assignment: Assignment,
        limits: Limits,
        cards: tuple[Card, ...],
    ) -> Attempt:
        """The running of a job on ``cards``, or on the processor without any."""
        return Attempt(
            assignment,
            limits,
            Surroundings(
                launcher=self.nurseries.launchers[framework],
                journal=self.journal,
                artifacts=self.artifacts,
                device=device_name(cards, self.threads),
            ),
        )

    def warm_up(self, framework: Framework) -> None:
        """Have the nursery of ``framework`` load it in the background."""
        self.nurseries.launchers[framework].open()

    def condition(self, framework: Framework) -> Condition:
        """How soon a job of ``framework`` would start."""
        launcher = self.nurseries.launchers[framework]
        if launcher.ready:
            return "ready"
        return "loading" if launcher.opened else "on demand"


@asynccontextmanager
async def open_local_engine(
    settings: RunnerSettings,
    frameworks: Iterable[Framework],
    journal: Journal,
    artifacts: Artifacts,
    scratch: Path,
) -> AsyncGenerator[LocalEngine]:
    """This computer's, until the block ends; jobs have their folders below ``scratch``.

    Raises RunnerSettingsError when walls are required and cannot be built.
    """
    cache = settings.data_dir / "cache"
    for folder in (scratch, cache):
        folder.mkdir(parents=True, exist_ok=True)
    slots = settings.runner_slots or 1
    threads = max(1, cores() // slots)
    nurseries = await prepare_nurseries(settings, frameworks, threads, scratch, cache)
    try:
        yield LocalEngine(nurseries, journal, artifacts, slots, threads)
    finally:
        await nurseries.close()

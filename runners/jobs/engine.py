"""What a dispatcher has jobs run by: this computer, or a cluster."""

from dataclasses import dataclass
from typing import Literal, Protocol

from runners.jobs.attempt import Limits
from runners.jobs.cards import Card
from runners.jobs.messages import Assignment
from runners.protocol.words import Framework

Condition = Literal["ready", "loading", "on demand"]
"""How soon a job of a framework would start: at once, shortly, or when it has been loaded."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What can run at the same time: ``slots`` jobs on the processor, one on each of ``cards``.

    No job can have more than ``together`` of the cards.
    """

    slots: int
    cards: tuple[Card, ...] = ()
    together: int = 0


class Effort(Protocol):
    """The running of one job."""

    async def run(self) -> None:
        """Run it to its end, and leave exactly one terminal event behind.

        The one exception is a job that had not started when the runner shut down: it stays queued.
        """
        ...

    def cancel(self) -> None:
        """Have it end because somebody asked for it."""
        ...

    def shut_down(self) -> None:
        """Have it end because the runner does; a cancel that came first stays one."""
        ...


class Engine(Protocol):
    """Where jobs run."""

    @property
    def threads(self) -> int:
        """How many of the processor's cores a job has."""
        ...

    @property
    def able(self) -> frozenset[Framework]:
        """The frameworks that can use its graphics cards."""
        ...

    async def capacity(self) -> Capacity:
        """What it can run now."""
        ...

    def attempt(
        self,
        framework: Framework,
        assignment: Assignment,
        limits: Limits,
        cards: tuple[Card, ...],
    ) -> Effort:
        """The running of a job on ``cards``, or on the processor without any."""
        ...

    def warm_up(self, framework: Framework) -> None:
        """Load ``framework`` ahead, if that is any use here."""
        ...

    def condition(self, framework: Framework) -> Condition:
        """How soon a job of ``framework`` would start."""
        ...

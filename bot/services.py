"""What lives long and is opened outside the client: retriever, runner, store and clock.

The client and its features know these protocols only. Whatever waits for long (open streams,
the runner's supervisor, batching) belongs to a service; the client's own tasks never do.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.store.records import Store
from knowledge.bank import Bank
from knowledge.outcome import Outcome, Query
from runners.protocol.catalogue import ExampleInfo
from runners.protocol.jobs import JobView, Submission
from runners.protocol.words import JobId


class Clock(Protocol):
    """The time that schedules and records go by."""

    def now(self) -> datetime:
        """This moment, aware, UTC."""
        ...


class Retriever(Protocol):
    """The question bank, asked."""

    @property
    def ready(self) -> bool:
        """Whether a question is answered without waiting for the encoder to load."""
        ...

    @property
    def bank(self) -> Bank:
        """The entries; there from the start."""
        ...

    async def retrieve(self, query: Query) -> Outcome:
        """The outcome of ``query``; waits while the encoder loads."""
        ...


class Runner(Protocol):
    """The runner program, near or far. Every call can raise `runners.errors.RunnerError`."""

    async def catalogue(self) -> tuple[ExampleInfo, ...]:
        """All examples, those that cannot run here among them."""
        ...

    async def submit(self, submission: Submission) -> JobView:
        """Queue a job and give its first view."""
        ...

    async def job(self, job_id: JobId) -> JobView:
        """The job as it stands."""
        ...

    def watch(self, job_id: JobId) -> AsyncIterator[JobView]:
        """The job's view, again whenever it changed, until its end (which always comes).

        What changes between two looks is folded into one view, so a slow reader sees fewer
        and never older ones. Lost connections are the service's affair.
        """
        ...

    async def cancel(self, job_id: JobId) -> JobView:
        """Ask for the job's end; the view may still say that it runs."""
        ...

    async def artifact(self, job_id: JobId, name: str) -> bytes:
        """The bytes of a figure."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """All that a client needs from outside."""

    retriever: Retriever
    runner: Runner
    store: Store
    clock: Clock

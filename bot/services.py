"""What lives long and is opened outside the client: retriever, runner, store and clock.

The client and its features know these protocols only. Whatever waits for long (open streams,
the runner's supervisor, batching) belongs to a service; the client's own tasks never do.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from bot.settings import Settings
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

    def bank_of(self, guild: int | None) -> Bank:
        """The entries that can be asked for in ``guild``: everybody's, and its own.

        Everybody's are there from the start, its own when the retriever is ready.
        """
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


@asynccontextmanager
async def open_services(settings: Settings, clock: Clock | None = None) -> AsyncGenerator[Services]:
    """The real services, open until the block ends; the encoder loads in the background.

    Raises:
        StoreError: the store cannot be opened.
        knowledge.errors.BankError: the bank has faults.
        knowledge.errors.IndexMismatchError: the index does not fit bank and encoder.
    """
    # Imported here, so that whoever only needs the protocols loads no database and no FAISS.
    from bot.live_retriever import LiveRetriever
    from bot.store.database import open_store
    from bot.system_clock import SystemClock
    from knowledge.bank import load_bank
    from knowledge.retriever import check_index, open_retriever
    from runners.client import Endpoint, RunnerClient
    from runners.local import open_local_runner

    async with AsyncExitStack() as stack:
        bank = await asyncio.to_thread(load_bank)
        await asyncio.to_thread(check_index, settings, bank)
        store = await stack.enter_async_context(open_store(settings.store_url))
        runner = await stack.enter_async_context(
            open_local_runner(settings)
            if settings.runner_address is None
            else RunnerClient(Endpoint(settings.runner_address, settings.token))
        )
        retriever = LiveRetriever(bank, partial(open_retriever, settings))
        await stack.enter_async_context(retriever.running())
        yield Services(retriever, runner, store, clock or SystemClock())

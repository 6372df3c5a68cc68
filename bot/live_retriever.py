"""The real retriever as a service: loaded in the background, asked in small batches."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Protocol

from knowledge.bank import Bank
from knowledge.errors import BankError
from knowledge.outcome import Outcome, Query

_log = logging.getLogger(__name__)


class BlockingRetriever(Protocol):
    """A loaded retriever; its call takes milliseconds and blocks its thread."""

    def retrieve_many(self, queries: Sequence[Query]) -> list[Outcome]:
        """One outcome for each query, in order."""
        ...

    def bank_of(self, guild: int | None) -> Bank:
        """The entries that can be asked for in ``guild``."""
        ...

    def refresh(self) -> Mapping[int, BankError | None]:
        """Take up what changed in the guilds' own banks; may run beside `retrieve_many`."""
        ...


class LiveRetriever:
    """Answers queries from one worker thread; those that wait together share one encoder call.

    ``load`` gives the loaded retriever and takes seconds. ``patience_s`` is how long a lone
    query waits for company, ``refresh_s`` how often the guilds' own banks are looked after.
    """

    def __init__(
        self,
        bank: Bank,
        load: Callable[[], BlockingRetriever],
        patience_s: float = 0.002,
        refresh_s: float = 2.0,
    ) -> None:
        self._bank = bank
        self._load = load
        self._patience_s = patience_s
        self._refresh_s = refresh_s
        self._waiting: asyncio.Queue[tuple[Query, asyncio.Future[Outcome]]] = asyncio.Queue()
        self._loaded: asyncio.Future[BlockingRetriever] | None = None
        # One thread: the encoder uses every core by itself.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="retriever")

    @property
    def ready(self) -> bool:
        """Whether the encoder is loaded."""
        return self._loaded is not None and self._loaded.done() and not self._loaded.exception()

    def bank_of(self, guild: int | None) -> Bank:
        """The entries that can be asked for in ``guild``: everybody's, and its own."""
        if self._loaded is None or not self.ready:
            return self._bank
        return self._loaded.result().bank_of(guild)

    async def retrieve(self, query: Query) -> Outcome:
        """The outcome of ``query``, as soon as the encoder is loaded.

        Raises:
            knowledge.errors.KnowledgeError: the encoder or the index cannot be loaded.
        """
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((query, answer))
        return await answer

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["LiveRetriever"]:
        """Load and answer, until the block ends."""
        self._loaded = asyncio.get_running_loop().run_in_executor(self._thread, self._load)
        tasks = [
            asyncio.create_task(self._answer(self._loaded)),
            asyncio.create_task(self._refresh(self._loaded)),
        ]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.wait([self._loaded])
            self._thread.shutdown(wait=False)

    async def _answer(self, loaded: asyncio.Future[BlockingRetriever]) -> None:
        await asyncio.wait([loaded])
        if error := loaded.exception():
            _log.critical("the question bank cannot be loaded", exc_info=error)
        loop = asyncio.get_running_loop()
        while True:
            batch = await self._next_batch()
            queries = [query for query, _ in batch]
            try:
                retriever = loaded.result()
                outcomes = await loop.run_in_executor(
                    self._thread, retriever.retrieve_many, queries
                )
            except Exception as fault:  # noqa: BLE001 - handed to everybody who asked
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(fault)
                continue
            for (_, answer), outcome in zip(batch, outcomes, strict=True):
                if not answer.done():
                    answer.set_result(outcome)

    async def _refresh(self, loaded: asyncio.Future[BlockingRetriever]) -> None:
        await asyncio.wait([loaded])
        while not loaded.exception():
            await asyncio.sleep(self._refresh_s)
            try:
                # In another thread than the answers, which need not wait for it.
                changed = await asyncio.to_thread(loaded.result().refresh)
            except Exception:  # noqa: BLE001 - what cannot be read today may be read tomorrow
                _log.exception("the guilds' own banks could not be looked after")
                continue
            for guild, error in changed.items():
                if error is None:
                    _log.info("the bank of guild %s is up to date", guild)
                else:
                    _log.error("the bank of guild %s stays as it was: %s", guild, error)

    async def _next_batch(self) -> list[tuple[Query, asyncio.Future[Outcome]]]:
        batch = [await self._waiting.get()]
        await asyncio.sleep(self._patience_s)
        while not self._waiting.empty() and len(batch) < _BATCH:
            batch.append(self._waiting.get_nowait())
        return batch


_BATCH = 64
"""Queries encoded together at most."""

"""Fakes of the services, for tests of the client and of its features.

The runner's fake ships in `runners.testing`, the store's in `bot.store.testing`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from knowledge.aspect import Aspect
from knowledge.bank import Bank
from knowledge.entry import Entry, EntryId
from knowledge.outcome import Answered, Compared, Hit, Outcome, Query, Refused, Silent, Unsure


class Hold(Protocol):
    """How a fake waits; a harness that watches for hanging tasks hands in its own way."""

    async def __call__(self, awaitable: Awaitable[Any], *, reason: str) -> Any:  # noqa: ANN401 - what was awaited
        """Await ``awaitable``."""
        ...


async def just_wait(awaitable: Awaitable[Any], *, reason: str) -> Any:  # noqa: ANN401 - what was awaited
    """Await without telling anybody."""
    del reason
    return await awaitable


class FakeClock:
    """A clock that stands still until it is moved; or that follows another one."""

    def __init__(
        self,
        now: datetime = datetime(2026, 3, 2, 1, 0, tzinfo=UTC),
        *,
        follow: Callable[[], datetime] | None = None,
    ) -> None:
        self._now = now
        self.follow = follow

    def now(self) -> datetime:
        """The moment it shows."""
        return self.follow() if self.follow else self._now

    def advance(self, **amount: float) -> None:
        """Move forward by a `timedelta` of ``amount``."""
        self._now += timedelta(**amount)


class FakeRetriever:
    """Answers the texts it was told about, and refuses all others.

    ``asked`` records the queries in their order. A cleared ``loaded`` makes queries wait.
    """

    def __init__(self, bank: Bank, outcomes: Mapping[str, Outcome] | None = None) -> None:
        self._bank = bank
        self.outcomes: dict[str, Outcome] = dict(outcomes or {})
        self.guild_banks: dict[int, Bank] = {}
        self.asked: list[Query] = []
        self.loaded = asyncio.Event()
        self.loaded.set()
        self.hold: Hold = just_wait
        self.error: Exception | None = None

    @property
    def ready(self) -> bool:
        """Whether queries are answered at once."""
        return self.loaded.is_set()

    def bank_of(self, guild: int | None) -> Bank:
        """The bank it was given, or the one that ``guild_banks`` holds for the guild."""
        return self._bank if guild is None else self.guild_banks.get(guild, self._bank)

    async def retrieve(self, query: Query) -> Outcome:
        """The outcome set for the query's text."""
        self.asked.append(query)
        if not self.ready:
            await self.hold(self.loaded.wait(), reason="the encoder loads")
        if self.error is not None:
            raise self.error
        return self.outcomes.get(query.text, Refused((), 0.0, ()))


def hit(entry: Entry, score: float = 1.0) -> Hit:
    """A hit on ``entry``."""
    return Hit(entry.id, entry.question, score)


def answered(entry: Entry, confidence: float = 0.95, *, aspect: Aspect = Aspect.ANSWER) -> Answered:
    """The outcome that answers with ``entry``."""
    return Answered(EntryId(entry.id), confidence, (hit(entry),), aspect)


def compared(entry: Entry, other: Entry, confidence: float = 0.95) -> Compared:
    """The outcome that sets ``entry`` beside ``other``."""
    return Compared(EntryId(entry.id), EntryId(other.id), confidence, (hit(entry),))


def silent(*, thanks: bool = False) -> Silent:
    """The outcome that wants no answer."""
    return Silent(thanks=thanks)


def unsure(*entries: Entry, confidence: float = 0.5) -> Unsure:
    """The outcome that asks back which of ``entries`` was meant."""
    hits = tuple(hit(entry) for entry in entries)
    return Unsure(hits, confidence, hits)


def refused(*nearest: Entry, confidence: float = 0.05) -> Refused:
    """The outcome that has no answer."""
    hits = tuple(hit(entry) for entry in nearest)
    return Refused(hits, confidence, hits)

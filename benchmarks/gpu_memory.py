"""The memory that a job holds on the graphics cards, as nvidia-smi tells it from outside."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

from runners.jobs.cards import Card, output_of


@dataclass(frozen=True, slots=True)
class CardMemory:
    """The most that a job was seen to hold, MiB.

    Where nvidia-smi lists none of the job's processes, as in most containers, it is how much
    more of the cards was used than before the job, and ``of_job`` is False.
    """

    mib: int
    of_job: bool


class CardGauge:
    """Watches the memory of ``cards`` for one job. `begin` comes before the job's start."""

    def __init__(self, cards: Sequence[Card]) -> None:
        self._cards = [card.id for card in cards]
        self._before: int | None = None
        self._of_job: int | None = None
        self._more: int | None = None

    @property
    def peak(self) -> CardMemory | None:
        """The most so far; None where nvidia-smi said nothing."""
        if self._of_job is not None:
            return CardMemory(self._of_job, of_job=True)
        return None if self._more is None else CardMemory(self._more, of_job=False)

    async def begin(self) -> None:
        """Read what is used of the cards without the job."""
        self._before = await self._used()

    async def sample(self, pid: int) -> None:
        """Read what the process ``pid`` and its descendants hold now."""
        family = _family(pid)
        told, used = await asyncio.gather(
            _told("--query-compute-apps=pid,used_memory"), self._used()
        )
        held = [mib for each, mib in memory_of_processes(told).items() if each in family]
        if held:
            self._of_job = max(self._of_job or 0, sum(held))
        if used is not None and self._before is not None:
            self._more = max(self._more or 0, used - self._before)

    async def _used(self) -> int | None:
        return used_of(self._cards, memory_of_cards(await _told("--query-gpu=uuid,memory.used")))


def memory_of_processes(told: str) -> dict[int, int]:
    """MiB by process out of lines ``pid, MiB``; one that is on several cards is summed up.

    A driver that lists a process without its memory (``[N/A]``) says nothing about it.
    """
    held: dict[int, int] = {}
    for pid, mib in _pairs(told):
        with suppress(ValueError):
            held[int(pid)] = held.get(int(pid), 0) + mib
    return held


def memory_of_cards(told: str) -> dict[str, int]:
    """MiB in use by card out of lines ``uuid, MiB``."""
    return dict(_pairs(told))


def used_of(cards: Sequence[str], used: dict[str, int]) -> int | None:
    """MiB in use on ``cards`` together; on all where a part of a card (MIG) is no card's name."""
    ours = [mib for card, mib in used.items() if card in cards] or list(used.values())
    return sum(ours) if ours else None


def _pairs(told: str) -> Iterator[tuple[str, int]]:
    for line in told.splitlines():
        name, _, mib = line.partition(",")
        if mib.strip().isdigit():
            yield name.strip(), int(mib)


def _family(pid: int) -> frozenset[int]:
    with suppress(psutil.Error):
        children = psutil.Process(pid).children(recursive=True)
        return frozenset([pid, *(child.pid for child in children)])
    return frozenset([pid])


async def _told(query: str) -> str:
    return await output_of("nvidia-smi", query, "--format=csv,noheader,nounits")

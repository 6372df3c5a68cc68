import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.live_retriever import LiveRetriever
from knowledge.bank import Bank
from knowledge.errors import BankError, EncoderError
from knowledge.fault import Fault
from knowledge.outcome import Outcome, Query, Refused


class Recording:
    """Refuses everything with its batch's size as confidence, and records its batches."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.asked = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self.looked_after = threading.Event()
        self.changes: list[dict[int, BankError | None] | Exception] = []
        self.banks: dict[int | None, Bank] = {}

    def bank_of(self, guild: int | None) -> Bank:
        return self.banks[guild]

    def refresh(self) -> dict[int, BankError | None]:
        change = self.changes.pop(0) if self.changes else {}
        if not self.changes:
            self.looked_after.set()
        if isinstance(change, Exception):
            raise change
        return change

    def retrieve_many(self, queries: Sequence[Query]) -> list[Outcome]:
        self.asked.set()
        self.gate.wait(10)
        self.batches.append([query.text for query in queries])
        if any(query.text == "bad" for query in queries):
            raise ValueError("bad query")
        return [Refused((), float(len(query.text)), ()) for query in queries]


def service(retriever: Recording) -> LiveRetriever:
    return LiveRetriever(Bank(()), lambda: retriever)


async def test_each_query_gets_its_own_outcome() -> None:
    async with service(Recording()).running() as live:
        outcomes = await asyncio.gather(*(live.retrieve(Query("x" * n)) for n in range(1, 9)))
    assert [outcome.confidence for outcome in outcomes] == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_queries_that_wait_together_are_encoded_together() -> None:
    recording = Recording()
    recording.gate.clear()
    async with service(recording).running() as live:
        first = asyncio.create_task(live.retrieve(Query("first")))
        await asyncio.to_thread(recording.asked.wait, 10)
        others = [asyncio.create_task(live.retrieve(Query(f"q{n}"))) for n in range(5)]
        await asyncio.sleep(0.05)
        recording.gate.set()
        await asyncio.gather(first, *others)
    assert recording.batches[-1] == ["q0", "q1", "q2", "q3", "q4"]


async def test_a_query_waits_while_the_encoder_loads() -> None:
    gate = threading.Event()
    recording = Recording()

    def load() -> Recording:
        gate.wait(10)
        return recording

    async with LiveRetriever(Bank(()), load).running() as live:
        asked = asyncio.create_task(live.retrieve(Query("早")))
        await asyncio.sleep(0.05)
        assert not live.ready
        assert not asked.done()
        gate.set()
        assert (await asked).confidence == 1
        assert live.ready


async def test_a_bank_that_cannot_be_loaded_is_told_to_everybody_who_asks() -> None:
    def load() -> Recording:
        raise EncoderError("weights are damaged")

    async with LiveRetriever(Bank(()), load).running() as live:
        for _ in range(2):
            with pytest.raises(EncoderError, match="damaged"):
                await live.retrieve(Query("问"))
        assert not live.ready


async def test_a_failing_batch_does_not_end_the_service() -> None:
    async with service(Recording()).running() as live:
        with pytest.raises(ValueError, match="bad query"):
            await live.retrieve(Query("bad"))
        assert (await live.retrieve(Query("good"))).confidence == 4


async def test_somebody_who_gave_up_does_not_hinder_the_others() -> None:
    recording = Recording()
    recording.gate.clear()
    async with service(recording).running() as live:
        gone = asyncio.create_task(live.retrieve(Query("gone")))
        stays = asyncio.create_task(live.retrieve(Query("stays")))
        await asyncio.sleep(0.05)
        gone.cancel()
        recording.gate.set()
        assert (await stays).confidence == 5


async def test_a_guilds_own_bank_is_looked_after_while_questions_are_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recording = Recording()
    own = Bank(())
    recording.banks = {7: own}
    fault = BankError((Fault(Path("printer.md"), 3, "no question"),))
    recording.changes = [OSError("disk away"), {7: None, 8: fault}, {}]
    caplog.set_level("INFO", "bot.live_retriever")
    live = LiveRetriever(Bank(()), lambda: recording, refresh_s=0.01)
    async with live.running():
        await live.retrieve(Query("x"))
        await asyncio.to_thread(recording.looked_after.wait, 10)
        assert live.bank_of(7) is own
    told = caplog.text
    assert "could not be looked after" in told
    assert "disk away" in told
    assert "the bank of guild 7 is up to date" in told
    assert "the bank of guild 8 stays as it was" in told
    assert "no question" in told


async def test_before_the_bank_is_loaded_every_guild_has_the_common_one() -> None:
    common = Bank(())
    assert LiveRetriever(common, Recording).bank_of(7) is common

import asyncio
import threading
from collections.abc import Sequence

import pytest

from bot.live_retriever import LiveRetriever
from knowledge.bank import Bank
from knowledge.errors import EncoderError
from knowledge.outcome import Outcome, Query, Refused


class Recording:
    """Refuses everything with its batch's size as confidence, and records its batches."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.asked = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

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

"""Retrieval of one question and of many at once, against the same texts through a bare encoder."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from benchmarks.comparison import Comparison
from bot.live_retriever import LiveRetriever
from bot.settings import Settings
from knowledge.bank import Bank
from knowledge.encoder import Encoder, open_encoder
from knowledge.outcome import Query
from knowledge.prepare import load_prepared
from knowledge.retriever import Retriever

_ROUNDS = 100
_CROWD = 64
_CROWD_ROUNDS = 12

_Ask = Callable[[list[str]], Awaitable[object]]


async def retrieval_against_bare_encoding(settings: Settings) -> Comparison:
    """The loaded retriever's own call with one question: what rankers and gate add."""
    encoder, retriever = await asyncio.to_thread(_opened, settings)

    async def ask(questions: list[str]) -> None:
        retriever.retrieve(Query(questions[0]))

    title = "retrieval of one question / one bare encoder call"
    return await _compared(title, ask, encoder, _portions(retriever.bank, 1, _ROUNDS))


async def one_question_against_bare_encoding(settings: Settings) -> Comparison:
    """The same as the bot asks it, with the wait for company and the way to the worker thread."""
    encoder, retriever = await asyncio.to_thread(_opened, settings)
    async with LiveRetriever(retriever.bank, lambda: retriever).running() as live:
        title = "one question to the bot's retriever / one bare encoder call"
        portions = _portions(retriever.bank, 1, _ROUNDS)
        return await _compared(title, _together(live), encoder, portions)


async def concurrent_questions_against_one_batch(settings: Settings) -> Comparison:
    """Questions of the same moment against all of them in one call of the encoder."""
    encoder, retriever = await asyncio.to_thread(_opened, settings)
    async with LiveRetriever(retriever.bank, lambda: retriever).running() as live:
        title = f"{_CROWD} questions at once / one batch of them through the bare encoder"
        portions = _portions(retriever.bank, _CROWD, _CROWD_ROUNDS)
        return await _compared(title, _together(live), encoder, portions)


def _opened(settings: Settings) -> tuple[Encoder, Retriever]:
    """One encoder for both sides, so that they load and warm up the same."""
    encoder = open_encoder(settings)
    return encoder, Retriever(load_prepared(settings), encoder)


def _portions(bank: Bank, size: int, rounds: int) -> list[list[str]]:
    """``size`` phrasings from all over the bank for each round, and some to warm up with."""
    texts = [text for entry in bank.entries for text in (*entry.phrasings_zh, *entry.phrasings_en)]
    spread = texts[:: len(texts) // (size * (rounds + 1))]
    return [spread[start :: rounds + 1][:size] for start in range(rounds + 1)]


def _together(live: LiveRetriever) -> _Ask:
    async def ask(questions: list[str]) -> None:
        await asyncio.gather(*(live.retrieve(Query(question)) for question in questions))

    return ask


async def _compared(
    title: str, ask: _Ask, encoder: Encoder, portions: list[list[str]]
) -> Comparison:
    ours: list[float] = []
    bare: list[float] = []
    for questions in portions:
        began = time.perf_counter()
        await ask(questions)
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        encoder.encode_queries(questions)
        bare.append(time.perf_counter() - began)
    return Comparison(title, tuple(ours[1:]), tuple(bare[1:]))

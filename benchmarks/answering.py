"""A question in until its answer is sent: against a bare encoder call, and on busy cores."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from benchmarks.comparison import Comparison
from bot.playground.learner import Learner
from bot.playground.server import open_playground
from bot.program import at_playground, run_bot
from bot.settings import Settings
from knowledge.encoder import open_encoder
from runners.jobs.measure import cores

_QUESTIONS = (
    "训练集准确率很高但是测试集很差怎么回事",
    "how do I make training cheaper",
    "模型把题背下来了，一考新题就挂",
    "只标得起两百张图，还想要能上线的分类器",
    "红烧肉怎么做",
)
_ROUNDS = 40
_BUSY_ROUNDS = 8
_PAUSE_S = 3.0
"""A channel takes five messages in five seconds, and an answer may be three."""


async def answer_against_bare_encoding(settings: Settings) -> Comparison:
    """Each question is asked in the playground and, in turn, encoded by a bare encoder."""
    encoder = await asyncio.to_thread(open_encoder, settings)
    ours: list[float] = []
    bare: list[float] = []
    async with _tutor(settings) as learner:
        for number in range(_ROUNDS):
            question = _QUESTIONS[number % len(_QUESTIONS)]
            ours.append(await _asked(learner, question))
            began = time.perf_counter()
            await asyncio.to_thread(encoder.encode_queries, [question])
            bare.append(time.perf_counter() - began)
    return Comparison(
        "question in to answer sent / one bare encoder call", tuple(ours), tuple(bare)
    )


async def answer_on_busy_cores(settings: Settings) -> Comparison:
    """Each question is asked while every core is busy with something else, and without that."""
    busy: list[float] = []
    idle: list[float] = []
    async with _tutor(settings) as learner:
        for number in range(_BUSY_ROUNDS):
            question = _QUESTIONS[number % len(_QUESTIONS)]
            await asyncio.sleep(_PAUSE_S)
            idle.append(await _asked(learner, question))
            await asyncio.sleep(_PAUSE_S)
            async with _busy_cores():
                busy.append(await _asked(learner, question))
    return Comparison("question to answer, every core busy / idle", tuple(busy), tuple(idle))


@asynccontextmanager
async def _tutor(settings: Settings) -> AsyncGenerator[Learner]:
    """A learner in the playground whose tutor has answered once."""
    async with open_playground() as playground, Learner(playground.url, "小明") as learner:
        tutor = asyncio.create_task(run_bot(at_playground(settings, playground), playground.clock))
        try:
            await learner.wait_for_bot(60)
            await _asked(learner, _QUESTIONS[0])
            yield learner
        finally:
            tutor.cancel()
            await asyncio.gather(tutor, return_exceptions=True)


@asynccontextmanager
async def _busy_cores() -> AsyncGenerator[None]:
    """A process that only computes on each core."""
    loops = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass")
        for _ in range(cores())
    ]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            await loop.wait()


async def _asked(learner: Learner, question: str) -> float:
    """Seconds from the question to the bot's answer, the way over loopback included."""
    began = time.perf_counter()
    asked = await learner.mention(question)
    await learner.wait_for_answer(asked, 60)
    return time.perf_counter() - began

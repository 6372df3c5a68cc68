"""A question in until its answer is sent, against one bare call of the encoder."""

import asyncio
import time

from benchmarks.comparison import Comparison
from bot.playground.learner import Learner
from bot.playground.server import open_playground
from bot.program import at_playground, run_bot
from bot.settings import Settings
from knowledge.encoder import open_encoder

_QUESTIONS = (
    "训练集准确率很高但是测试集很差怎么回事",
    "how do I make training cheaper",
    "模型把题背下来了，一考新题就挂",
    "只标得起两百张图，还想要能上线的分类器",
    "红烧肉怎么做",
)
_ROUNDS = 40


async def answer_against_bare_encoding(settings: Settings) -> Comparison:
    """Each question is asked in the playground and, in turn, encoded by a bare encoder."""
    encoder = await asyncio.to_thread(open_encoder, settings)
    ours: list[float] = []
    bare: list[float] = []
    async with open_playground() as playground, Learner(playground.url, "小明") as learner:
        tutor = asyncio.create_task(run_bot(at_playground(settings, playground), playground.clock))
        await learner.wait_for_bot(60)
        await _asked(learner, _QUESTIONS[0])
        for number in range(_ROUNDS):
            question = _QUESTIONS[number % len(_QUESTIONS)]
            ours.append(await _asked(learner, question))
            began = time.perf_counter()
            await asyncio.to_thread(encoder.encode_queries, [question])
            bare.append(time.perf_counter() - began)
        tutor.cancel()
        await asyncio.gather(tutor, return_exceptions=True)
    return Comparison(
        "question in to answer sent / one bare encoder call", tuple(ours), tuple(bare)
    )


async def _asked(learner: Learner, question: str) -> float:
    """Seconds from the question to the bot's answer, the way over loopback included."""
    began = time.perf_counter()
    asked = await learner.mention(question)
    await learner.wait_for_answer(asked, 60)
    return time.perf_counter() - began

"""``/run`` until its result is shown, against the same training as a plain script."""

import asyncio
import time

from benchmarks.comparison import Comparison
from benchmarks.plain_script import run_plain_script
from bot.playground.learner import Learner
from bot.playground.server import open_playground
from bot.program import at_playground, run_bot
from bot.settings import Settings

_EXAMPLE = "tensorflow-simple-network"
_EPOCHS = 5
_ROUNDS = 5


async def run_against_plain_script(settings: Settings) -> Comparison:
    """The tutor's runs are warm; a plain script pays for its imports each time."""
    ours: list[float] = []
    bare: list[float] = []
    async with open_playground() as playground, Learner(playground.url, "小明") as learner:
        tutor = asyncio.create_task(run_bot(at_playground(settings, playground), playground.clock))
        await learner.wait_for_bot(60)
        await _run(learner)
        for _ in range(_ROUNDS):
            ours.append(await _run(learner))
            bare.append((await run_plain_script(_EXAMPLE, epochs=_EPOCHS)).end)
        tutor.cancel()
        await asyncio.gather(tutor, return_exceptions=True)
    return Comparison(
        f"/run {_EXAMPLE} to its result / the same training as a plain script",
        tuple(ours),
        tuple(bare),
    )


async def _run(learner: Learner) -> float:
    before = {message["id"] for message in await learner.messages()}
    began = time.perf_counter()
    await learner.slash("run", example=_EXAMPLE, settings=f"epochs={_EPOCHS}")
    await learner.wait_for_message(
        lambda message: message["id"] not in before and "✅" in message["content"], 120
    )
    return time.perf_counter() - began

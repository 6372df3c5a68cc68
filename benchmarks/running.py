"""``/run`` until its result is shown, against the same training as a plain script."""

import asyncio
import sys
import time

from benchmarks.comparison import Comparison
from bot.playground.learner import Learner
from bot.playground.server import open_playground
from bot.program import at_playground, run_bot
from bot.settings import Settings

_EXAMPLE = "tensorflow-simple-network"
_SETTINGS = "epochs=5"
_ROUNDS = 5

_SCRIPT = """
from pathlib import Path
from runners.examples.tensorflow_simple_network import EXAMPLE

class Plain:
    datasets = Path("nowhere")
    def progress(self, done, total, note=None): pass
    def metric(self, step=None, **values): pass
    def log(self, text): pass
    def figure(self, name, figure, title, alt): figure.savefig("/dev/null", format="png")

EXAMPLE.run(Plain(), EXAMPLE.parameters(epochs=5))
"""


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
            bare.append(await _script())
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
    await learner.slash("run", example=_EXAMPLE, settings=_SETTINGS)
    await learner.wait_for_message(
        lambda message: message["id"] not in before and "✅" in message["content"], 120
    )
    return time.perf_counter() - began


async def _script() -> float:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _SCRIPT),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    if await process.wait():
        raise RuntimeError("the plain script failed")
    return time.perf_counter() - began

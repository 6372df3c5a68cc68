"""Examples through the runner, one after the other, their memory on the card watched."""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.example_run import ExampleRun
from benchmarks.gpu_memory import CardGauge, CardMemory
from runners.catalogue import Catalogue
from runners.jobs.cards import graphics_cards
from runners.jobs.workshop import Runner, open_runner
from runners.protocol.jobs import Submission
from runners.settings import RunnerSettings

_EVERY_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended, and the most that it held on the graphics cards."""

    run: ExampleRun
    card: CardMemory | None


async def run_examples(
    settings: RunnerSettings, catalogue: Catalogue, names: Sequence[str]
) -> list[Ran]:
    """Run each at its default. What they write goes away again with a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="xueban-gpu-") as folder:
        place = Path(folder)
        apart = settings.model_copy(
            update={
                "data_dir": place / "data",
                "datasets_dir": settings.datasets,
                "encoder": str(settings.encoder_folder),
            }
        )
        async with open_runner(apart, catalogue, place / "jobs.db", place / "scratch") as runner:
            ran: list[Ran] = []
            for name in names:
                print(f"{name} …", file=sys.stderr, flush=True)
                ran.append(await run_watched(runner, Submission(example=name)))
            return ran


async def run_watched(runner: Runner, submission: Submission) -> Ran:
    """Run one to its end."""
    gauge = CardGauge(await graphics_cards())
    await gauge.begin()
    submitted, _ = runner.dispatcher.submit(submission)
    while not (view := runner.journal.view(submitted.id)).state.final:
        trace = runner.journal.trace(submitted.id)
        if trace is not None:
            await gauge.sample(trace.pid)
        await asyncio.sleep(_EVERY_S)
    info = runner.catalogue[submission.example].info
    return Ran(ExampleRun(info, view), gauge.peak)

"""A job's first metric and its end, warm against the same training as a plain, cold script."""

import asyncio
import sys
import time
from typing import NamedTuple

from benchmarks.comparison import Comparison
from bot.settings import Settings
from runners.client import RunnerClient
from runners.local import open_local_runner
from runners.protocol.events import Metric, Started
from runners.protocol.jobs import Submission
from runners.protocol.words import Framework

_ROUNDS = 7
_PARAMETERS = {"epochs": 3}
_SCRIPT = """
import sys, time
from pathlib import Path
from runners.examples.{module} import EXAMPLE

class Plain:
    datasets = encoder = bank = Path("nowhere")
    told = False
    def progress(self, done, total, note=None): pass
    def metric(self, step=None, **values):
        if not self.told:
            self.told = True
            print(time.time(), flush=True)
    def log(self, text): pass
    def figure(self, name, figure, title, alt): figure.savefig("/dev/null", format="png")

EXAMPLE.run(Plain(), EXAMPLE.parameters(epochs=3))
"""


class _Times(NamedTuple):
    """Seconds from the submission, or the script's start: to the start, first metric and end."""

    started: float
    first_metric: float
    end: float


async def jobs_against_cold_scripts(settings: Settings) -> tuple[Comparison, ...]:
    """For each framework: to the first metric, to the end, and what starting takes of it."""
    comparisons: list[Comparison] = []
    async with open_local_runner(settings) as runner:
        for framework in Framework:
            example = f"{framework}-simple-network"
            await _job(runner, example)  # the first one waits for the framework to load
            ours: list[_Times] = []
            bare: list[_Times] = []
            for _ in range(_ROUNDS):
                ours.append(await _job(runner, example))
                bare.append(await _script(example))
            comparisons += [
                Comparison(
                    f"{example}: {title}",
                    tuple(own(times) for times in ours),
                    tuple(other(times) for times in bare),
                )
                for title, own, other in (
                    ("submit to first metric / cold script", _first_metric, _first_metric),
                    ("submit to end / cold script, total", _end, _end),
                    ("submit to started / cold script to first metric", _started, _first_metric),
                )
            ]
    return tuple(comparisons)


def _started(times: _Times) -> float:
    return times.started


def _first_metric(times: _Times) -> float:
    return times.first_metric


def _end(times: _Times) -> float:
    return times.end


async def _job(runner: RunnerClient, example: str) -> _Times:
    began = time.perf_counter()
    job = await runner.submit(Submission(example=example, parameters={**_PARAMETERS}))
    started = first_metric = 0.0
    async for event in runner.follow(job.id):
        if isinstance(event, Started):
            started = time.perf_counter() - began
        elif isinstance(event, Metric) and not first_metric:
            first_metric = time.perf_counter() - began
    return _Times(started, first_metric, time.perf_counter() - began)


async def _script(example: str) -> _Times:
    code = _SCRIPT.format(module=example.replace("-", "_"))
    began = time.time()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    told, _ = await process.communicate()
    ended = time.time()
    if process.returncode:
        raise RuntimeError("the plain script failed")
    return _Times(0, float(told.split()[0]) - began, ended - began)

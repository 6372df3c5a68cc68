"""A job's first metric and its end: warm against a cold script, on a cluster against here."""

import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.comparison import Comparison
from benchmarks.plain_script import Script, run_plain_script
from bot.settings import Settings
from runners.client import RunnerClient
from runners.jobs.measure import cores
from runners.local import open_local_runner
from runners.protocol.events import Metric, Started
from runners.protocol.jobs import Submission
from runners.protocol.words import Framework

_ROUNDS = 7
_EPOCHS = 3


class _Job(NamedTuple):
    """Seconds from the submission to the start, to the first metric and to the end."""

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
            ours: list[_Job] = []
            bare: list[Script] = []
            for _ in range(_ROUNDS):
                ours.append(await _job(runner, example))
                bare.append(await run_plain_script(example, epochs=_EPOCHS))
            first_metric = tuple(script.first_metric for script in bare)
            comparisons += [
                Comparison(
                    f"{example}: submit to first metric / cold script",
                    tuple(job.first_metric for job in ours),
                    first_metric,
                ),
                Comparison(
                    f"{example}: submit to end / cold script, total",
                    tuple(job.end for job in ours),
                    tuple(script.end for script in bare),
                ),
                Comparison(
                    f"{example}: submit to started / cold script to first metric",
                    tuple(job.started for job in ours),
                    first_metric,
                ),
            ]
    return tuple(comparisons)


async def jobs_on_a_cluster_against_here(settings: Settings) -> tuple[Comparison, ...]:
    """What a Ray cluster of this one computer adds to a job in a place that is warm."""
    example = f"{Framework.PYTORCH}-simple-network"
    here: list[_Job] = []
    there: list[_Job] = []
    with tempfile.TemporaryDirectory() as folder:
        clustered = settings.model_copy(
            update={"data_dir": Path(folder), "runner_engine": "ray", "ray_cpus": cores()}
        )
        async with open_local_runner(settings) as local, open_local_runner(clustered) as cluster:
            for runner in (local, cluster):
                await _job(runner, example)
            for _ in range(_ROUNDS):
                here.append(await _job(local, example))
                there.append(await _job(cluster, example))
    return (
        Comparison(
            f"{example}: submit to started, Ray / here",
            tuple(job.started for job in there),
            tuple(job.started for job in here),
        ),
        Comparison(
            f"{example}: submit to end, Ray / here",
            tuple(job.end for job in there),
            tuple(job.end for job in here),
        ),
    )


async def _job(runner: RunnerClient, example: str) -> _Job:
    began = time.perf_counter()
    job = await runner.submit(Submission(example=example, parameters={"epochs": _EPOCHS}))
    started = first_metric = 0.0
    async for event in runner.follow(job.id):
        if isinstance(event, Started):
            started = time.perf_counter() - began
        elif isinstance(event, Metric) and not first_metric:
            first_metric = time.perf_counter() - began
    return _Job(started, first_metric, time.perf_counter() - began)

"""``make bench-examples``: every example at its default, written down in EXAMPLES.md."""

import argparse
import asyncio
import os
import platform
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.example_run import ExampleRun
from bot.settings import load_settings
from runners.catalogue import load_catalogue
from runners.jobs.journal import Quiet
from runners.jobs.workshop import Runner, open_runner
from runners.protocol.catalogue import MetricInfo
from runners.protocol.jobs import JobView, Submission

_REPORT = Path(__file__).parent / "EXAMPLES.md"


def main() -> None:
    """Run all, one after another, and write the report."""
    parser = argparse.ArgumentParser(prog="benchmarks.examples")
    parser.add_argument("only", nargs="*", metavar="ID", help="these only; nothing is written then")
    options = parser.parse_args()
    runs = asyncio.run(_run_all(options.only))
    if not options.only:
        _REPORT.write_text(report(runs, datetime.now(UTC)), encoding="utf-8")
    failed = [run.info.id for run in runs if not run.succeeded]
    if failed:
        raise SystemExit(f"not succeeded: {', '.join(failed)}")
    unshown = [run.info.id for run in runs if not run.shows_all]
    if unshown:
        raise SystemExit(f"not shown what they claim: {', '.join(unshown)}")


async def _run_all(only: Sequence[str]) -> list[ExampleRun]:
    prepared = load_settings()
    runs: list[ExampleRun] = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "encoder").symlink_to(prepared.data_dir / "encoder")
        settings = load_settings(data_dir=place)
        catalogue = load_catalogue(pythons=settings.pythons)
        async with open_runner(settings, catalogue, place / "jobs.db", place / "scratch") as runner:
            for info in catalogue:
                if info.available and (not only or info.id in only):
                    run = ExampleRun(info, await _ended(runner, info.id))
                    print(line(run), flush=True)
                    runs.append(run)
    return runs


async def _ended(runner: Runner, example: str) -> JobView:
    view, _ = runner.dispatcher.submit(Submission(example=example))
    async for batch in runner.journal.follow(view.id, 0, quiet_s=60):
        if isinstance(batch, Quiet):
            print(f"{example} …", flush=True)
    return runner.journal.view(view.id)


def line(run: ExampleRun) -> str:
    """A run on one row of the report's first table."""
    measured = run.view.measured
    seconds = "" if measured is None else f"{measured.elapsed_s:.1f}"
    memory = "" if measured is None else f"{measured.peak_memory_mb:,.0f}"
    end = "" if run.view.failure is None else f": {run.view.failure.message}"
    return (
        f"| `{run.info.id}` | {run.view.state}{end} | {run.share_shown} | {seconds} | {memory} "
        f"| {run.view.device} |"
    )


def report(runs: Sequence[ExampleRun], at: datetime) -> str:
    """The whole report, in Markdown."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = {name: text for run in runs for name, text in run.view.versions.items()}
    walls = sorted({str(wall) for run in runs for wall in run.view.walls})
    head = [
        "# The examples at their defaults",
        "",
        (
            f"Written by `make bench-examples` on {at:%Y-%m-%d}, on {os.cpu_count()} cores of "
            f"{platform.machine()} with {memory:.0f} GiB; "
            f"{', '.join(f'{name} {text}' for name, text in versions.items())}; walls: "
            f"{', '.join(walls) or 'none'}. One run each, seed 0, one by one. Time and memory "
            "are measured by the parent of the job's process, from its start to its end; memory is "
            "the highest resident memory of all its processes, the loaded framework included. "
            "What an example claims is held against its results by the same rules as in the chat."
        ),
        "",
        "| example | ended | claims shown | time (s) | peak memory (MiB) | device |",
        "|---|---|---|---|---|---|",
        *map(line, runs),
        "",
        "## What they measured",
        *(text for run in runs for text in _results(run)),
    ]
    return "\n".join(head) + "\n"


def _results(run: ExampleRun) -> list[str]:
    named = {metric.name: metric for metric in run.info.metrics}
    rows = [
        f"| {_title(named.get(name), name)} | {value:,.5g} | {_unit(named.get(name))} |"
        for name, value in run.view.metrics.items()
    ]
    compares = "" if run.info.compares is None else f" Compared: {run.info.compares.en}."
    claims = [f"- {each.mark} {each.text('en')}" for each in run.found]
    alts = [figure.alt.en for figure in run.view.figures]
    return [
        "",
        f"### `{run.info.id}`: {run.info.title.en}",
        "",
        f"{run.info.look_at.en}{compares}",
        *(["", *claims] if claims else []),
        *(["", "| result | value | unit |", "|---|---|---|", *rows] if rows else []),
        *(line for alt in alts for line in ("", f"Its picture: {alt}")),
    ]


def _title(metric: MetricInfo | None, name: str) -> str:
    return name if metric is None else metric.title.en


def _unit(metric: MetricInfo | None) -> str:
    return "" if metric is None else metric.unit


if __name__ == "__main__":
    main()

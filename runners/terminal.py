"""Examples in a terminal: the list of them, and one that runs with a progress bar."""

import asyncio
import json
import math
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from runners.catalogue import Catalogue
from runners.comparison import chart, compare, label
from runners.jobs.journal import Quiet
from runners.jobs.workshop import Runner, open_runner
from runners.protocol.catalogue import ExampleInfo
from runners.protocol.claims import findings
from runners.protocol.comparison import Comparison, Verdict
from runners.protocol.events import Log
from runners.protocol.jobs import JobView, Submission, fold
from runners.protocol.settings_text import allowed
from runners.protocol.words import JobState, Language, Wall
from runners.settings import RunnerSettings

_QUIET_S = 60
_WALLS = {Wall.NETWORK: "no network", Wall.FILES: "read-only files"}
_NUMBERS = 2


def show_catalogue(catalogue: Catalogue, language: Language) -> None:
    """Print what can run, and what of it can be set."""
    console = Console()
    for info in catalogue:
        missing = "" if info.available else f"  [red]({info.reason})[/red]"
        console.print(f"[bold]{info.id}[/bold]  {info.framework}{missing}", highlight=False)
        console.print(f"  {info.title.text(language)}", highlight=False)
        table = Table(box=None, show_header=False, padding=(0, 2))
        for parameter in info.parameters:
            table.add_row(
                f"{parameter.name}={parameter.default}",
                parameter.description.text(language),
                allowed(parameter, language),
            )
        console.print(table)


async def run_in_terminal(
    settings: RunnerSettings,
    catalogue: Catalogue,
    submission: Submission,
    *,
    language: Language,
    as_json: bool,
) -> int:
    """Run one example to its end; the exit status, 0 only when it succeeded.

    Progress goes to standard error. Ctrl-C cancels. What the job draws is kept in the data
    folder; nothing else of it is.
    """
    with tempfile.TemporaryDirectory(prefix="xueban-run-") as folder:
        place = Path(folder)
        async with open_runner(settings, catalogue, place / "jobs.db", place / "scratch") as runner:
            submitted, _ = runner.dispatcher.submit(submission)
            asyncio.get_running_loop().add_signal_handler(
                signal.SIGINT, runner.dispatcher.cancel, submitted.id
            )
            view = await _follow(runner, submitted, language)
            artifacts = [
                str(runner.artifacts.path(view.id, figure.name)) for figure in view.figures
            ]
    if as_json:
        told = report(view, catalogue[view.example].info, artifacts)
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        _show(view, catalogue[view.example].info, artifacts, language)
    return 0 if view.state is JobState.SUCCEEDED else 1


async def compare_in_terminal(
    settings: RunnerSettings,
    catalogue: Catalogue,
    sides: tuple[Sequence[Submission], Sequence[Submission]],
    *,
    language: Language,
    as_json: bool,
) -> int:
    """Run both sides to their end and set them side by side; the exit status.

    The chart is kept in the data folder. Ctrl-C cancels all runs.
    """
    with tempfile.TemporaryDirectory(prefix="xueban-compare-") as folder:
        place = Path(folder)
        async with open_runner(settings, catalogue, place / "jobs.db", place / "scratch") as runner:
            jobs = [[runner.dispatcher.submit(each)[0] for each in side] for side in sides]

            def cancel() -> None:
                for job in chain(*jobs):
                    runner.dispatcher.cancel(job.id)

            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, cancel)
            ended = [[await _follow(runner, job, language) for job in side] for side in jobs]
    failed = next((view for view in chain(*ended) if view.state is not JobState.SUCCEEDED), None)
    if failed is not None:
        _show(failed, catalogue[failed.example].info, [], language)
        return 1
    comparison = compare(ended[0], ended[1], {info.id: info for info in catalogue})
    path = settings.data_dir / "comparison.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(chart(comparison))
    if as_json:
        sys.stdout.write(json.dumps({**comparison.model_dump(), "chart": str(path)}) + "\n")
    else:
        _show_comparison(comparison, path, language)
    return 0


def _show_comparison(comparison: Comparison, path: Path, language: Language) -> None:
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    for name, side in (("A", comparison.a), ("B", comparison.b)):
        console.print(f"{name}  {label(side)}  ({len(side.seeds)} seeds)", markup=False)
    table = Table(box=None, padding=(0, 2))
    for head in ("", "A", "B", "B - A", "±"):
        table.add_column(head, justify="left" if not head else "right")
    for row in comparison.rows:
        noise = "?" if row.noise is None else f"{row.noise:.2g}"
        mark = " *" if row.verdict is Verdict.CLEAR else ""
        unit = f" ({row.unit})" if row.unit else ""
        numbers = (f"{value:.5g}" for value in (row.mean_a, row.mean_b))
        name = row.title.text(language) + unit
        table.add_row(name, *numbers, f"{row.difference:+.4g}{mark}", noise)
    console.print(table)
    console.print(comparison.words.text(language), markup=False)
    console.print(str(path), markup=False)


def report(view: JobView, info: ExampleInfo, artifacts: list[str]) -> dict[str, object]:
    """A job that has ended, as one JSON object; numbers that are not finite are null."""
    measured = view.measured
    return {
        "example": view.example,
        "framework": view.framework,
        "state": view.state,
        "device": view.device,
        "metrics": _finite(view.metrics),
        "history": [{"step": row.step, **_finite(row.values)} for row in view.history],
        "artifacts": artifacts,
        "elapsed_s": None if measured is None else round(measured.elapsed_s, 3),
        "peak_memory_mb": None if measured is None else round(measured.peak_memory_mb, 1),
        "parameters": view.parameters,
        "seed": view.seed,
        "versions": view.versions,
        "birth": view.birth,
        "walls": view.walls,
        "failure": None
        if view.failure is None
        else {"reason": view.failure.reason, "message": view.failure.message},
        "claims": [
            {"text": found.text("en"), "holds": found.holds}
            for found in findings(info, view.metrics)
        ],
    }


def _finite(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


async def _follow(runner: Runner, view: JobView, language: Language) -> JobView:
    """Show the job's progress until its end."""
    console = Console(stderr=True, soft_wrap=True, emoji=False)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    )
    view = runner.journal.view(view.id)
    with bar:
        shown = bar.add_task(view.example, total=None, note="")
        async for batch in runner.journal.follow(view.id, view.sequence, _QUIET_S):
            if isinstance(batch, Quiet):
                continue
            for event in batch:
                view = fold(view, event)
                if isinstance(event, Log):
                    console.print(event.text, markup=False, highlight=False)
            bar.update(shown, **_shown(view, language))
    return view


def _shown(view: JobView, language: Language) -> dict[str, Any]:
    latest = view.history[-1].values if view.history else view.metrics
    numbers = "  ".join(f"{name} {value:.4g}" for name, value in islice(latest.items(), _NUMBERS))
    progress = view.progress
    if progress is None:
        return {"note": numbers}
    note = "" if progress.note is None else f"{progress.note.text(language)}  "
    return {"completed": progress.done, "total": progress.total, "note": f"{note}{numbers}"}


def _show(view: JobView, info: ExampleInfo, artifacts: list[str], language: Language) -> None:
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    end = "" if view.failure is None else f" ({view.failure.reason}): {view.failure.message}"
    console.print(f"{view.example} {view.state}{end}", markup=False)
    for name, value in view.metrics.items():
        console.print(f"  {name} = {value:.6g}", markup=False)
    for found in findings(info, view.metrics):
        console.print(f"  {found.mark} {found.text(language)}", markup=False)
    if view.measured is not None:
        versions = ", ".join(f"{name} {version}" for name, version in view.versions.items())
        console.print(
            f"  {view.measured.elapsed_s:.1f} s, {view.measured.peak_memory_mb:.0f} MiB, "
            f"{view.device}, seed {view.seed}, {versions}",
            markup=False,
        )
    if view.birth is not None:
        walls = " and ".join(_WALLS[wall] for wall in view.walls) or "no walls"
        console.print(f"  {view.birth}, {walls}", markup=False)
    for path in artifacts:
        console.print(f"  {path}", markup=False)
    if view.failure is not None and view.failure.detail:
        Console(stderr=True, emoji=False).print(
            view.failure.detail, markup=False, highlight=False, soft_wrap=True
        )

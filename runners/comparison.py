# scipy ships no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
"""Compares runs over seeds: in one table, in words, and in one chart."""

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from runners.errors import BadRequestError
from runners.protocol.catalogue import ExampleInfo, MetricInfo, ParameterValue
from runners.protocol.comparison import Comparison, Row, Side, Verdict
from runners.protocol.jobs import JobView
from runners.protocol.words import JobState, Text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS: Final = 3
"""How many seeds a side needs before a difference can be told from noise."""

_LEVEL: Final = 0.05
_PANELS: Final = 3
_MEASURED: Final = (
    MetricInfo(name="elapsed_s", title=Text(zh="用时", en="time"), unit="s"),
    MetricInfo(name="peak_memory_mb", title=Text(zh="内存峰值", en="peak memory"), unit="MiB"),
)


def compare(
    a: Sequence[JobView], b: Sequence[JobView], examples: Mapping[str, ExampleInfo]
) -> Comparison:
    """The comparison of two sides' runs; ``examples`` tells how to read their metrics.

    Runs with the same seeds on both sides are compared pair by pair, others as two samples.
    Raises BadRequestError when a run has not succeeded, when one side holds runs of several
    examples or settings, or when there is nothing that both sides measured.
    """
    first, second = _side(a), _side(b)
    shared = {
        name
        for name, value in first.settings.items()
        if second.settings.get(name, value) == value and name in second.settings
    }
    infos = [examples[side.example] for side in (first, second) if side.example in examples]
    rows = tuple(_rows(_by_seed(a), _by_seed(b), infos))
    if not rows:
        raise BadRequestError("the two sides measured nothing in common")
    return Comparison(
        a=_without(first, shared), b=_without(second, shared), rows=rows, words=_words(rows)
    )


def draw(comparison: Comparison) -> "Figure":
    """The chart of a comparison: for its most telling measures a bar a side, a dot a seed."""
    from runners.figures import new_figure, sample_bars

    shown = sorted(comparison.rows, key=_telling)[:_PANELS]
    names = (f"A {label(comparison.a)}", f"B {label(comparison.b)}")
    with new_figure(f"{names[0]}\n{names[1]}", panels=len(shown)) as (figure, panels):
        for axes, row in zip(panels, shown, strict=True):
            unit = f" ({row.unit})" if row.unit else ""
            sample_bars(axes, f"{row.title.zh} {row.title.en}{unit}", {"A": row.a, "B": row.b})
    return figure


def chart(comparison: Comparison) -> bytes:
    """`draw` as a PNG file."""
    file = io.BytesIO()
    draw(comparison).savefig(file, format="png")
    return file.getvalue()


def label(side: Side) -> str:
    """A side on one line: the example and what is set apart."""
    return " ".join([side.example, *(f"{name}={value}" for name, value in side.settings.items())])


def _side(views: Sequence[JobView]) -> Side:
    unfinished = next((view for view in views if view.state is not JobState.SUCCEEDED), None)
    if unfinished is not None:
        raise BadRequestError(f"job {unfinished.id} has not succeeded: {unfinished.state}")
    settings = [_settings(view) for view in views]
    if any(
        (view.example, each) != (views[0].example, settings[0])
        for view, each in zip(views, settings, strict=True)
    ):
        raise BadRequestError("the runs of one side differ in more than their seed")
    seeds = tuple(sorted(view.seed for view in views))
    if len(set(seeds)) != len(seeds):
        raise BadRequestError("one side has two runs of the same seed")
    return Side(example=views[0].example, settings=settings[0], seeds=seeds)


def _settings(view: JobView) -> dict[str, ParameterValue]:
    return {name: value for name, value in view.parameters.items() if name != "seed"}


def _without(side: Side, shared: Iterable[str]) -> Side:
    apart = {name: value for name, value in side.settings.items() if name not in set(shared)}
    return side.model_copy(update={"settings": apart})


def _by_seed(views: Sequence[JobView]) -> dict[int, dict[str, float]]:
    return {
        view.seed: {**view.metrics, **({} if view.measured is None else dict(view.measured))}
        for view in sorted(views, key=lambda view: view.seed)
    }


def _rows(
    a: Mapping[int, Mapping[str, float]],
    b: Mapping[int, Mapping[str, float]],
    infos: Sequence[ExampleInfo],
) -> Iterable[Row]:
    known = {metric.name: metric for info in infos for metric in (*info.metrics, *_MEASURED)}
    runs = [*a.values(), *b.values()]
    for name in dict.fromkeys([*known, *runs[0]]):
        if not all(math.isfinite(run.get(name, math.nan)) for run in runs):
            continue
        info = known.get(name) or MetricInfo(name=name, title=Text(zh=name, en=name))
        yield _row(
            info,
            [run[name] for run in a.values()],
            [run[name] for run in b.values()],
            paired=tuple(a) == tuple(b),
        )


def _row(info: MetricInfo, a: list[float], b: list[float], *, paired: bool) -> Row:
    difference = fmean(b) - fmean(a)
    noise = _noise(a, b, paired=paired)
    if noise is None:
        verdict = Verdict.UNKNOWN
    elif difference == 0 and a == b:
        verdict = Verdict.SAME
    else:
        verdict = Verdict.CLEAR if abs(difference) > noise else Verdict.NOISE
    return Row(
        metric=info.name,
        title=info.title,
        unit=info.unit,
        a=tuple(a),
        b=tuple(b),
        mean_a=fmean(a),
        mean_b=fmean(b),
        difference=difference,
        noise=noise,
        verdict=verdict,
    )


def _noise(a: list[float], b: list[float], *, paired: bool) -> float | None:
    """Half the width of the difference's 95 % interval; None with too few seeds.

    Student's interval of the differences where the runs are pairs, else Welch's (1947).
    """
    if min(len(a), len(b)) < SEEDS:
        return None
    from scipy import stats

    if paired:
        differences = [after - before for before, after in zip(a, b, strict=True)]
        error, freedom = math.sqrt(_variance(differences) / len(a)), float(len(a) - 1)
    else:
        parts = _variance(a) / len(a), _variance(b) / len(b)
        error = math.sqrt(sum(parts))
        freedom = (
            sum(parts) ** 2 / (parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1))
            if error
            else 1.0
        )
    quantile: Any = stats.t.ppf(1 - _LEVEL / 2, freedom)
    return float(quantile) * error


def _variance(values: Sequence[float]) -> float:
    mean = fmean(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)


def _telling(row: Row) -> tuple[bool, bool, float]:
    """Clear differences first, results before what the parent measured, the larger ones first."""
    size = abs(row.difference) / max(abs(row.mean_a), abs(row.mean_b), 1e-12)
    measured = row.metric in {metric.name for metric in _MEASURED}
    return (row.verdict is not Verdict.CLEAR, measured, -size)


def _words(rows: Sequence[Row]) -> Text:
    if all(row.verdict is Verdict.UNKNOWN for row in rows):
        return Text(
            zh=f"每边不到 {SEEDS} 个种子，分不清差别来自设置还是随机。",
            en=f"With fewer than {SEEDS} seeds a side nobody can tell the settings from chance.",
        )
    clear = [row for row in rows if row.verdict is Verdict.CLEAR]
    noise = [row for row in rows if row.verdict is Verdict.NOISE]
    same = [row for row in rows if row.verdict is Verdict.SAME]
    zh = [f"{row.title.zh}：B 比 A {_change(row, 'zh')}，超出种子波动。" for row in clear]
    en = [f"{row.title.en}: B is {_change(row, 'en')} than A, beyond seed noise." for row in clear]
    if noise:
        zh.append(f"在种子波动之内，看不出差别：{'、'.join(row.title.zh for row in noise)}。")
        en.append(f"Within seed noise: {', '.join(row.title.en for row in noise)}.")
    if same:
        zh.append(f"完全一样：{'、'.join(row.title.zh for row in same)}。")
        en.append(f"The same: {', '.join(row.title.en for row in same)}.")
    return Text(zh="\n".join(zh), en="\n".join(en))


def _change(row: Row, language: str) -> str:
    spread = f" (± {row.noise:.2g})" if row.noise else ""
    size = f"{abs(row.difference):.4g}{f' {row.unit}' if row.unit else ''}{spread}"
    if language == "zh":
        return f"{'高' if row.difference > 0 else '低'} {size}"
    return f"{size} {'higher' if row.difference > 0 else 'lower'}"

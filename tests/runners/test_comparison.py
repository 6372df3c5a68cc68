from datetime import UTC, datetime

import pytest

from runners.comparison import chart, compare, draw, label
from runners.errors import BadRequestError
from runners.protocol.catalogue import ExampleInfo, MetricInfo, ParameterValue
from runners.protocol.comparison import Comparison, Verdict
from runners.protocol.events import Measured
from runners.protocol.jobs import JobView
from runners.protocol.words import Framework, JobId, JobState, Text

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
INFO = ExampleInfo(
    id="steady",
    framework=Framework.PYTORCH,
    title=Text(zh="稳", en="steady"),
    look_at=Text(zh="看", en="look"),
    parameters=(),
    metrics=(
        MetricInfo(name="accuracy", title=Text(zh="准确率", en="accuracy")),
        MetricInfo(name="step_ms", title=Text(zh="每步", en="step"), unit="ms"),
    ),
    limit_s=60,
    code="",
)


def run(seed: int, parameters: dict[str, ParameterValue], **metrics: float) -> JobView:
    return JobView(
        id=JobId(f"{seed:032d}"),
        example="steady",
        framework=Framework.PYTORCH,
        parameters={"seed": seed, "epochs": 3, **parameters},
        seed=seed,
        submitted_at=AT,
        state=JobState.SUCCEEDED,
        metrics=metrics,
        measured=Measured(elapsed_s=1 + seed / 10, peak_memory_mb=100),
    )


def side(rate: float, *accuracies: float, first: int = 0) -> list[JobView]:
    return [
        run(seed, {"rate": rate}, accuracy=value, step_ms=5 + seed)
        for seed, value in enumerate(accuracies, start=first)
    ]


def compared(a: list[JobView], b: list[JobView]) -> Comparison:
    return compare(a, b, {"steady": INFO})


def verdicts(comparison: Comparison) -> dict[str, Verdict]:
    return {row.metric: row.verdict for row in comparison.rows}


def test_a_difference_is_set_against_that_of_the_seeds() -> None:
    told = compared(side(0.1, 0.90, 0.92, 0.91), side(0.2, 0.95, 0.97, 0.965))
    row = told.rows[0]
    assert row.a == (0.90, 0.92, 0.91)
    assert row.difference == pytest.approx(0.05167, abs=1e-4)
    # the differences .05, .05, .055: standard error .00167, Student's t with 2 degrees 4.303
    assert row.noise == pytest.approx(0.00717, abs=1e-4)
    assert verdicts(told) == {
        "accuracy": Verdict.CLEAR,
        "step_ms": Verdict.SAME,
        "elapsed_s": Verdict.SAME,
        "peak_memory_mb": Verdict.SAME,
    }
    assert (label(told.a), label(told.b)) == ("steady rate=0.1", "steady rate=0.2")
    assert told.words.zh.splitlines()[0] == "准确率：B 比 A 高 0.05167 (± 0.0072)，超出种子波动。"
    assert "accuracy: B is 0.05167 (± 0.0072) higher than A" in told.words.en


def test_what_seeds_explain_is_called_noise() -> None:
    told = compared(side(0.1, 0.90, 0.92, 0.88), side(0.2, 0.91, 0.90, 0.93))
    assert verdicts(told)["accuracy"] is Verdict.NOISE
    assert "看不出差别：准确率。" in told.words.zh


def test_other_seeds_are_two_samples() -> None:
    a, b = side(0.1, 0.1, 0.2, 0.3), side(0.2, 0.9, 1.0, 1.1, first=5)
    row = compared(a, b).rows[0]
    # Welch: both variances .01, standard error .0816, 4 degrees of freedom, t 2.776
    assert row.noise == pytest.approx(0.2267, abs=1e-3)
    assert row.verdict is Verdict.CLEAR


def test_with_too_few_seeds_nobody_can_tell() -> None:
    told = compared(side(0.1, 0.1, 0.2), side(0.2, 0.9, 1.0))
    assert set(verdicts(told).values()) == {Verdict.UNKNOWN}
    assert "分不清" in told.words.zh


def test_runs_that_do_not_belong_together_are_refused() -> None:
    good = side(0.1, 0.1, 0.2, 0.3)
    failed = good[0].model_copy(update={"state": JobState.FAILED})
    for wrong, why in (
        ([failed, *good[1:]], "has not succeeded"),
        ([*good, *side(0.2, 0.4, first=9)], "differ in more than their seed"),
        ([*good, good[0]], "two runs of the same seed"),
    ):
        with pytest.raises(BadRequestError, match=why):
            compared(wrong, good)
    other = [view.model_copy(update={"metrics": {}, "measured": None}) for view in good]
    with pytest.raises(BadRequestError, match="nothing in common"):
        compared(good, other)


def test_the_chart_shows_the_most_telling_measures_first() -> None:
    told = compared(side(0.1, 0.90, 0.92, 0.91), side(0.2, 0.95, 0.97, 0.965))
    figure = draw(told)
    assert [axes.get_title() for axes in figure.axes] == [
        "准确率 accuracy",
        "每步 step (ms)",
        "用时 time (s)",
    ]
    dots = [list(map(float, line.get_ydata())) for line in figure.axes[0].get_lines()]  # pyright: ignore[reportArgumentType]
    assert dots == [[0.90, 0.92, 0.91], [0.95, 0.97, 0.965]]
    assert chart(told).startswith(b"\x89PNG")

from datetime import UTC, datetime, timedelta

from runners.jobs.intake import LOG_LINES, RESULTS, ROWS, Intake
from runners.jobs.messages import LogReport, MetricReport, ProgressReport
from runners.protocol.events import Event, Log, Metric, Progress

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def test_progress_is_thinned_and_its_newest_is_never_lost() -> None:
    intake = Intake()
    events: list[Event] = []
    for done in range(1, 101):
        now = after(done / 100)
        events += intake.report(ProgressReport(done=done, total=100), now)
    events += intake.rest(after(1))
    assert [event.done for event in events if isinstance(event, Progress)] == [1, 26, 51, 76, 100]


def test_progress_held_back_comes_when_it_is_due() -> None:
    intake = Intake()
    assert len(intake.report(ProgressReport(done=1, total=9), AT)) == 1
    assert intake.report(ProgressReport(done=2, total=9), after(0.1)) == []
    assert intake.due(after(0.2)) == []
    assert [event.type for event in intake.due(after(0.3))] == ["progress"]
    assert intake.rest(after(9)) == []


def test_log_lines_are_split_cut_and_counted() -> None:
    intake = Intake()
    assert intake.report(LogReport(text="a\n\n  \nb"), AT) == [
        Log(sequence=1, at=AT, text="a"),
        Log(sequence=1, at=AT, text="b"),
    ]
    [long] = intake.log("x" * 5_000, AT)
    assert isinstance(long, Log)
    assert len(long.text) == 2_000
    rest = [event for _ in range(LOG_LINES) for event in intake.log("more", AT)]
    assert len(rest) == LOG_LINES - 3 + 1
    assert isinstance(rest[-1], Log)
    assert "left out" in rest[-1].text


def test_rows_run_out_without_taking_the_results_along() -> None:
    intake = Intake()
    for step in range(ROWS + 10):
        intake.report(MetricReport(step=step, values={"loss": 1.0}), AT)
    assert intake.report(MetricReport(step=1, values={"loss": 1.0}), AT) == []
    [result] = intake.report(MetricReport(values={"accuracy": 0.9}), AT)
    assert result == Metric(sequence=1, at=AT, values={"accuracy": 0.9})


def test_results_and_figures_are_counted_too() -> None:
    intake = Intake()
    kept = [intake.report(MetricReport(values={"x": 1.0}), AT) for _ in range(RESULTS + 5)]
    assert sum(isinstance(event, Metric) for events in kept for event in events) == RESULTS
    assert [intake.may_draw() for _ in range(61)] == [True] * 60 + [False]

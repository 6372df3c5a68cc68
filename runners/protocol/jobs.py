"""A job as its events tell it: `fold` turns events into a `JobView`."""

from datetime import datetime, timedelta
from typing import assert_never

from pydantic import Field

from runners.protocol.catalogue import ParameterValue
from runners.protocol.events import (
    Cancelled,
    Event,
    Failed,
    Figure,
    Log,
    Measured,
    Metric,
    Progress,
    Queued,
    Recorded,
    Started,
    Succeeded,
    TimedOut,
)
from runners.protocol.words import Birth, Framework, JobId, JobState, Value, Wall


class Submission(Value):
    """What a client asks for.

    ``key`` makes a submission repeatable: a second one with the same key gives the first
    one's job back instead of a new job. ``learner`` and ``guild`` are opaque names, for
    fairness only. With ``reuse`` a fresh result of an identical job may be the answer.
    """

    example: str
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    key: str | None = Field(default=None, max_length=200)
    learner: str | None = Field(default=None, max_length=100)
    guild: str | None = Field(default=None, max_length=100)
    reuse: bool = False


class HistoryRow(Value):
    """The metrics of one step."""

    step: int
    values: dict[str, float]


class JobView(Value):
    """All that is known of a job after its event number ``sequence``.

    ``parameters`` holds every parameter, those left at their default and the seed among them.
    ``logs`` keeps the last 20 lines. ``metrics`` holds the results, ``history`` the rows by
    step in rising order, ``figures`` the latest of each name.
    """

    id: JobId
    example: str
    framework: Framework
    parameters: dict[str, ParameterValue]
    seed: int
    submitted_at: datetime
    sequence: int = 0
    state: JobState = JobState.QUEUED
    position: int | None = None
    expected_at: datetime | None = Field(
        default=None, description="when it is likely to start; None where nobody can tell"
    )
    started_at: datetime | None = None
    ended_at: datetime | None = None
    device: str | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    limit_s: float | None = None
    birth: Birth | None = None
    walls: tuple[Wall, ...] = ()
    recorded: Recorded | None = None
    progress: Progress | None = None
    metrics: dict[str, float] = Field(default_factory=dict)
    history: tuple[HistoryRow, ...] = ()
    logs: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    failure: Failed | None = None
    measured: Measured | None = None


_LOGS_KEPT = 20


def fold(view: JobView, event: Event) -> JobView:
    """The view after ``event``. An event that the view holds already changes nothing."""
    if event.sequence <= view.sequence:
        return view
    return view.model_copy(update={"sequence": event.sequence, **_changes(view, event)})


def _changes(view: JobView, event: Event) -> dict[str, object]:
    match event:
        case Queued():
            return {
                "state": JobState.QUEUED,
                "position": event.position,
                "expected_at": None
                if event.wait_s is None
                else event.at + timedelta(seconds=event.wait_s),
            }
        case Started():
            return {
                "state": JobState.RUNNING,
                "position": None,
                "expected_at": None,
                "started_at": event.at,
                "device": event.device,
                "versions": event.versions,
                "limit_s": event.limit_s,
                "birth": event.birth,
                "walls": event.walls,
            }
        case Recorded():
            return {"recorded": event, "device": event.device, "versions": event.versions}
        case Progress():
            return {"progress": event}
        case Metric():
            return _with_metric(view, event)
        case Log():
            return {"logs": (*view.logs, event.text)[-_LOGS_KEPT:]}
        case Figure():
            return {"figures": _with_figure(view.figures, event)}
        case Succeeded():
            return _end(event, JobState.SUCCEEDED, event.measured)
        case Failed():
            return {**_end(event, JobState.FAILED, event.measured), "failure": event}
        case Cancelled():
            return _end(event, JobState.CANCELLED, event.measured)
        case TimedOut():
            return _end(event, JobState.TIMED_OUT, event.measured)
        case _:
            assert_never(event)


def _end(event: Event, state: JobState, measured: Measured | None) -> dict[str, object]:
    return {
        "state": state,
        "position": None,
        "expected_at": None,
        "ended_at": event.at,
        "measured": measured,
    }


def _with_metric(view: JobView, event: Metric) -> dict[str, object]:
    if event.step is None:
        return {"metrics": {**view.metrics, **event.values}}
    return {"history": _with_row(view.history, event.step, event.values)}


def _with_figure(figures: tuple[Figure, ...], event: Figure) -> tuple[Figure, ...]:
    # an example may draw a figure anew: the artifact is replaced, and so is its mention
    if any(figure.name == event.name for figure in figures):
        return tuple(event if figure.name == event.name else figure for figure in figures)
    return (*figures, event)


def _with_row(
    history: tuple[HistoryRow, ...], step: int, values: dict[str, float]
) -> tuple[HistoryRow, ...]:
    if not history or step > history[-1].step:
        return (*history, HistoryRow(step=step, values=values))
    rows = {row.step: row.values for row in history}
    rows[step] = {**rows.get(step, {}), **values}
    return tuple(HistoryRow(step=at, values=rows[at]) for at in sorted(rows))

"""What happens to a job, one class for each event, in the order of their sequence numbers.

A job's events are ``queued``, then ``started``, any number of ``progress``, ``metric``, ``log``
and ``figure``, and exactly one of ``succeeded``, ``failed``, ``cancelled``, ``timed_out``.
A job can be cancelled, or fail, without having started. One that is answered from the record has
``recorded`` in place of ``started``.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from runners.protocol.words import Birth, FailureReason, JobId, Text, Value, Wall


class _Event(Value):
    sequence: int = Field(ge=1, description="1 for the job's first event, rising by 1")
    at: datetime = Field(description="when the parent saw it, UTC")


class Queued(_Event):
    """The job waits. Sent again when its place in the queue changes."""

    type: Literal["queued"] = "queued"
    position: int = Field(ge=1, description="1 is next")
    wait_s: float | None = Field(
        default=None,
        ge=0,
        description="how long it is likely to wait, seconds, by what such jobs took before; "
        "None where nobody can tell",
    )


class Started(_Event):
    """A worker process runs the example."""

    type: Literal["started"] = "started"
    device: str = Field(description="such as 'cpu (2 cores)'; read by the parent")
    versions: dict[str, str] = Field(description="python and the packages that matter")
    limit_s: float = Field(description="wall-clock limit in seconds")
    birth: Birth = Field(default=Birth.FORKED, description="where its process came from")
    walls: tuple[Wall, ...] = Field(
        default=(), description="what kept it in, beyond limits and an empty environment"
    )


class Recorded(_Event):
    """Nothing runs: what follows is the result of an identical job, measured earlier."""

    type: Literal["recorded"] = "recorded"
    job: JobId
    measured_at: datetime = Field(description="when that job ended, UTC")
    device: str
    versions: dict[str, str]


class Progress(_Event):
    """``done`` of ``total`` steps; ``total`` is at least 1 and ``done`` never beyond it."""

    type: Literal["progress"] = "progress"
    done: int = Field(ge=0)
    total: int = Field(ge=1)
    note: Text | None = None


class Metric(_Event):
    """Measured values: a row of the history when it has a ``step``, else results of the job."""

    type: Literal["metric"] = "metric"
    step: int | None = None
    values: dict[str, float]


class Log(_Event):
    """A line that the example wrote; at most 2,000 characters."""

    type: Literal["log"] = "log"
    text: str = Field(max_length=2_000)


class Figure(_Event):
    """A picture was kept as an artifact of the job. ``alt`` describes it in words."""

    type: Literal["figure"] = "figure"
    name: str = Field(description="file name of the artifact, such as 'curves.png'")
    title: Text
    alt: Text


class Measured(Value):
    """What the parent measured of a worker process."""

    elapsed_s: float = Field(ge=0, description="from started to its end, wall clock")
    peak_memory_mb: float = Field(ge=0, description="highest resident memory seen, MiB")


class Succeeded(_Event):
    """The example returned."""

    type: Literal["succeeded"] = "succeeded"
    measured: Measured


class Failed(_Event):
    """The example, its process or the runner failed. ``message`` is one line for a learner."""

    type: Literal["failed"] = "failed"
    reason: FailureReason
    message: str
    detail: str = Field(default="", description="traceback or exit status, for staff")
    measured: Measured | None = None


class Cancelled(_Event):
    """Somebody asked for its end."""

    type: Literal["cancelled"] = "cancelled"
    measured: Measured | None = None


class TimedOut(_Event):
    """It ran longer than its limit."""

    type: Literal["timed_out"] = "timed_out"
    limit_s: float
    measured: Measured


Event = Annotated[
    Queued
    | Started
    | Recorded
    | Progress
    | Metric
    | Log
    | Figure
    | Succeeded
    | Failed
    | Cancelled
    | TimedOut,
    Field(discriminator="type"),
]
Terminal = Succeeded | Failed | Cancelled | TimedOut

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads and writes any event as JSON."""

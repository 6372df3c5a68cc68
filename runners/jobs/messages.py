"""What a job's process and its parent say to each other, one line of JSON a message.

The process reports `Report` values; the parent answers with single words. A line that is too
long or no report is the parent's to refuse: what runs in the process is not trusted to be well.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from runners.protocol.catalogue import ParameterValue
from runners.protocol.words import FailureReason, JobId, Text, Value

LINE_LIMIT: Final = 64 * 1024
"""The longest line that is read, bytes."""

END: Final = b"end\n"
"""The parent's word: come to an end."""

LEAVE: Final = b"leave\n"
"""The parent's word: all was heard, the process may exit."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
FigureName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}\.png$")]


class Assignment(Value):
    """What a job's process is told to do."""

    job: JobId
    module: str = Field(description="where the example is imported from")
    parameters: dict[str, ParameterValue]
    scratch: str = Field(description="its working folder; removed afterwards")
    datasets: str = Field(description="the folder of standard data sets")
    encoder: str = Field(description="the folder of the tutor's sentence encoder")
    bank: str = Field(description="the folder of the question bank")
    cards: tuple[str, ...] | None = Field(
        default=None, description="ids of its graphics cards; None where there are none to choose"
    )
    processor_s: float = Field(description="the processor time that each of its processes has")


class ProgressReport(Value):
    """``done`` of ``total`` steps are through."""

    type: Literal["progress"] = "progress"
    done: int = Field(ge=0)
    total: int = Field(ge=1)
    note: Text | None = None


class MetricReport(Value):
    """Measured values."""

    type: Literal["metric"] = "metric"
    step: int | None = None
    values: dict[Name, float] = Field(min_length=1, max_length=50)


class LogReport(Value):
    """A line for the learner."""

    type: Literal["log"] = "log"
    text: str


class FigureReport(Value):
    """A picture lies in the scratch folder under ``name``."""

    type: Literal["figure"] = "figure"
    name: FigureName
    title: Text
    alt: Text


class Returned(Value):
    """The example came to its end."""

    type: Literal["returned"] = "returned"


class Raised(Value):
    """The example ended by an exception."""

    type: Literal["raised"] = "raised"
    reason: FailureReason
    message: str
    detail: str


class GaveUp(Value):
    """The example ended because it was asked to."""

    type: Literal["gave_up"] = "gave_up"


LastWord = Returned | Raised | GaveUp
"""After this the process says nothing more."""

Report = Annotated[
    ProgressReport | MetricReport | LogReport | FigureReport | Returned | Raised | GaveUp,
    Field(discriminator="type"),
]

REPORT: TypeAdapter[Report] = TypeAdapter(Report)
"""Reads any report."""

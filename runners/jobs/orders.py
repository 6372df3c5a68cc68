"""What a runner and an attendant elsewhere say to each other, one line of JSON a message.

The attendant is told its `Equipment` first, then `Word` values. It answers an order with `Told`
values and an empty line: then the job is over, or was left queued because the runner shut down.
"""

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, JsonValue, TypeAdapter

from runners.jobs.attempt import Limits
from runners.jobs.messages import Assignment
from runners.protocol.events import Event
from runners.protocol.words import Framework, JobId, Value

TOLD_LIMIT: Final = 64 * 1024 * 1024
"""The longest line that is read, bytes: a batch of events, or one with the largest picture."""

OVER: Final = b"\n"
"""The line after the last one about a job."""


class Equipment(Value):
    """What an attendant works with: the runner's settings, and what its jobs may use."""

    settings: dict[str, JsonValue]
    frameworks: tuple[Framework, ...]
    threads: int


class Order(Value):
    """Run a job. Its folders are the attendant's to say, and so are its cards."""

    type: Literal["order"] = "order"
    framework: Framework
    assignment: Assignment
    limits: Limits


class EndIt(Value):
    """End a job; nothing happens when it is over."""

    type: Literal["end it"] = "end it"
    job: JobId
    how: Literal["cancel", "shut down"]


Word = Annotated[Order | EndIt, Field(discriminator="type")]

WORD: TypeAdapter[Word] = TypeAdapter(Word)
"""Reads any word."""


class Told(Value):
    """Events of the job, as the attendant numbered them; the first ones say that it was taken.

    ``picture`` is the file of the last one when that is a figure; None when it could not be read.
    ``fault`` is why no job can be attended here at all; then nothing else is told.
    """

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    events: tuple[Event, ...] = ()
    picture: bytes | None = None
    fault: str = ""

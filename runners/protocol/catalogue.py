"""What the runner offers: its examples and their parameters, as a client sees them."""

from typing import Literal

from pydantic import Field, FiniteFloat

from runners.protocol.words import Framework, Text, Value

ParameterValue = int | float | str | bool
Relation = Literal["at least", "at most"]


class ParameterInfo(Value):
    """A parameter of an example, with all that completion, checks and a help line need."""

    name: str
    kind: Literal["integer", "number", "choice", "flag"]
    default: ParameterValue
    description: Text
    minimum: float | None = Field(default=None, description="smallest value allowed")
    maximum: float | None = Field(default=None, description="largest value allowed")
    choices: tuple[str, ...] = ()


class MetricInfo(Value):
    """How to read a metric: its name for people and its unit (empty for a bare ratio)."""

    name: str
    title: Text
    unit: str = ""


class Claim(Value):
    """One result set against another one of the same run, or against a number.

    It holds where ``metric`` is at least, or at most, ``times`` × ``than`` + ``plus``; without
    ``than``, where it is at least, or at most, ``plus``.
    """

    metric: str
    relation: Relation
    than: str | None = None
    times: FiniteFloat = Field(default=1, gt=0)
    plus: FiniteFloat = 0


class ExampleInfo(Value):
    """An example as the catalogue lists it."""

    id: str
    framework: Framework
    title: Text
    look_at: Text = Field(description="one or two sentences: what the result shows")
    compares: Text | None = Field(default=None, description="what is set against what")
    parameters: tuple[ParameterInfo, ...]
    metrics: tuple[MetricInfo, ...]
    claims: tuple[Claim, ...] = Field(
        default=(), description="what a run at the defaults should show"
    )
    limit_s: float = Field(description="wall-clock limit, seconds")
    cards: int = Field(default=1, ge=0, description="how many graphics cards it can use")
    lower: tuple[str, ...] = Field(
        default=(), description="parameters to lower when memory runs out, the best one first"
    )
    code: str = Field(description="the source of its run function")
    available: bool = True
    reason: str = Field(default="", description="why it is not available")

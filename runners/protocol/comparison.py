"""Two sides set against each other: what their runs measured, and whether seeds explain it."""

from enum import StrEnum

from pydantic import Field

from runners.protocol.catalogue import ParameterValue
from runners.protocol.words import JobId, Text, Value


class Sides(Value):
    """The jobs to compare: the runs of each side, one a seed."""

    a: tuple[JobId, ...] = Field(min_length=1, max_length=20)
    b: tuple[JobId, ...] = Field(min_length=1, max_length=20)


class Verdict(StrEnum):
    """What a difference is, beside the differences that another seed makes."""

    CLEAR = "clear"
    """Larger than seeds explain (a t-test at the five per cent level)."""
    NOISE = "noise"
    """No larger than seeds explain."""
    SAME = "same"
    """There is none."""
    UNKNOWN = "unknown"
    """Too few seeds to tell."""


class Side(Value):
    """One side: its example, the settings that both sides do not share, and its seeds."""

    example: str
    settings: dict[str, ParameterValue]
    seeds: tuple[int, ...]


class Row(Value):
    """One measure: the value of each run, in the order of seeds, and what they come to.

    ``difference`` is the mean of b less the mean of a; ``noise`` half the width of its 95 %
    interval over seeds, None where there are too few of them.
    """

    metric: str
    title: Text
    unit: str
    a: tuple[float, ...]
    b: tuple[float, ...]
    mean_a: float
    mean_b: float
    difference: float
    noise: float | None
    verdict: Verdict


class Comparison(Value):
    """All measures that both sides have, and in words which differences hold."""

    a: Side
    b: Side
    rows: tuple[Row, ...]
    words: Text

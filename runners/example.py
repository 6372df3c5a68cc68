"""What an example is: one value, one parameter model, one readable function.

A file under ``runners/examples`` holds ``EXAMPLE = Example(…)``. Its ``run`` imports the
framework inside, trains for real and reports through the `Context`; time, memory and device
are measured by the parent and never by the example.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from runners.protocol.catalogue import Claim, MetricInfo, Relation
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Says:
    """A parameter's description in both languages; stands in its ``Annotated`` type."""

    zh: str
    en: str


class Parameters(BaseModel):
    """The base of every example's parameters: bounded, typed, described in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: Annotated[int, Field(ge=0, le=2**31 - 1), Says("随机种子", "random seed")] = 0


class Context(Protocol):
    """What a running example may do to the outside."""

    @property
    def datasets(self) -> Path:
        """The folder where standard data sets and weights may lie; it may not exist."""
        ...

    @property
    def encoder(self) -> Path:
        """The folder of the sentence encoder that the tutor uses; it may not exist."""
        ...

    @property
    def bank(self) -> Path:
        """The folder of the tutor's question bank; it may not exist."""
        ...

    def progress(self, done: int, total: int, note: Text | None = None) -> None:
        """Say that ``done`` of ``total`` steps are through."""
        ...

    def metric(self, step: int | None = None, **values: float) -> None:
        """Report values: a row of the history with a ``step``, results without one."""
        ...

    def log(self, text: str) -> None:
        """Write a line that the learner may read."""
        ...

    def figure(self, name: str, figure: "Figure", title: Text, alt: Text) -> None:
        """Keep a picture as ``name``.png. ``alt`` says in words what it shows."""
        ...


def at_least(metric: str, than: str | float, *, times: float = 1, plus: float = 0) -> Claim:
    """The claim that a result is at least ``times`` × another one, or a number, + ``plus``."""
    return _claim(metric, "at least", than, times, plus)


def at_most(metric: str, than: str | float, *, times: float = 1, plus: float = 0) -> Claim:
    """The claim that a result is at most ``times`` × another one, or a number, + ``plus``."""
    return _claim(metric, "at most", than, times, plus)


def _claim(metric: str, relation: Relation, than: str | float, times: float, plus: float) -> Claim:
    if isinstance(than, str):
        return Claim(metric=metric, relation=relation, than=than, times=times, plus=plus)
    return Claim(metric=metric, relation=relation, plus=times * than + plus)


@dataclass(frozen=True, slots=True)
class Example:
    """One thing that can run.

    ``claims`` are what its results show at the defaults, by a margin that luck does not reach.
    ``cards`` is how many graphics cards it uses where there are that many; 0 means that it
    computes on the processor. ``lower`` names the parameters to lower when memory runs out, the
    one that helps most first.
    """

    id: str
    framework: Framework
    title: Text
    look_at: Text
    parameters: type[Parameters]
    metrics: tuple[MetricInfo, ...]
    run: Callable[[Context, Any], None]
    limit_s: float = 300
    compares: Text | None = None
    claims: tuple[Claim, ...] = ()
    cards: int = 1
    lower: tuple[str, ...] = ()

"""Runs examples for tests: each in a process of its own, every warning an error, all kept.

TensorFlow's devices and its determinism are set once for a whole process, so no two runs share
one. They are forked from a server that has the frameworks loaded, as the product does. Nothing
is imported here before a run asks for it.
"""

import multiprocessing
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from runners.catalogue import check_parameters, load_catalogue
from runners.errors import MissingDatasetError
from runners.protocol.catalogue import ParameterValue
from runners.protocol.words import Text
from runners.settings import BANK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

T = TypeVar("T")

ENCODER = Path(__file__).parents[3] / ".data" / "encoder"
"""Where `make prepare` unpacks the built-in encoder."""

_PRELOADED = [
    "tensorflow",
    "torch",
    "torch._dynamo",
    "matplotlib.backends.backend_agg",
    "sklearn.datasets",
    "scipy.ndimage",
]
_LONGEST_S = 240


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture that an example left."""

    path: Path
    title: Text
    alt: Text


@dataclass(slots=True)
class Ran:
    """All that one run said, in its order."""

    folder: Path
    datasets: Path
    encoder: Path = ENCODER
    bank: Path = BANK
    steps: list[tuple[int, int]] = field(default_factory=list)
    notes: list[Text | None] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    history: dict[str, list[float]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    figures: dict[str, Drawn] = field(default_factory=dict)
    missing: str | None = None

    def progress(self, done: int, total: int, note: Text | None = None) -> None:
        assert 0 < done <= total
        self.steps.append((done, total))
        self.notes.append(note)

    def metric(self, step: int | None = None, **values: float) -> None:
        for name, value in values.items():
            if step is None:
                self.metrics[name] = float(value)
            else:
                curve = self.history.setdefault(name, [])
                curve.append(float(value))
                assert step == len(curve), f"step {step} of {name} is out of its turn"

    def log(self, text: str) -> None:
        self.lines.append(text)

    def figure(self, name: str, figure: "Figure", title: Text, alt: Text) -> None:
        path = self.folder / f"{name}.png"
        figure.savefig(path, format="png")
        self.figures[name] = Drawn(path, title, alt)


@dataclass(frozen=True, slots=True)
class Laboratory:
    """Where tests have something run: an example, or a function of a module, by itself."""

    folder: Path

    def run(
        self,
        example: str,
        *,
        datasets: Path | None = None,
        encoder: Path | None = None,
        **parameters: ParameterValue,
    ) -> Ran:
        """What the example said; ``missing`` is the message of a MissingDatasetError."""
        ran = Ran(self.folder, datasets or self.folder / "nowhere", encoder or ENCODER)
        return self.alone(_run, example, ran, parameters)

    def alone(self, task: Callable[..., T], *arguments: object) -> T:
        """What ``task`` returns in a fresh process."""
        with ProcessPoolExecutor(1, mp_context=_context()) as pool:
            return pool.submit(_strictly, task, *arguments).result(_LONGEST_S)


def _context() -> BaseContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def _strictly(task: Callable[..., T], *arguments: object) -> T:
    warnings.simplefilter("error")
    return task(*arguments)


def _run(example: str, ran: Ran, parameters: Mapping[str, ParameterValue]) -> Ran:
    listed = load_catalogue()[example]
    checked = listed.example.parameters.model_validate(check_parameters(listed, parameters))
    try:
        listed.example.run(ran, checked)
    except MissingDatasetError as error:
        ran.missing = str(error)
    return ran

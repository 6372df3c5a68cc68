"""What a way to retrieve says of every question, and the rates that follow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from knowledge.evaluate import Question

_DRAWS: Final = 1000
NEAR: Final = 3
"""How many candidates a learner is shown when the tutor is not sure."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ranking:
    """For each question, in order: the place of the first accepted entry, and the confidence.

    ``ranks`` count from 1 and are 0 where no accepted entry was found; ``confidences`` only have
    to rise with the certainty that the first entry answers.
    """

    ranks: npt.NDArray[np.int64]
    confidences: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate, 0 to 1, with the bounds between which 95 % of bootstrap draws lie."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """The rate, and the bounds in brackets."""
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


def rank_of(question: Question, entries: Sequence[str]) -> int:
    """The place, from 1, of the first of ``entries`` that answers ``question``, or 0."""
    for place, entry in enumerate(entries, 1):
        if entry in question.entries:
            return place
    return 0


def chosen(questions: Sequence[Question], wanted: Callable[[Question], bool]) -> Flags:
    """Which questions are ``wanted``."""
    return np.array([wanted(question) for question in questions], bool)


def rate(hits: Flags, over: Flags) -> Rate:
    """How many of the questions ``over`` are ``hits``.

    The bounds are those of the percentile bootstrap (Efron, 1979) over questions; the draws are
    the same in each run.
    """
    values = hits[over]
    if not len(values):
        return Rate(float("nan"), float("nan"), float("nan"))
    draws = np.random.default_rng(0).integers(0, len(values), (_DRAWS, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), (0.025, 0.975))
    return Rate(float(values.mean()), float(low), float(high))


def recall(ranking: Ranking, over: Flags, at: int = 1) -> Rate:
    """How often an accepted entry is among the first ``at``."""
    return rate((ranking.ranks >= 1) & (ranking.ranks <= at), over)


def bound_at(confidences: npt.NDArray[np.float64], share: float) -> float:
    """The confidence that only ``share`` of ``confidences`` exceed."""
    return float(np.quantile(confidences, 1 - share))

"""Fusion: one score an entry out of what the rankers say."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from knowledge.lexical import Scores
from knowledge.signals import Signals


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each ranker counts, and the unit in which its differences are read."""

    head: float = 1.5
    lexical: float = 0.5
    lexical_unit: float = 4.0
    document: float = 0.25
    document_unit: float = 0.02
    phrasing: float = 0.5
    phrasing_unit: float = 0.05


WEIGHTS: Final = Weights()


def log_softmax(scores: Scores) -> Scores:
    """The logarithms of the shares that ``scores`` stand for; they sum to 1 as shares."""
    shifted = scores - scores.max()
    return shifted - np.log(np.exp(shifted).sum())


def fuse(signals: Signals, weights: Weights = WEIGHTS) -> Scores:
    """A weighted sum of what each ranker holds likely, as log-shares; higher is better."""
    total = (
        weights.head * log_softmax(signals.head)
        + weights.lexical * log_softmax(signals.lexical / weights.lexical_unit)
        + weights.document * log_softmax(signals.document / weights.document_unit)
        + weights.phrasing * log_softmax(signals.phrasing / weights.phrasing_unit)
    )
    return log_softmax(total)

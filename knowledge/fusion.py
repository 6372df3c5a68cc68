"""Fusion: one score an entry out of what the rankers say."""

from dataclasses import dataclass

import numpy as np

from knowledge.lexical import Scores
from knowledge.signals import Signals


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each ranker counts, and at which temperature nearness is read; all learned."""

    temperature: float
    nearness: float
    lexical: float


@dataclass(frozen=True, slots=True)
class Weighed:
    """``scores`` are the logarithms of the shares that the entries get; they sum to 1 as shares.

    ``nearness`` and ``outside`` are those of `Neighbours.nearness`.
    """

    scores: Scores
    nearness: Scores
    outside: float


def log_softmax(scores: Scores) -> Scores:
    """The logarithms of the shares that ``scores`` stand for, along the last axis."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def weigh(signals: Signals, weights: Weights) -> Weighed:
    """The weighted sum of both rankers, as log-shares."""
    nearness, outside = signals.neighbours.nearness(len(signals.lexical), weights.temperature)
    total = weights.nearness * nearness + weights.lexical * signals.lexical
    return Weighed(log_softmax(total), nearness, outside)

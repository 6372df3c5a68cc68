"""Confidence: how probable it is that the best entry answers the query."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from knowledge.fusion import Weighed
from knowledge.lexical import Scores
from knowledge.signals import Signals

FEATURES: Final = (
    "margin",
    "entropy",
    "nearness_over_outside",
    "votes",
    "outside_votes",
    "lexical",
    "lexical_margin",
    "known_words",
    "nearness_agrees",
    "lexical_agrees",
)
"""What the gate looks at, in the order of its numbers."""


def features(signals: Signals, weighed: Weighed) -> Scores:
    """The numbers that tell an answerable query from another, in the order of `FEATURES`."""
    order = np.argsort(-weighed.scores, kind="stable")
    top = int(order[0])
    runner_up = int(order[1]) if len(order) > 1 else top
    shares = np.exp(weighed.scores)
    votes, outside_votes = signals.neighbours.votes(len(shares))
    others = np.delete(signals.lexical, top)
    best_other = float(others.max()) if len(others) else 0.0
    return np.array(
        [
            min(float(weighed.scores[top] - weighed.scores[runner_up]), 12.0),
            float(-(shares * np.log(shares + 1e-12)).sum()),
            weighed.nearness[top] - weighed.outside,
            votes[top],
            outside_votes,
            np.log1p(signals.lexical[top]),
            np.log1p(max(float(signals.lexical[top]) - best_other, 0.0)),
            signals.known_words / max(signals.words, 1),
            float(np.argmax(weighed.nearness) == top),
            float(np.argmax(signals.lexical) == top),
        ],
        np.float64,
    )


@dataclass(frozen=True, slots=True)
class Gate:
    """A logistic regression on the standardised features."""

    means: Scores
    scales: Scores
    weights: Scores
    bias: float

    def confidence(self, numbers: Scores) -> float:
        """The probability, 0 to 1, that the best entry answers the query.

        It holds where questions in and out of scope are equally frequent.
        """
        logit = float((numbers - self.means) / self.scales @ self.weights) + self.bias
        return float(1 / (1 + np.exp(-np.clip(logit, -30, 30))))

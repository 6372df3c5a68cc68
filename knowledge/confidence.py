"""Confidence: how probable it is that the best entry answers the query."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from knowledge.fusion import log_softmax
from knowledge.head import Floats
from knowledge.language import Language, language_of
from knowledge.lexical import Scores
from knowledge.signals import Signals

FEATURES: Final = (
    "share",
    "margin",
    "entropy",
    "head",
    "outside",
    "head_over_outside",
    "document",
    "phrasing",
    "nearest_outside",
    "phrasing_over_outside",
    "ordinary",
    "phrasing_over_ordinary",
    "document_over_ordinary",
    "lexical",
    "lexical_margin",
    "known_words",
    "head_agrees",
    "lexical_agrees",
    "phrasing_agrees",
    "chinese",
    "length",
)
"""What the gate looks at, in the order of its numbers."""


def features(text: str, signals: Signals, fused: Scores) -> Floats:
    """The numbers that tell an answerable query from another, in the order of `FEATURES`."""
    order = np.argsort(-fused, kind="stable")
    top = int(order[0])
    runner_up = int(order[1]) if len(order) > 1 else top
    shares = np.exp(log_softmax(fused))
    lexical_order = np.sort(signals.lexical)[::-1]
    lexical_second = float(lexical_order[1]) if len(order) > 1 else 0.0
    return np.array(
        [
            max(float(fused[top]), -8.0),
            min(float(fused[top] - fused[runner_up]), 12.0),
            float(-(shares * np.log(shares + 1e-12)).sum()),
            max(float(signals.head[top]), -12.0),
            max(signals.outside, -12.0),
            float(np.clip(signals.head[top] - signals.outside, -12, 12)),
            signals.document[top],
            signals.phrasing[top],
            signals.nearest_outside,
            signals.phrasing[top] - signals.nearest_outside,
            signals.ordinary,
            signals.phrasing[top] - signals.ordinary,
            signals.document[top] - signals.ordinary,
            np.log1p(signals.lexical[top]),
            np.log1p(max(float(signals.lexical[top]) - lexical_second, 0.0)),
            signals.known_words / max(signals.words, 1),
            float(np.argmax(signals.head) == top),
            float(np.argmax(signals.lexical) == top),
            float(np.argmax(signals.phrasing) == top),
            float(language_of(text) is Language.ZH),
            np.log1p(len(text)),
        ],
        np.float64,
    )


@dataclass(frozen=True, slots=True)
class Gate:
    """A logistic regression on the standardised features."""

    means: Floats
    scales: Floats
    weights: Floats
    bias: float

    def confidence(self, numbers: Floats) -> float:
        """The probability, 0 to 1, that the best entry answers the query.

        It holds where questions in and out of scope are equally frequent.
        """
        logit = float((numbers - self.means) / self.scales @ self.weights) + self.bias
        return float(1 / (1 + np.exp(-np.clip(logit, -30, 30))))

"""Likeness: the aspect that a message asks for when no word of it says so."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from knowledge.aspect import Aspect
from knowledge.encoder import Vectors
from knowledge.follow_ups import SampleMessage

_NEAREST: Final = 3
_LEAST: Final = 0.4
"""How close, as a cosine, a message must lie to those of an aspect."""

_CLEARER: Final = 0.05
"""And how much closer than to any other text."""


class Likeness:
    """Compares messages with samples of each aspect, and with ordinary text.

    All vectors have length 1; those of ``ordinary`` are of texts that are no follow-ups.
    """

    def __init__(
        self, samples: Sequence[SampleMessage], vectors: Vectors, ordinary: Vectors
    ) -> None:
        wants = [sample.aspect for sample in samples]
        self._groups = {
            aspect: vectors[[number for number, each in enumerate(wants) if each is aspect]]
            for aspect in dict.fromkeys(wants)
        }
        self._ordinary = ordinary

    def aspect(self, vector: Vectors) -> Aspect | None:
        """The aspect of the message with that vector, or None where it is like no follow-up."""
        closeness = {aspect: _close(vector, group) for aspect, group in self._groups.items()}
        best = max(closeness, key=closeness.__getitem__, default=None)
        if best is None:
            return None
        needed = max(_LEAST, _close(vector, self._ordinary) + _CLEARER)
        return best if closeness[best] >= needed else None


def _close(vector: Vectors, group: Vectors) -> float:
    """The mean cosine with the nearest of ``group``; −1 where there are none."""
    if not len(group):
        return -1.0
    return float(np.sort(group @ vector)[-_NEAREST:].mean())

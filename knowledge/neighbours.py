"""Neighbours: what the lines that lie closest to a query say of what it asks for."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from knowledge.corpus import OUTSIDE
from knowledge.lexical import Scores

NEAREST: Final = 200
"""How many lines count as neighbours; what lies beyond adds less than its rounding."""

_VOTERS: Final = 20


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The lines closest to a query, nearest first.

    ``rows`` says which lines, ``entries`` whose they are (`OUTSIDE` for nobody's), and
    ``cosines`` how close they lie, −1 to 1.
    """

    rows: npt.NDArray[np.int64]
    entries: npt.NDArray[np.int64]
    cosines: Scores

    def only(self, kept: npt.NDArray[np.bool_]) -> "Neighbours":
        """The `NEAREST` of those that are ``kept``."""
        places = np.flatnonzero(kept)[:NEAREST]
        return Neighbours(self.rows[places], self.entries[places], self.cosines[places])

    def nearness(self, size: int, temperature: float) -> tuple[Scores, float]:
        """How close the lines of each of ``size`` entries lie, and those out of scope.

        It is the logarithm of a kernel density, ``log Σ exp((cosine - 1) / temperature)`` over
        the lines, so that many lines at some distance can outweigh a single nearer one. Who has
        no line among the neighbours gets what the farthest of them would give.
        """
        weights = np.exp((self.cosines - 1) / temperature)
        floor = weights[-1] if len(weights) else np.exp(-2 / temperature)
        sums = np.bincount(self._classes(size), weights, size + 1)
        logs = np.log(np.maximum(sums, floor))
        return logs[:size], float(logs[size])

    def votes(self, size: int) -> tuple[Scores, float]:
        """The shares, 0 to 1, that each entry has of the very nearest, and those out of scope."""
        counts = np.bincount(self._classes(size)[:_VOTERS], minlength=size + 1)
        shares = counts / max(int(counts.sum()), 1)
        return shares[:size], float(shares[size])

    def _classes(self, size: int) -> npt.NDArray[np.int64]:
        return np.where(self.entries == OUTSIDE, size, self.entries)

"""Vectors to measure an index with: as many as wanted, and lying like those of the bank's lines.

Random directions will not do. In 384 dimensions nearly all of them are equally far from each other,
which real texts are not, and neighbours that differ by chance alone are lost to any shortcut.
"""

from pathlib import Path
from typing import Final

import numpy as np

from knowledge.encoder import Vectors
from knowledge.index import FaissIndex

NEAREST: Final = 10
_PORTION: Final = 50_000
_NOISE: Final = (0.3, 0.85)
"""Chosen so that, at the bank's size, neighbours are as close as those of the lines are."""


class Likeness:
    """Makes vectors like ``lines``, the encoder's vectors of real texts; shape (lines, dimension).

    Each is a point on the way from a line to one of its ten nearest, plus noise, both drawn at
    random. The noise has the lines' covariance, and both parts are weighted so that the whole has
    it too: ``mean + sqrt(1 - s²) (point - mean) + s noise``, normalised, with an own ``s`` for
    each vector. So some vectors lie close to others and some apart, as lines do.
    """

    def __init__(self, lines: Vectors) -> None:
        self._lines = lines
        names = [str(row) for row in range(len(lines))]
        self._near = FaissIndex.of("", names, lines).search(lines, NEAREST + 1).rows[:, 1:]
        self._mean = lines.mean(axis=0)
        variances, directions = np.linalg.eigh(np.cov((lines - self._mean).T))
        self._spread = (directions * np.sqrt(np.maximum(variances, 0))).T.astype(np.float32)

    def made(self, count: int, seed: int) -> Vectors:
        """``count`` vectors of length 1, others for each ``seed``."""
        vectors = np.empty((count, self._lines.shape[1]), np.float32)
        self._fill(vectors, seed)
        return vectors

    def write(self, path: Path, count: int, seed: int) -> None:
        """What `made` gives, written to ``path`` as an array of numpy a portion at a time."""
        shape = (count, self._lines.shape[1])
        self._fill(np.lib.format.open_memmap(path, "w+", np.float32, shape), seed)

    def _fill(self, vectors: Vectors, seed: int) -> None:
        generator = np.random.default_rng(seed)
        for start in range(0, len(vectors), _PORTION):
            count = min(_PORTION, len(vectors) - start)
            lines = generator.integers(len(self._lines), size=count)
            others = self._near[lines, generator.integers(NEAREST, size=count)]
            way = generator.random((count, 1), np.float32)
            noise = generator.standard_normal((count, len(self._mean)), np.float32) @ self._spread
            share = generator.uniform(*_NOISE, (count, 1)).astype(np.float32)
            points = self._lines[lines] * (1 - way) + self._lines[others] * way - self._mean
            moved = self._mean + np.sqrt(1 - share**2) * points + share * noise
            vectors[start : start + count] = moved / np.linalg.norm(moved, axis=1, keepdims=True)

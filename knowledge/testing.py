"""Stand-ins for tests: an encoder that needs no model."""

import hashlib
from collections.abc import Sequence

import numpy as np

from knowledge.encoder import Vectors


class FakeEncoder:
    """Texts that share pairs of characters lie close to each other; equal texts, equal vectors.

    ``encoded`` holds every text that was ever encoded, in order.
    """

    def __init__(self, name: str = "fake", dimension: int = 64) -> None:
        self._name = name
        self._dimension = dimension
        self.encoded: list[str] = []

    @property
    def name(self) -> str:
        """What makes these vectors."""
        return self._name

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """The vectors of ``texts``."""
        self.encoded.extend(texts)
        vectors = [self._vector(text) for text in texts]
        return np.array(vectors, np.float32).reshape(len(texts), self._dimension)

    def _vector(self, text: str) -> Vectors:
        pairs = [text[start : start + 2] for start in range(max(len(text) - 1, 1))]
        directions = [self._direction(part) for part in (self._name, *pairs)]
        total: Vectors = np.sum(directions, axis=0)
        return (total / np.linalg.norm(total)).astype(np.float32)

    def _direction(self, text: str) -> Vectors:
        seed = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8]
        generator = np.random.default_rng(int.from_bytes(seed, "big"))
        return generator.standard_normal(self._dimension).astype(np.float32)

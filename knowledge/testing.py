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
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            vector += self._direction(self._name)
            for start in range(max(len(text) - 1, 1)):
                vector += self._direction(text[start : start + 2])
            vector /= np.linalg.norm(vector)
        return vectors

    def _direction(self, text: str) -> Vectors:
        seed = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8]
        generator = np.random.default_rng(int.from_bytes(seed, "big"))
        return generator.standard_normal(self._dimension).astype(np.float32)

"""Telling moves: which one a message makes, from what it means and how it is written."""

import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from knowledge.encoder import Vectors
from knowledge.logistic_regression import fit_multinomial_regression
from knowledge.move import ASPECTS, Move

_BUCKETS: Final = 2048
_LONGEST_GRAM: Final = 3

_EVIDENCE: Final = 3.0
"""What each message weighs against the L2 penalty of strength 1."""


@dataclass(frozen=True, slots=True)
class Likely:
    """How likely a message makes each move; the probabilities, 0 to 1, add up to 1."""

    moves: Mapping[Move, float]

    @property
    def own(self) -> float:
        """How likely it is a question of its own."""
        return self.moves[Move.QUESTION]

    def follows(self, move: Move) -> float:
        """How likely it makes ``move``, given that it is no question of its own."""
        return self.moves[move] / max(1.0 - self.own, 1e-9)

    def best(self, among: Collection[Move]) -> Move:
        """The likeliest of some moves."""
        return max(among, key=lambda move: self.moves[move])

    @property
    def request(self) -> Move:
        """The likeliest of the moves that ask on."""
        return self.best(ASPECTS)


@dataclass(frozen=True, slots=True)
class MoveTeller:
    """Multinomial logistic regression on a message's vector and its character n-grams.

    ``weights`` has a row for each `Move`, in their order; shape (moves, dimension + buckets).
    """

    weights: Vectors
    biases: Vectors

    def likely(self, text: str, vector: Vectors) -> Likely:
        """How likely ``text`` (normalised), whose centred vector is given, makes each move."""
        scores = self.weights @ _features(text, vector) + self.biases
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        return Likely(dict(zip(Move, shares.tolist(), strict=True)))


def fit_moves(texts: Sequence[str], vectors: Vectors, moves: Sequence[Move]) -> MoveTeller:
    """What tells the ``moves`` of ``texts`` (normalised), whose centred vectors are given.

    Moves that do not occur are never told. The same input gives the same result.
    """
    every = tuple(Move)
    features = np.stack([_features(*pair) for pair in zip(texts, vectors, strict=True)])
    classes = np.array([every.index(move) for move in moves])
    weights, biases = fit_multinomial_regression(features, classes, len(every), _EVIDENCE)
    return MoveTeller(weights.astype(np.float32), biases.astype(np.float32))


def _features(text: str, vector: Vectors) -> Vectors:
    grams = np.zeros(_BUCKETS, np.float32)
    for gram, times in Counter(_grams(text)).items():
        grams[zlib.crc32(gram.encode()) % _BUCKETS] += times
    grams = np.log1p(grams)
    grams /= max(float(np.linalg.norm(grams)), 1e-9)
    return np.concatenate([vector, grams])


def _grams(text: str) -> Iterator[str]:
    """Runs of up to three characters within words, whose ends count as spaces."""
    for word in text.split(" "):
        padded = f" {word} "
        for length in range(1, _LONGEST_GRAM + 1):
            for start in range(len(padded) - length + 1):
                gram = padded[start : start + length]
                if gram != " ":
                    yield gram

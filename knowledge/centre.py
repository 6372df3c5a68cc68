"""The centres: where ordinary text lies in an encoder's space, in each language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from knowledge.encoder import Vectors
from knowledge.language import Language, language_of

_ROWS: Final = {language: row for row, language in enumerate(Language)}


@dataclass(frozen=True, slots=True)
class Centres:
    """The mean vector of ordinary sentences in each language; shape (languages, dimension).

    Sentence encoders put all texts into one corner of their space and each language into a corner
    of that; only what is left after taking its own corner away tells one subject from another,
    whichever language it is asked in.
    """

    vectors: Vectors

    @classmethod
    def of(cls, sentences: Sequence[str], vectors: Vectors) -> Self:
        """The centres of ``sentences``, whose vectors are given.

        A language without a sentence gets the mean of all.
        """
        rows = _rows(sentences)
        means = [
            (vectors[rows == row] if (rows == row).any() else vectors).mean(axis=0)
            for row in _ROWS.values()
        ]
        return cls(np.stack(means))

    def centred(self, texts: Sequence[str], vectors: Vectors) -> Vectors:
        """The vectors of ``texts``, less their language's centre, of length 1 again (or 0)."""
        moved = vectors - self.vectors[_rows(texts)]
        lengths = np.linalg.norm(moved, axis=1, keepdims=True)
        return (moved / np.maximum(lengths, 1e-9)).astype(np.float32)


def _rows(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    return np.array([_ROWS[language_of(text)] for text in texts], np.int64)

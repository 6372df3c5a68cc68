"""The head: a linear classifier on vectors that holds one class an entry and one for the rest."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.encoder import Vectors

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Head:
    """Weights of shape (classes, dimension) and biases of shape (classes,).

    The last class is "none of the entries". ``centre`` is the mean of the background sentences:
    sentence encoders put all texts into one corner of their space, and only what is left after
    taking the corner away tells one from another.
    """

    centre: Vectors
    weights: Floats
    biases: Floats

    def centred(self, vectors: Vectors) -> Vectors:
        """``vectors`` less the centre, of length 1 again."""
        return centred(vectors, self.centre)

    def log_probabilities(self, centred_vectors: Vectors) -> Floats:
        """Shape (number of vectors, classes); each row's probabilities sum to 1."""
        logits = centred_vectors.astype(np.float64) @ self.weights.T + self.biases
        logits -= logits.max(axis=1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def centred(vectors: Vectors, centre: Vectors) -> Vectors:
    """``vectors`` less ``centre``, of length 1 again (or 0 where nothing is left)."""
    moved = vectors - centre
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    return (moved / np.maximum(lengths, 1e-9)).astype(np.float32)

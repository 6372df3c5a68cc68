"""The head: a linear classifier on vectors that holds one class an entry and one for the rest."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.centre import Centres
from knowledge.encoder import Vectors

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Head:
    """Weights of shape (classes, dimension) and biases of shape (classes,).

    The last class is "none of the entries".
    """

    centres: Centres
    weights: Floats
    biases: Floats

    def log_probabilities(self, centred_vectors: Vectors) -> Floats:
        """Shape (number of vectors, classes); each row's probabilities sum to 1."""
        logits = centred_vectors.astype(np.float64) @ self.weights.T + self.biases
        logits -= logits.max(axis=1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

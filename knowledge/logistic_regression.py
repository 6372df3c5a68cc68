"""Fitting a logistic regression; how the result is used is up to others."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.head import Floats


@dataclass(frozen=True, slots=True)
class Fitted:
    """Row i of ``weights`` and ``biases[i]`` speak for ``classes[i]``."""

    classes: npt.NDArray[np.int64]
    weights: Floats
    biases: Floats


def fit_logistic_regression(
    numbers: Floats,
    classes: npt.NDArray[np.int64],
    *,
    freedom: float,
    sample_weights: Floats | None = None,
) -> Fitted:
    """Fit ``classes`` (at least two of them) to the rows of ``numbers``.

    ``freedom`` is the inverse of the L2 penalty's strength. With two classes the first one's
    weights are zero. The same input gives the same result.
    """
    # scikit-learn ships no types.
    from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingTypeStubs]

    model: Any = LogisticRegression(C=freedom, max_iter=_ITERATIONS)
    model.fit(numbers, classes, sample_weight=sample_weights)
    weights: Floats = np.asarray(model.coef_, np.float64)
    biases: Floats = np.asarray(model.intercept_, np.float64)
    if len(weights) == 1:
        weights = np.concatenate([np.zeros_like(weights), weights])
        biases = np.concatenate([np.zeros_like(biases), biases])
    return Fitted(np.asarray(model.classes_, np.int64), weights, biases)


_ITERATIONS = 2000

"""Fitting a logistic regression; how the result is used is up to others."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from knowledge.lexical import Scores

_ITERATIONS: Final = 2000


def fit_logistic_regression(
    numbers: Scores, right: npt.NDArray[np.bool_], sample_weights: Scores
) -> tuple[Scores, float]:
    """Weights and bias of the log-odds that a row of ``numbers`` is ``right``.

    What the rows weigh together is what stands against an L2 penalty of strength 1. Both
    outcomes must occur. The same input gives the same result.
    """
    # scikit-learn ships no types.
    from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingTypeStubs]

    model: Any = LogisticRegression(max_iter=_ITERATIONS)
    model.fit(numbers, right, sample_weight=sample_weights)
    return np.asarray(model.coef_[0], np.float64), float(model.intercept_[0])

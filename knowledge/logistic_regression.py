"""Fitting logistic regressions; how the results are used is up to others."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from knowledge.lexical import Scores

_ITERATIONS: Final = 2000
_NEVER: Final = -1e9


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


def fit_multinomial_regression(
    numbers: npt.NDArray[np.float32], classes: npt.NDArray[np.int64], count: int, weight: float
) -> tuple[Scores, Scores]:
    """Weights, shape (count, columns), and biases of the log-shares of ``count`` classes.

    Each row of ``numbers`` weighs ``weight`` against an L2 penalty of strength 1. Classes that do
    not occur get weights of 0 and a bias that rules them out. The same input gives the same
    result.
    """
    # scikit-learn ships no types.
    from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingTypeStubs]

    weights, biases = np.zeros((count, numbers.shape[1])), np.full(count, _NEVER)
    present: npt.NDArray[np.int64] = np.unique(classes)
    if len(present) == 1:
        biases[present] = 0.0
        return weights, biases
    model: Any = LogisticRegression(C=weight, max_iter=_ITERATIONS)
    model.fit(numbers, classes)
    # Of two classes scikit-learn gives the log-odds of the second.
    two = len(present) == 2  # noqa: PLR2004 - see above
    weights[present] = np.concatenate([-model.coef_, model.coef_]) / 2 if two else model.coef_
    biases[present] = (
        np.concatenate([-model.intercept_, model.intercept_]) / 2 if two else model.intercept_
    )
    return weights, biases

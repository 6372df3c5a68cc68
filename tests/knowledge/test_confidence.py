import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.confidence import FEATURES, Gate, features
from knowledge.fusion import Weights, weigh
from knowledge.neighbours import Neighbours
from knowledge.signals import Signals


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2))
def test_confidence_is_always_a_probability(numbers: list[float]) -> None:
    gate = Gate(np.zeros(2), np.ones(2), np.array([3.0, -2.0]), 0.5)
    assert 0 <= gate.confidence(np.array(numbers)) <= 1


def test_confidence_is_the_logistic_of_standardised_numbers() -> None:
    gate = Gate(np.array([10.0]), np.array([2.0]), np.array([1.5]), -0.5)
    assert gate.confidence(np.array([12.0])) == pytest.approx(1 / (1 + np.exp(-1.0)))


@pytest.mark.parametrize("size", [1, 2, 5])
def test_every_feature_is_a_number_whatever_the_bank_holds(size: int) -> None:
    none = np.zeros(0, np.int64)
    nothing = Neighbours(none, none, np.zeros(0))
    signals = Signals(nothing, lexical=np.zeros(size), words=0, known_words=0)
    numbers = features(signals, weigh(signals, Weights(0.05, 1.0, 0.1)))
    assert numbers.shape == (len(FEATURES),)
    assert np.isfinite(numbers).all()

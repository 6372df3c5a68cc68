from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.fusion import Weights, log_softmax, weigh
from knowledge.neighbours import Neighbours
from knowledge.signals import Signals

SIZE = 4
WEIGHTS = Weights(temperature=0.05, nearness=1.2, lexical=0.1)
NUMBERS = st.lists(st.floats(-20, 20), min_size=SIZE, max_size=SIZE).map(np.array)


@st.composite
def found(draw: st.DrawFn) -> Neighbours:
    lines = draw(st.lists(st.tuples(st.integers(-1, SIZE - 1), st.floats(-1, 1)), max_size=12))
    lines.sort(key=lambda line: -line[1])
    return Neighbours(
        np.arange(len(lines)),
        np.array([entry for entry, _ in lines], np.int64),
        np.array([cosine for _, cosine in lines], np.float64),
    )


SIGNALS = st.builds(
    Signals,
    neighbours=found(),
    lexical=st.lists(st.floats(0, 50), min_size=SIZE, max_size=SIZE).map(np.array),
    words=st.integers(0, 50),
    known_words=st.integers(0, 50),
)


@given(NUMBERS)
def test_shares_sum_to_one_and_keep_the_order(scores: np.ndarray) -> None:
    shares = np.exp(log_softmax(scores))
    assert shares.sum() == pytest.approx(1)
    assert (np.diff(shares[np.argsort(scores)]) >= -1e-12).all()


@given(SIGNALS)
def test_weighed_scores_are_shares_of_every_entry(signals: Signals) -> None:
    scores = weigh(signals, WEIGHTS).scores
    assert scores.shape == (SIZE,)
    assert np.isfinite(scores).all()
    assert np.exp(scores).sum() == pytest.approx(1)


@given(SIGNALS, st.permutations(range(SIZE)))
def test_the_order_of_the_bank_does_not_matter(signals: Signals, order: list[int]) -> None:
    places = np.argsort(order)
    entries = signals.neighbours.entries
    turned = replace(
        signals,
        neighbours=replace(
            signals.neighbours, entries=np.where(entries < 0, entries, places[entries])
        ),
        lexical=signals.lexical[order],
    )
    straight = weigh(signals, WEIGHTS).scores
    assert weigh(turned, WEIGHTS).scores == pytest.approx(straight[order], abs=1e-9)


@given(SIGNALS, st.integers(0, SIZE - 1), st.floats(0.1, 5))
def test_more_shared_words_never_lower_an_entry(signals: Signals, entry: int, more: float) -> None:
    lexical = signals.lexical.copy()
    lexical[entry] += more
    raised = weigh(replace(signals, lexical=lexical), WEIGHTS).scores
    assert raised[entry] >= weigh(signals, WEIGHTS).scores[entry] - 1e-9


@given(SIGNALS)
def test_a_ranker_of_no_weight_is_not_heard(signals: Signals) -> None:
    words_alone = replace(WEIGHTS, nearness=0.0)
    expected = log_softmax(words_alone.lexical * signals.lexical)
    assert weigh(signals, words_alone).scores == pytest.approx(expected, abs=1e-9)

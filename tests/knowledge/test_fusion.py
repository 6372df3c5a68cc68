import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.fusion import Weights, fuse, log_softmax
from knowledge.signals import Signals

SIZE = 4
NUMBERS = st.lists(st.floats(-20, 20), min_size=SIZE, max_size=SIZE).map(np.array)
COSINES = st.lists(st.floats(-1, 1), min_size=SIZE, max_size=SIZE).map(np.array)
SIGNALS = st.builds(
    Signals,
    head=NUMBERS,
    outside=st.floats(-20, 0),
    lexical=st.lists(st.floats(0, 50), min_size=SIZE, max_size=SIZE).map(np.array),
    document=COSINES,
    phrasing=COSINES,
    nearest_outside=st.floats(-1, 1),
    ordinary=st.floats(-1, 1),
    words=st.integers(0, 50),
    known_words=st.integers(0, 50),
)


@given(NUMBERS)
def test_shares_sum_to_one_and_keep_the_order(scores: np.ndarray) -> None:
    shares = np.exp(log_softmax(scores))
    assert shares.sum() == pytest.approx(1)
    assert (np.diff(shares[np.argsort(scores)]) >= -1e-12).all()


@given(SIGNALS)
def test_fused_scores_are_shares_of_every_entry(signals: Signals) -> None:
    fused = fuse(signals)
    assert np.isfinite(fused).all()
    assert np.exp(fused).sum() == pytest.approx(1)


@given(SIGNALS, st.permutations(range(SIZE)))
def test_the_order_of_the_bank_does_not_matter(signals: Signals, order: list[int]) -> None:
    turned = Signals(
        signals.head[order],
        signals.outside,
        signals.lexical[order],
        signals.document[order],
        signals.phrasing[order],
        signals.nearest_outside,
        signals.ordinary,
        signals.words,
        signals.known_words,
    )
    assert fuse(turned) == pytest.approx(fuse(signals)[order], abs=1e-9)


@given(SIGNALS, st.integers(0, SIZE - 1), st.floats(0.1, 5))
def test_more_from_a_ranker_never_lowers_an_entry(
    signals: Signals, entry: int, more: float
) -> None:
    lexical = signals.lexical.copy()
    lexical[entry] += more
    raised = Signals(
        signals.head,
        signals.outside,
        lexical,
        signals.document,
        signals.phrasing,
        signals.nearest_outside,
        signals.ordinary,
        signals.words,
        signals.known_words,
    )
    assert fuse(raised)[entry] >= fuse(signals)[entry] - 1e-9


@given(SIGNALS)
def test_a_ranker_of_no_weight_is_not_heard(signals: Signals) -> None:
    head_alone = Weights(head=1, lexical=0, document=0, phrasing=0)
    assert fuse(signals, head_alone) == pytest.approx(log_softmax(signals.head), abs=1e-9)

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.index_kind import SWITCH_AT, Growth


def test_few_vectors_need_no_lists() -> None:
    assert Growth().lists_for(0) == 0
    assert Growth().lists_for(SWITCH_AT - 1) == 0
    assert Growth().lists_for(SWITCH_AT) > 0


@given(size=st.integers(SWITCH_AT, 100_000_000))
def test_the_lists_are_what_faiss_advises(size: int) -> None:
    assert 4 <= Growth().lists_for(size) / math.sqrt(size) < 16


def test_the_lists_double_when_the_vectors_have_grown_fourfold() -> None:
    assert [Growth().lists_for(100_000 * 4**power) for power in range(4)] == [
        2048,
        4096,
        8192,
        16384,
    ]


def test_changes_are_folded_in_when_there_are_many_or_the_lists_are_outgrown() -> None:
    growth = Growth(switch_at=100, fold_at=10)
    assert not growth.folds(10, 0, 99)
    assert growth.folds(11, 0, 99)
    assert growth.folds(1, 0, 100)
    assert not growth.folds(1, 64, 100)
    assert growth.folds(1, 64, 257)
    assert not growth.folds(1, 64, 3)


def test_a_switch_with_more_lists_than_vectors_is_refused() -> None:
    with pytest.raises(ValueError, match="15 vectors are too few"):
        Growth(switch_at=15)

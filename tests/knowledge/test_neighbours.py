import numpy as np
import pytest

from knowledge.corpus import OUTSIDE
from knowledge.neighbours import NEAREST, Neighbours


def neighbours(*lines: tuple[int, float]) -> Neighbours:
    return Neighbours(
        np.arange(len(lines)),
        np.array([entry for entry, _ in lines], np.int64),
        np.array([cosine for _, cosine in lines], np.float64),
    )


def test_nearness_is_the_log_of_a_sum_over_an_entrys_lines() -> None:
    found = neighbours((1, 0.9), (OUTSIDE, 0.8), (1, 0.7), (0, 0.6))
    nearness, outside = found.nearness(3, 0.1)
    assert nearness[1] == pytest.approx(np.log(np.exp(-1.0) + np.exp(-3.0)))
    assert outside == pytest.approx(-2.0)
    assert nearness[0] == pytest.approx(-4.0)
    assert nearness[2] == nearness[0], "without a line among them: as far as the farthest"


def test_many_lines_outweigh_one_that_is_a_little_nearer() -> None:
    nearness, _ = neighbours((0, 0.80), *[(1, 0.78)] * 5).nearness(2, 0.05)
    assert nearness.argmax() == 1


def test_the_very_nearest_vote() -> None:
    votes, outside = neighbours((1, 0.9), (1, 0.8), (OUTSIDE, 0.7), (0, 0.6)).votes(2)
    assert votes.tolist() == [0.25, 0.5]
    assert outside == 0.25
    votes, outside = neighbours(*[(0, 0.9)] * 20, *[(OUTSIDE, 0.5)] * 100).votes(1)
    assert (votes.tolist(), outside) == ([1.0], 0.0)


def test_no_neighbours_are_no_evidence() -> None:
    nearness, outside = neighbours().nearness(2, 0.05)
    assert np.isfinite(nearness).all()
    assert nearness.tolist() == [outside, outside]
    assert neighbours().votes(2)[1] == 0


def test_what_is_left_keeps_its_order_and_its_bound() -> None:
    found = neighbours(*[(number % 3, 1 - number / 1000) for number in range(NEAREST + 50)])
    left = found.only(found.entries != 1)
    assert set(left.entries.tolist()) == {0, 2}
    assert (np.diff(left.cosines) <= 0).all()
    assert len(found.only(np.ones(len(found.rows), bool)).rows) == NEAREST

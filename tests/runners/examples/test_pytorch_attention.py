from collections.abc import Callable

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-attention"
HEADS, SIZE, LONGEST = 2, 8, 512
LENGTHS = [32, 64, 128, 256, 512]


@pytest.fixture(scope="module", params=[False, True])
def ran(request: pytest.FixtureRequest, laboratory: Laboratory) -> Ran:
    return laboratory.run(
        NAME, heads=HEADS, head_size=SIZE, longest=LONGEST, causal=request.param, seed=1
    )


def test_both_ways_give_the_same(ran: Ran) -> None:
    assert ran.metrics["largest_difference"] < 1e-5


def test_only_by_hand_the_weights_of_every_pair_are_kept(ran: Ran) -> None:
    matrix = HEADS * LONGEST**2 * 4 / 2**20
    inputs = 3 * HEADS * LONGEST * SIZE * 4 / 2**20
    assert ran.metrics["score_matrix"] == matrix
    assert ran.metrics["naive_memory"] >= matrix + inputs
    assert ran.metrics["fused_memory"] < 2 * inputs < matrix / 4
    assert ran.metrics["naive_memory_power"] > 1.8
    assert ran.metrics["fused_memory_power"] == pytest.approx(1, abs=0.02)


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.history["length"] == LENGTHS
    assert ran.steps == [(done, 5) for done in range(1, 6)]
    for way in ("naive", "fused"):
        assert all(time > 0 for time in ran.history[f"{way}_time"])
        assert ran.history[f"{way}_memory"][-1] == ran.metrics[f"{way}_memory"]


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["growth"].alt
    for told in (alt.zh, alt.en):
        assert f"{ran.metrics['largest_difference']:.1e}" in told
        for way in ("naive", "fused"):
            assert f"{ran.metrics[f'{way}_memory']:.1f}" in told
            assert f"{ran.metrics[f'{way}_time']:.1f}" in told
            assert f"{ran.metrics[f'{way}_memory_power']:.2f}" in told
            assert f"{ran.metrics[f'{way}_time_power']:.2f}" in told

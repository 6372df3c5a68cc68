from collections.abc import Callable

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-gradient-accumulation"
UPDATES, PARTS = 16, 8


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, updates=UPDATES)


def test_accumulated_gradients_make_the_update_of_the_large_batch(ran: Ran) -> None:
    assert ran.metrics["accumulated_difference"] < 1e-6
    assert ran.history["accumulated_loss"] == pytest.approx(ran.history["large_loss"], abs=0.01)


def test_without_the_division_it_is_another_update_and_a_worse_one(ran: Ran) -> None:
    assert ran.metrics["undivided_difference"] > 0.01
    assert ran.history["undivided_loss"][0] == pytest.approx(ran.history["large_loss"][0])
    assert ran.metrics["undivided_loss"] > 2 * ran.metrics["large_loss"]
    assert ran.metrics["undivided_accuracy"] < ran.metrics["accumulated_accuracy"] - 0.1


def test_activations_take_the_room_of_one_part(ran: Ran) -> None:
    large = ran.metrics["large_memory"]
    assert ran.metrics["accumulated_memory"] == pytest.approx(large / PARTS, rel=0.02)
    assert ran.metrics["undivided_memory"] == ran.metrics["accumulated_memory"]
    # at the least, of 256 pictures, each convolution's and each normalization's input
    pixels = 16 * 16 * (1 + 16) + 2 * 16 * 8 * 8 * 2 + 2 * 32 * 4 * 4
    assert large > 256 * pixels * 4 / 1e6


def test_batch_norm_sees_the_part_and_not_the_batch(laboratory: Laboratory, ran: Ran) -> None:
    batch = laboratory.run(NAME, updates=2, norm="batch")
    assert batch.metrics["accumulated_difference"] > 100 * ran.metrics["accumulated_difference"]


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.steps == [(done, 3 * UPDATES) for done in range(1, 3 * UPDATES + 1)]
    for way in ("large", "accumulated", "undivided"):
        assert ran.metrics[f"{way}_time"] > 0
        assert ran.metrics[f"{way}_loss"] == ran.history[f"{way}_loss"][-1]


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["accumulation"].alt
    for told in (alt.zh, alt.en):
        assert f"{ran.metrics['accumulated_difference']:.1e}" in told
        assert f"{ran.metrics['undivided_difference']:.1e}" in told
        for way in ("large", "accumulated"):
            assert f"{ran.metrics[f'{way}_accuracy']:.1%}" in told
            assert f"{ran.metrics[f'{way}_memory']:.2f} MB" in told

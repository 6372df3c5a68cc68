from collections.abc import Callable

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-mixed-precision"
UPDATES = 60


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, updates=UPDATES, channels=16)


def test_16_bits_learn_as_well_as_32(ran: Ran) -> None:
    whole, mixed = (ran.history[f"{name}_loss"] for name in ("float32", "mixed"))
    assert mixed != whole  # it is another arithmetic
    assert mixed == pytest.approx(whole, abs=0.15)
    assert ran.metrics["mixed_loss"] < 0.5 * mixed[0]
    assert ran.metrics["mixed_accuracy"] == pytest.approx(ran.metrics["float32_accuracy"], abs=0.05)


def test_activations_take_about_half(ran: Ran) -> None:
    assert 0.45 < ran.metrics["mixed_memory"] / ran.metrics["float32_memory"] < 0.65


def test_float16_loses_small_gradients_and_scaling_brings_them_back(ran: Ran) -> None:
    assert ran.metrics["bare_lost"] > 0.1
    assert ran.metrics["scaled_lost"] < 0.2 * ran.metrics["bare_lost"]
    assert ran.metrics["bare_overflow"] == ran.metrics["scaled_overflow"] == 0


def test_too_large_a_scale_overflows(laboratory: Laboratory) -> None:
    ran = laboratory.run(NAME, updates=2, channels=8, loss_scale=2**30)
    assert ran.metrics["scaled_overflow"] > 0.1
    assert ran.metrics["scaled_lost"] < 0.01


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.steps == [(done, 2 * UPDATES) for done in range(1, 2 * UPDATES + 1)]
    for name in ("float32", "mixed"):
        assert len(ran.history[f"{name}_loss"]) == UPDATES
        assert ran.metrics[f"{name}_time"] > 0


def test_the_pictures_are_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    training, underflow = ran.figures["training"].alt, ran.figures["underflow"].alt
    for told in (training.zh, training.en):
        for name in ("float32", "mixed"):
            assert f"{ran.metrics[f'{name}_accuracy']:.1%}" in told
            assert f"{ran.metrics[f'{name}_memory']:.2f} MB" in told
    for told in (underflow.zh, underflow.en):
        for name in ("bare", "scaled"):
            assert f"{ran.metrics[f'{name}_lost']:.1%}" in told

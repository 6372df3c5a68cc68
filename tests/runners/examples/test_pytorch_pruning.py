from collections.abc import Callable

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-pruning"
EPOCHS, TUNING = 10, 3
LEVELS = 6


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, hidden=128, epochs=EPOCHS, tuning_epochs=TUNING)


def test_nine_weights_in_ten_go_almost_free_by_magnitude_and_not_at_random(ran: Ran) -> None:
    whole = ran.metrics["dense_accuracy"]
    assert whole > 0.9
    assert ran.metrics["magnitude_after"] > whole - 0.06
    assert ran.metrics["random_after"] < ran.metrics["magnitude_after"] - 0.05


def test_fine_tuning_brings_back_what_the_cut_cost(ran: Ran) -> None:
    assert ran.metrics["magnitude_before"] < ran.metrics["dense_accuracy"] - 0.05
    assert ran.metrics["magnitude_after"] > ran.metrics["magnitude_before"] + 0.05
    assert ran.metrics["random_after"] > ran.metrics["random_before"] + 0.2


def test_the_more_is_cut_the_worse_it_reads(ran: Ran) -> None:
    for curve in ran.history.values():
        assert len(curve) == LEVELS
        assert curve[-1] < curve[0] - 0.1
    # halving costs nothing, whichever the way, once fine-tuned
    assert ran.history["magnitude_after"][0] > ran.metrics["dense_accuracy"] - 0.03


def test_zeros_stay_zeros_and_take_room(ran: Ran) -> None:
    assert ran.metrics["zeros"] == pytest.approx(0.9, abs=1e-4)
    assert ran.metrics["pruned_file"] == pytest.approx(ran.metrics["dense_file"], rel=0.01)
    weights = 784 * 128 + 128 * 128 + 128 * 10 + 128 + 128 + 10
    assert ran.metrics["pruned_file"] > 4 * weights / 1000


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    total = EPOCHS + LEVELS * 2 * TUNING
    assert ran.steps == [(done, total) for done in range(1, total + 1)]
    for name in ("magnitude_before", "magnitude_after", "random_before", "random_after"):
        assert ran.metrics[name] == ran.history[name][3]  # the fourth level is nine in ten


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["accuracy"].alt
    for told in (alt.zh, alt.en):
        for name in ("dense_accuracy", "magnitude_before", "magnitude_after", "random_after"):
            assert f"{ran.metrics[name]:.1%}" in told
        assert f"{ran.metrics['pruned_file']:.0f} kB" in told


def test_another_share_takes_its_place_among_the_levels(laboratory: Laboratory) -> None:
    ran = laboratory.run(NAME, sparsity=0.25, hidden=16, epochs=1, tuning_epochs=1)
    assert len(ran.history["random_after"]) == LEVELS + 1
    assert ran.metrics["zeros"] == pytest.approx(0.25, abs=1e-3)
    assert ran.metrics["magnitude_after"] == ran.history["magnitude_after"][0]

from collections.abc import Callable

import pytest

from runners.examples.pytorch_learning_rate import Trial, sort_out
from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-learning-rate"
EPOCHS = 4


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, epochs=EPOCHS)


def test_the_rates_are_powers_of_ten(ran: Ran) -> None:
    assert ran.history["learning_rate"] == pytest.approx([0.0001, 0.001, 0.01, 0.1, 1, 10])


def test_too_small_a_rate_crawls_and_the_best_lies_in_the_middle(ran: Ran) -> None:
    start, best = ran.metrics["start_loss"], ran.metrics["best_loss"]
    final = ran.history["final_loss"]
    assert best == min(final) < 0.2 * start
    assert ran.metrics["best_learning_rate"] == pytest.approx(0.1)
    assert ran.metrics["best_test_accuracy"] == ran.history["test_accuracy"][3] > 0.85
    assert 0.95 * start < ran.metrics["smallest_rate_loss"] == final[0]
    assert final[0] > final[1] > final[2] > final[3]


def test_too_large_a_rate_shoots_up_and_learns_nothing(ran: Ran) -> None:
    start, highest = ran.metrics["start_loss"], ran.history["highest_loss"]
    assert highest[-1] > 100 * start
    assert max(highest[:4]) < 1.2 * start
    assert ran.metrics["diverged"] >= 1
    for final, accuracy in list(
        zip(ran.history["final_loss"], ran.history["test_accuracy"], strict=True)
    )[-2:]:
        assert final > 0.9 * start
        assert accuracy < 0.3
    assert ran.metrics["largest_rate_loss"] == ran.history["final_loss"][-1]


def test_adamw_wants_a_far_smaller_rate_than_sgd(laboratory: Laboratory, ran: Ran) -> None:
    adamw = laboratory.run(NAME, optimizer="adamw", epochs=2)
    assert adamw.metrics["start_loss"] == ran.metrics["start_loss"]
    assert adamw.metrics["best_learning_rate"] < 0.11 * ran.metrics["best_learning_rate"]
    assert adamw.history["highest_loss"][3] > 10 * ran.history["highest_loss"][3]  # both at 0.1


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.steps == [(done, 6 * EPOCHS) for done in range(1, 6 * EPOCHS + 1)]


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["rates"].alt
    for told in (alt.zh, alt.en):
        assert f"{ran.metrics['start_loss']:.3g}" in told
        assert f"{max(ran.history['highest_loss']):.3g}" in told
        for rate, loss in zip(ran.history["learning_rate"], ran.history["final_loss"], strict=True):
            assert f"{rate:g} → {loss:.3g}" in told


def test_rates_are_sorted_out_by_where_they_lead() -> None:
    losses = {0.001: 2.2, 0.01: 0.15, 0.1: 0.1, 1.0: 2.3, 10.0: 2.3}
    highest = {0.001: 2.3, 0.01: 2.3, 0.1: 5.0, 1.0: 3.0, 10.0: 5.0}
    trials = {rate: Trial([loss], highest[rate], 0.5) for rate, loss in losses.items()}
    assert sort_out(trials, 2.3) == {
        "small": [0.001],
        "good": [0.01, 0.1],
        "large": [1.0],
        "diverging": [10.0],
    }

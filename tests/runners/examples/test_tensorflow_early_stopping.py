from collections.abc import Callable

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "tensorflow-early-stopping"
EPOCHS = 40
PATIENCE = 5
VARIANTS = ("full", "hasty", "stopped", "restored")


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, epochs=EPOCHS, patience=PATIENCE, hidden=128, seed=1)


def test_it_stops_when_its_patience_is_over(ran: Ran) -> None:
    losses = ran.history["stopped_validation_loss"]
    assert ran.metrics["best_epoch"] == losses.index(min(losses)) + 1
    assert len(losses) == ran.metrics["best_epoch"] + PATIENCE < EPOCHS
    assert ran.metrics["epochs_saved"] == EPOCHS - len(losses)


def test_until_they_stop_all_train_alike(ran: Ran) -> None:
    whole = ran.history["full_validation_loss"]
    assert len(whole) == EPOCHS
    for variant in VARIANTS:
        losses = ran.history[f"{variant}_validation_loss"]
        assert losses == whole[: len(losses)]
        assert ran.metrics[f"{variant}_epochs"] == len(losses)


def test_only_restoring_gives_back_the_best_weights(ran: Ran) -> None:
    losses = ran.history["stopped_validation_loss"]
    assert ran.metrics["restored_validation_loss"] == pytest.approx(min(losses), rel=1e-4)
    assert ran.metrics["stopped_validation_loss"] == pytest.approx(losses[-1], rel=1e-4)
    assert ran.metrics["restored_validation_loss"] < 0.95 * ran.metrics["stopped_validation_loss"]


def test_a_patience_of_one_is_fooled_by_the_first_bump(ran: Ran) -> None:
    losses = ran.history["hasty_validation_loss"]
    assert losses[-1] >= losses[-2]
    assert losses[:-1] == sorted(losses[:-1], reverse=True)
    assert ran.metrics["hasty_epochs"] < ran.metrics["best_epoch"]
    assert ran.metrics["hasty_test_loss"] > 1.2 * ran.metrics["restored_test_loss"]


def test_the_test_loss_is_lower_than_after_all_epochs(ran: Ran) -> None:
    assert ran.metrics["restored_test_loss"] < 0.85 * ran.metrics["full_test_loss"]
    assert ran.metrics["restored_test_accuracy"] > ran.metrics["full_test_accuracy"]


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    done = [done for done, _ in ran.steps]
    assert done == sorted(done)
    assert ran.steps[-1] == (4 * EPOCHS, 4 * EPOCHS)


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["stopping"].alt
    for told in (alt.zh, alt.en):
        for count in ("best_epoch", "epochs_saved", "restored_epochs", "hasty_epochs"):
            assert f"{ran.metrics[count]:.0f}" in told
        for variant in VARIANTS:
            assert f"{ran.metrics[f'{variant}_test_loss']:.2f}" in told

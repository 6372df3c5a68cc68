from collections.abc import Callable

import pytest

from runners.catalogue import load_catalogue
from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-overfitting"
EPOCHS = 45


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, epochs=EPOCHS, hidden=256)


def test_bare_the_validation_loss_turns_up_again(ran: Ran) -> None:
    losses = ran.history["bare_validation_loss"]
    assert len(losses) == EPOCHS
    assert losses[-1] > 1.2 * min(losses)
    assert losses.index(min(losses)) < EPOCHS / 2


def test_dropout_helps_and_early_stopping_with_it(ran: Ran) -> None:
    assert ran.metrics["dropout_test_loss"] < ran.metrics["bare_test_loss"]
    assert ran.metrics["early_stopping_test_loss"] < ran.metrics["bare_test_loss"]
    assert ran.metrics["early_stopping_test_accuracy"] >= ran.metrics["bare_test_accuracy"]


def test_early_stopping_stops_once_its_patience_is_over(ran: Ran) -> None:
    losses = ran.history["early_stopping_validation_loss"]
    assert ran.metrics["epochs_until_stop"] == len(losses) < EPOCHS
    assert len(losses) - (losses.index(min(losses)) + 1) == 5  # the patience it has by default
    # until then it trains as dropout alone does
    assert losses == ran.history["dropout_validation_loss"][: len(losses)]


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    done = [done for done, _ in ran.steps]
    assert done == sorted(done)
    assert ran.steps[-1] == (3 * EPOCHS, 3 * EPOCHS)


def test_it_takes_and_tells_what_its_twin_in_tensorflow_does() -> None:
    catalogue = load_catalogue()
    one, other = catalogue[NAME].info, catalogue["tensorflow-overfitting"].info
    assert one.parameters == other.parameters
    assert one.metrics == other.metrics


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt, losses = ran.figures["curves"].alt, ran.history["bare_validation_loss"]
    for told in (alt.zh, alt.en):
        assert f"{min(losses):.2f}" in told
        assert f"{losses[-1]:.2f}" in told
        assert f"{ran.metrics['epochs_until_stop']:.0f}" in told
        for variant in ("bare", "dropout", "early_stopping"):
            assert f"{ran.metrics[f'{variant}_test_accuracy']:.1%}" in told

from collections.abc import Callable
from pathlib import Path

import pytest

from runners.catalogue import load_catalogue
from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-simple-network"
EPOCHS = 2


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, epochs=EPOCHS)


def test_two_epochs_read_almost_nine_digits_in_ten(ran: Ran) -> None:
    assert ran.metrics["test_accuracy"] > 0.87
    assert ran.history["train_loss"][1] < 0.5 * ran.history["train_loss"][0]
    assert ran.metrics["parameters"] == 784 * 128 + 128 + 128 * 10 + 10


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert len(ran.history["validation_accuracy"]) == EPOCHS
    done = [done for done, _ in ran.steps]
    assert done == list(range(1, ran.steps[-1][1] + 1))  # one report a batch


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["curves"].alt
    for told in (alt.zh, alt.en):
        assert f"{ran.metrics['test_accuracy']:.1%}" in told
        assert f"{ran.history['validation_loss'][0]:.2f}" in told
        assert f"{ran.history['validation_loss'][-1]:.2f}" in told


def test_it_takes_and_tells_what_its_twin_in_tensorflow_does() -> None:
    catalogue = load_catalogue()
    one, other = catalogue[NAME].info, catalogue["tensorflow-simple-network"].info
    assert one.parameters == other.parameters
    assert one.metrics == other.metrics


def test_the_same_seed_gives_the_same_numbers(laboratory: Laboratory, ran: Ran) -> None:
    again = laboratory.run(NAME, epochs=EPOCHS)
    assert again.metrics == ran.metrics
    assert again.history == ran.history


def test_mnist_is_read_where_it_lies(laboratory: Laboratory, small_mnist: Path) -> None:
    ran = laboratory.run(NAME, datasets=small_mnist, data="mnist", epochs=2, batch_size=8)
    assert ran.missing is None
    # the validation part is taken from the 400 training pictures
    assert ran.steps[-1] == (2 * -(-340 // 8), 2 * -(-340 // 8))
    assert ran.metrics["test_accuracy"] > 0.7


def test_mnist_that_is_not_there_is_named(laboratory: Laboratory) -> None:
    missing = laboratory.run(NAME, data="mnist").missing
    assert missing is not None
    assert missing.count("mnist.npz") == 2

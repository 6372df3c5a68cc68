from collections.abc import Callable

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "tensorflow-data-augmentation"
EPOCHS = 3
VARIANTS = ("bare", "augmented", "upside_down")


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, epochs=EPOCHS, seed=1)


def test_random_moves_raise_the_test_accuracy_and_narrow_the_gap(ran: Ran) -> None:
    assert ran.metrics["augmented_test_accuracy"] > ran.metrics["bare_test_accuracy"] + 0.02
    assert ran.metrics["augmented_gap"] < ran.metrics["bare_gap"] - 0.02


def test_moves_that_change_the_answer_do_harm(ran: Ran) -> None:
    assert ran.metrics["upside_down_test_accuracy"] < ran.metrics["bare_test_accuracy"] - 0.1


def test_the_gap_is_from_training_to_test(ran: Ran) -> None:
    assert ran.metrics["bare_train_accuracy"] == 1  # nothing kept it from learning by heart
    for variant in VARIANTS:
        train, test = (ran.metrics[f"{variant}_{part}_accuracy"] for part in ("train", "test"))
        assert ran.metrics[f"{variant}_gap"] == pytest.approx(train - test)


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.steps == [(done, 3 * EPOCHS) for done in range(1, 3 * EPOCHS + 1)]
    for variant in VARIANTS:
        assert len(ran.history[f"{variant}_validation_accuracy"]) == EPOCHS


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["augmentation"].alt
    for told in (alt.zh, alt.en):
        for variant in VARIANTS:
            assert f"{ran.metrics[f'{variant}_test_accuracy']:.1%}" in told
        for variant in ("bare", "augmented"):
            assert f"{ran.metrics[f'{variant}_gap']:.1%}" in told

from collections.abc import Callable

import pytest

from runners.catalogue import load_catalogue
from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-transfer-learning"
BASE_WEIGHTS = 14_048  # three 3 × 3 convolutions to 16, 32 and 32 channels, with biases
HEAD_WEIGHTS = 512 * 5 + 5
PRETRAINING, EPOCHS, TRIES = 3, 8, 2


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, pretraining_epochs=PRETRAINING, epochs=EPOCHS, tries=TRIES)


def test_a_trained_base_beats_a_start_from_scratch(ran: Ran) -> None:
    scratch = ran.metrics["scratch_accuracy"]
    assert ran.metrics["frozen_accuracy"] > scratch + 0.15
    assert ran.metrics["fine_tuned_accuracy"] > scratch + 0.15
    assert ran.metrics["fine_tuned_accuracy"] > 0.6


def test_a_frozen_base_leaves_only_the_head_to_learn(ran: Ran) -> None:
    assert ran.metrics["frozen_trainable"] == HEAD_WEIGHTS
    assert ran.metrics["fine_tuned_trainable"] == BASE_WEIGHTS + HEAD_WEIGHTS
    assert ran.metrics["scratch_trainable"] == BASE_WEIGHTS + HEAD_WEIGHTS


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    pretraining = [step for step, note in zip(ran.steps, ran.notes, strict=True) if note]
    training = [step for step, note in zip(ran.steps, ran.notes, strict=True) if not note]
    assert pretraining == [(done, PRETRAINING) for done in range(1, PRETRAINING + 1)]
    assert training == [(done, 3 * TRIES) for done in range(1, 3 * TRIES + 1)]
    for start in ("frozen", "fine_tuned", "scratch"):
        assert len(ran.history[f"{start}_accuracy"]) == EPOCHS
        assert ran.history[f"{start}_accuracy"][-1] == ran.metrics[f"{start}_accuracy"]


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["accuracy"].alt
    for told in (alt.zh, alt.en):
        for start in ("frozen", "fine_tuned", "scratch"):
            assert f"{ran.metrics[f'{start}_accuracy']:.1%}" in told


def test_it_takes_and_tells_what_its_twin_in_tensorflow_does() -> None:
    catalogue = load_catalogue()
    one, other = catalogue[NAME].info, catalogue["tensorflow-transfer-learning"].info
    names = {each.name for each in one.parameters}
    assert names == {each.name for each in other.parameters} - {"base"} | {"tries"}
    assert one.metrics == other.metrics

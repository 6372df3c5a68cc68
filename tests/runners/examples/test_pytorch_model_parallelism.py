from collections.abc import Callable

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-model-parallelism"
EPOCHS = 2
BATCH = 128
PICTURES = 1167
WIDTH = 64
HIDDEN = WIDTH * WIDTH + WIDTH
FIRST = (256 * WIDTH + WIDTH) + HIDDEN  # 2 of the 6 layers
SECOND = 3 * HIDDEN + (WIDTH * 10 + 10)


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(
        NAME, epochs=EPOCHS, batch_size=BATCH, width=WIDTH, cut=2, learning_rate=0.005
    )


def test_the_loss_of_the_cut_network_is_that_of_the_whole(ran: Ran) -> None:
    whole, cut = ran.history["whole_loss"], ran.history["split_loss"]
    apart = [abs(a - b) for a, b in zip(whole, cut, strict=True)]
    assert ran.metrics["loss_gap"] == max(apart) < 1e-4
    # equal because both learn, and not because neither does
    assert whole[-1] < 0.8 * whole[0]


def test_each_process_holds_its_own_layers_only(ran: Ran) -> None:
    held = [ran.metrics[f"{name}_parameters"] for name in ("first", "second", "whole")]
    assert held == [FIRST, SECOND, FIRST + SECOND]


def test_memory_for_training_is_split_as_the_parameters_are(ran: Ran) -> None:
    # 4 bytes each of weight, gradient, and two means; and Adam counts the steps of 4, 8, 12 tensors
    for name, parameters, tensors in (("first", FIRST, 4), ("second", SECOND, 8)):
        expected = (16 * parameters + 4 * tensors) / 2**20
        assert ran.metrics[f"{name}_state"] == pytest.approx(expected, rel=1e-6)
    parts = ran.metrics["first_state"] + ran.metrics["second_state"]
    assert parts == pytest.approx(ran.metrics["whole_state"], rel=1e-6)


def test_activations_go_one_way_and_as_many_gradients_come_back(ran: Ran) -> None:
    assert ran.metrics["traffic"] == pytest.approx(2 * PICTURES * WIDTH * 4 / 2**20)


def test_while_one_process_computes_the_other_waits(ran: Ran) -> None:
    assert ran.metrics["whole_idle"] == 0
    # they compute in turn, but for the update of the weights, which takes most of so small a step
    assert ran.metrics["first_idle"] > 1
    assert ran.metrics["second_idle"] > 1
    assert ran.metrics["speedup"] > 0


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.steps == [(done, 2 * EPOCHS) for done in range(1, 2 * EPOCHS + 1)]


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    metrics, alt = ran.metrics, ran.figures["parts"].alt
    for told in (alt.zh, alt.en):
        for name in ("whole", "first", "second"):
            assert f"{metrics[f'{name}_state']:.1f}" in told
        for name in ("first", "second"):
            assert f"{metrics[f'{name}_idle'] / 100:.0%}" in told
        assert f"{metrics['speedup']:.2f}" in told
        assert f"{metrics['loss_gap']:.1e}" in told

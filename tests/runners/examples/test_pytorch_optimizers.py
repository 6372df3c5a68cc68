from collections.abc import Callable

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-optimizers"
OPTIMIZERS = {"sgd": "SGD", "momentum": "Momentum", "adam": "Adam", "adamw": "AdamW"}
EPOCHS = 3


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, epochs=EPOCHS)


def test_momentum_and_adam_are_far_ahead_of_sgd_after_the_same_steps(ran: Ran) -> None:
    sgd = ran.history["sgd_train_loss"][-1]
    for optimizer in ("momentum", "adam", "adamw"):
        assert ran.history[f"{optimizer}_train_loss"][-1] < 0.5 * sgd
        assert ran.metrics[f"{optimizer}_test_accuracy"] > 0.85
        assert ran.metrics[f"{optimizer}_test_accuracy"] > ran.metrics["sgd_test_accuracy"]


def test_momentum_keeps_one_more_number_for_a_weight_and_adam_two(ran: Ran) -> None:
    kept = {optimizer: ran.metrics[f"{optimizer}_kept"] for optimizer in OPTIMIZERS}
    assert kept == {"sgd": 0, "momentum": 1, "adam": 2, "adamw": 2}


def test_weight_decay_makes_the_weights_of_adamw_shorter(ran: Ran) -> None:
    assert ran.metrics["adamw_weight_norm"] < 0.999 * ran.metrics["adam_weight_norm"]


def test_without_momentum_and_decay_two_are_the_same_and_ten_times_the_rate_makes_up_for_it(
    laboratory: Laboratory, ran: Ran
) -> None:
    bare = laboratory.run(NAME, epochs=2, momentum=0, weight_decay=0, sgd_rate=0.1)
    assert bare.history["momentum_train_loss"] == bare.history["sgd_train_loss"]
    assert bare.history["adamw_train_loss"] == bare.history["adam_train_loss"]
    assert bare.history["adam_train_loss"] != bare.history["sgd_train_loss"]
    with_momentum = ran.history["momentum_train_loss"][1]  # at a rate of 0.01
    assert bare.history["sgd_train_loss"][1] == pytest.approx(with_momentum, rel=0.4)


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.steps == [(done, 4 * EPOCHS) for done in range(1, 4 * EPOCHS + 1)]
    for optimizer in OPTIMIZERS:
        assert len(ran.history[f"{optimizer}_train_loss"]) == EPOCHS


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["losses"].alt
    for told in (alt.zh, alt.en):
        for optimizer, name in OPTIMIZERS.items():
            assert f"{name} {ran.history[f'{optimizer}_train_loss'][-1]:.4f}" in told
            assert f"{ran.metrics[f'{optimizer}_test_accuracy']:.1%}" in told

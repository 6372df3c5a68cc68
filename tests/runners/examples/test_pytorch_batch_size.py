from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-batch-size"
SIZES = (8, 32, 128, 512)
RULES = ("fixed", "scaled")
EPOCHS = 10
PICTURES = 1_168  # to learn from


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, epochs=EPOCHS, draws=40)


def test_four_times_the_batch_halves_the_gradient_noise(ran: Ran) -> None:
    for small, large in pairwise(SIZES):
        halved = ran.metrics[f"noise_{small}"] / 2
        assert ran.metrics[f"noise_{large}"] == pytest.approx(halved, rel=0.3)


def test_the_larger_the_batch_the_fewer_the_updates(ran: Ran) -> None:
    for size in SIZES:
        assert ran.metrics[f"updates_{size}"] == -(-PICTURES // size)
        assert ran.metrics[f"epoch_{size}"] > 0


def test_at_one_rate_large_batches_are_trained_too_little(ran: Ran) -> None:
    losses = [ran.metrics[f"fixed_loss_{size}"] for size in SIZES]
    assert losses == sorted(losses)
    assert losses[-1] > 3 * losses[1] > 6 * losses[0]
    assert ran.metrics["fixed_accuracy_512"] < ran.metrics["fixed_accuracy_8"] - 0.1


def test_at_scaled_rates_the_curves_nearly_coincide(ran: Ran) -> None:
    for size in SIZES:
        for loss, base in zip(
            ran.history[f"scaled_loss_{size}"], ran.history["fixed_loss_32"], strict=True
        ):
            assert loss == pytest.approx(base, rel=0.3)
    assert ran.history["scaled_loss_32"] == ran.history["fixed_loss_32"]
    assert ran.metrics["scaled_accuracy_512"] > ran.metrics["fixed_accuracy_512"] + 0.1


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.steps == [(done, 8 * EPOCHS) for done in range(1, 8 * EPOCHS + 1)]
    for rule in RULES:
        for size in SIZES:
            loss = f"{rule}_loss_{size}"
            assert ran.history[loss][-1] == ran.metrics[loss]


def test_the_pictures_are_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    cost, losses = ran.figures["cost"].alt, ran.figures["losses"].alt
    for told in (cost.zh, cost.en):
        for size in (8, 512):
            assert f"{ran.metrics[f'noise_{size}']:.2f}" in told
            assert f"{ran.metrics[f'updates_{size}']:.0f}" in told
            assert f"{ran.metrics[f'epoch_{size}']:.0f}" in told
    for told in (losses.zh, losses.en):
        for rule in RULES:
            assert f"{ran.metrics[f'{rule}_loss_512']:.3f}" in told
            for size in SIZES:
                assert f"{ran.metrics[f'{rule}_accuracy_{size}']:.1%}" in told

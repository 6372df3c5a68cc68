from collections.abc import Callable

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-vanishing-gradients"
LAYERS, EPOCHS = 20, 3
VARIANTS = ("sigmoid", "relu", "sigmoid_residual", "relu_residual")


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, layers=LAYERS, width=32, epochs=EPOCHS, learning_rate=0.003)


def test_through_plain_sigmoids_the_gradient_vanishes(ran: Ran) -> None:
    assert ran.metrics["sigmoid_ratio"] < 1e-6
    norms = ran.history["sigmoid_norm"]
    assert norms == sorted(norms)  # smaller from layer to layer on the way back


@pytest.mark.parametrize("variant", VARIANTS[1:])
def test_relu_or_a_residual_connection_keeps_it(ran: Ran, variant: str) -> None:
    assert 0.01 < ran.metrics[f"{variant}_ratio"] < 100


def test_only_what_the_gradient_reaches_learns(ran: Ran) -> None:
    accuracy = {variant: ran.metrics[f"{variant}_accuracy"] for variant in VARIANTS}
    assert accuracy["sigmoid"] < 0.2  # guessing reads one in ten
    assert accuracy["sigmoid_residual"] > accuracy["sigmoid"] + 0.4
    assert accuracy["relu_residual"] > 0.75
    assert accuracy["relu_residual"] > accuracy["relu"]


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.steps == [(done, 4 * EPOCHS) for done in range(1, 4 * EPOCHS + 1)]
    for variant in VARIANTS:
        norms = ran.history[f"{variant}_norm"]
        assert len(norms) == LAYERS
        assert ran.metrics[f"{variant}_ratio"] == norms[0] / norms[-1]


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["gradients"].alt
    for told in (alt.zh, alt.en):
        for variant in VARIANTS:
            assert f"{ran.metrics[f'{variant}_ratio']:.1e}" in told
            assert f"{ran.metrics[f'{variant}_accuracy']:.1%}" in told

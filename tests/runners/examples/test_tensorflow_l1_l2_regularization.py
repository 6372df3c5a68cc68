from collections.abc import Callable

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "tensorflow-l1-l2-regularization"
WEIGHTS = (64 + 192) * 10
STRENGTHS = 3


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, useless=192, strengths=STRENGTHS, steps=200)


def test_l1_makes_exact_zeros_and_l2_none(ran: Ran) -> None:
    assert ran.metrics["l1_zeros"] > WEIGHTS / 2
    assert ran.metrics["l2_zeros"] == ran.metrics["bare_zeros"] == 0
    assert ran.history["l1_zeros"] == sorted(ran.history["l1_zeros"])  # λ grows
    assert ran.history["l2_zeros"] == [0] * STRENGTHS


def test_l2_shrinks_more_the_stronger_it_is(ran: Ran) -> None:
    sizes = [ran.metrics["bare_mean_weight"], *ran.history["l2_mean_weight"]]
    assert sizes == sorted(sizes, reverse=True)
    assert ran.metrics["l2_mean_weight"] < 0.8 * sizes[0]


def test_zeros_come_from_the_soft_threshold_and_not_from_the_gradient(ran: Ran) -> None:
    assert ran.metrics["l1_by_gradient_zeros"] == 0
    assert ran.metrics["l1_by_gradient_mean_weight"] < 0.5 * ran.metrics["bare_mean_weight"]


def test_among_useless_inputs_both_help_and_l1_most(ran: Ran) -> None:
    bare, l1, l2 = (ran.metrics[f"{name}_test_accuracy"] for name in ("bare", "l1", "l2"))
    assert bare < l2 < l1
    assert l1 > bare + 0.05


def test_the_strength_is_chosen_among_those_that_were_tried(ran: Ran) -> None:
    for name in ("l1", "l2"):
        assert any(
            ran.metrics[f"{name}_strength"] == pytest.approx(tried) for tried in (0.001, 0.01, 0.1)
        )
        assert ran.metrics[f"{name}_test_accuracy"] in ran.history[f"{name}_test_accuracy"]


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    trainings = 2 * STRENGTHS + 2
    assert ran.steps == [(done, trainings) for done in range(1, trainings + 1)]


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["zeros"].alt
    for told in (alt.zh, alt.en):
        assert f"{WEIGHTS:,}" in told
        for name in ("bare", "l1", "l2"):
            assert f"{ran.metrics[f'{name}_test_accuracy']:.1%}" in told
        for name in ("l1", "l1_by_gradient", "l2"):
            assert f"{ran.metrics[f'{name}_zeros']:,.0f}" in told

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-lora"
WAYS = ("head", "lora", "full")
WIDTH, LAYERS, RANK, CLASSES = 384, 12, 8, 2
HEAD = (WIDTH + 1) * CLASSES
LORA = LAYERS * RANK * (4 * 2 * WIDTH + 2 * 5 * WIDTH)  # r·(d + k) for each of six matrices
TEXTS, BATCH = 128, 4
STEPS = TEXTS // BATCH


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, seed=2, examples=TEXTS, tests=100, batch_size=BATCH)


def test_lora_learns_what_a_head_alone_does_not(ran: Ran) -> None:
    assert ran.metrics["lora_accuracy"] > ran.metrics["head_accuracy"] + 0.05
    assert ran.metrics["full_accuracy"] > ran.metrics["head_accuracy"] + 0.05
    assert ran.metrics["lora_accuracy"] > ran.metrics["full_accuracy"] - 0.15


def test_the_head_alone_is_given_what_it_needs_to_learn(ran: Ran) -> None:
    losses = ran.history["head_loss"]
    assert len(losses) == 5 * STEPS
    assert sum(losses[-STEPS:]) < 0.6 * sum(losses[:STEPS])


def test_lora_trains_less_than_a_hundredth_of_the_parameters(ran: Ran) -> None:
    assert ran.metrics["head_trainable"] == HEAD
    assert ran.metrics["lora_trainable"] == LORA + HEAD
    assert ran.metrics["lora_share"] < 1


@pytest.mark.parametrize("way", WAYS)
def test_each_trained_parameter_has_a_gradient_and_two_moments(ran: Ran, way: str) -> None:
    expected = 12 * ran.metrics[f"{way}_trainable"] / 1e6
    assert ran.metrics[f"{way}_training_mb"] == pytest.approx(expected, rel=0.01, abs=0.001)


def test_lora_saves_hardly_any_activations(ran: Ran) -> None:
    assert ran.metrics["lora_activations_mb"] > 0.8 * ran.metrics["full_activations_mb"]
    assert ran.metrics["head_activations_mb"] == 0


def test_lora_begins_as_the_encoder_that_it_is_put_on(ran: Ran) -> None:
    first = ran.history["head_loss"][0]
    assert ran.history["lora_loss"][0] == pytest.approx(first, abs=1e-4)
    assert ran.history["full_loss"][0] == pytest.approx(first, abs=1e-4)


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.steps == sorted(ran.steps)
    assert all(ran.metrics[f"{way}_seconds"] > 0 for way in WAYS)


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["ways"].alt
    for told in (alt.zh, alt.en):
        for way in WAYS:
            assert f"{ran.metrics[f'{way}_accuracy']:.1%}" in told
        for way in ("lora", "full"):
            assert f"{ran.metrics[f'{way}_training_mb']:.1f} MB" in told
            assert f"{ran.metrics[f'{way}_activations_mb']:.1f} MB" in told


def test_an_encoder_that_is_not_there_is_named(laboratory: Laboratory, tmp_path: Path) -> None:
    missing = laboratory.run(NAME, encoder=tmp_path / "nowhere").missing
    assert missing is not None
    assert missing.count("the sentence encoder") == 2

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-quantization"
WAYS = ("int8", "shared", "few")
WIDTH, WORDS, LAYERS = 384, 137_130, 12
LINEAR = LAYERS * (4 * WIDTH * WIDTH + 2 * WIDTH * 4 * WIDTH)
ROWS = LAYERS * (4 * WIDTH + 4 * WIDTH + WIDTH) + WORDS  # each has a scale of 4 bytes


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, questions=40, repeats=1, few_bits=3)


def test_eight_bits_take_a_quarter_and_a_scale_for_each_row(ran: Ran) -> None:
    saved = 3 * (LINEAR + WORDS * WIDTH) - 4 * ROWS
    assert ran.metrics["float32_mb"] - ran.metrics["int8_mb"] == pytest.approx(saved / 1e6)
    assert ran.metrics["int8_mb"] < 0.26 * ran.metrics["float32_mb"]


def test_eight_bits_keep_the_vectors_and_three_do_not(ran: Ran) -> None:
    assert ran.metrics["int8_worst_cosine"] > 0.998
    assert ran.metrics["few_cosine"] < 0.93
    assert all(ran.metrics[f"{way}_worst_cosine"] < ran.metrics[f"{way}_cosine"] for way in WAYS)


def test_the_nearest_question_stays_at_eight_bits_and_changes_at_three(ran: Ran) -> None:
    assert ran.metrics["int8_same_neighbour"] >= 0.8
    assert ran.metrics["few_same_neighbour"] < ran.metrics["int8_same_neighbour"] - 0.3


def test_one_scale_for_a_whole_matrix_loses_more(ran: Ran) -> None:
    assert 1 - ran.metrics["shared_cosine"] > 4 * (1 - ran.metrics["int8_cosine"])


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.steps == [(done, 4) for done in range(1, 5)]
    assert all(taken > 0 for name, taken in ran.metrics.items() if name.endswith("_ms"))


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["quantization"].alt
    for told in (alt.zh, alt.en):
        for form in ("float32", "int8"):
            assert f"{ran.metrics[f'{form}_mb']:.0f} MB" in told
            assert f"{ran.metrics[f'{form}_batch_ms']:.0f} ms" in told
        for way in WAYS:
            assert f"{ran.metrics[f'{way}_same_neighbour']:.1%}" in told


def test_an_encoder_that_is_not_there_is_named(laboratory: Laboratory, tmp_path: Path) -> None:
    missing = laboratory.run(NAME, encoder=tmp_path / "nowhere").missing
    assert missing is not None
    assert missing.count("the sentence encoder") == 2

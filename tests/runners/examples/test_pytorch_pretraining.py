import math
from collections.abc import Callable

import pytest

from runners.bank_texts import load_prose
from runners.examples.pytorch_pretraining import read_texts
from runners.settings import BANK
from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-pretraining"
STEPS, BATCH, LENGTH = 300, 16, 32


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(
        NAME, steps=STEPS, batch_size=BATCH, length=LENGTH, layers=1, width="64", learning_rate=0.01
    )


def test_no_entry_is_both_read_and_judged_by() -> None:
    train, held_out = read_texts(BANK, "en", 0)
    first_lines = [text.split("\n")[0] for text in load_prose(BANK, "en")]
    plain = [line for line in first_lines if line.isascii() and "`" not in line]
    judged_by = {line for line in plain if line in held_out}
    assert len(judged_by) > 0.02 * len(plain)
    assert judged_by ^ {line for line in plain if line in train} == set(plain)


def test_chinese_prose_is_read_without_its_code() -> None:
    text = "".join(read_texts(BANK, "zh", 0))
    assert "注意力" in text
    assert "import torch" not in text


def test_trained_it_beats_the_counting_of_pairs(ran: Ran) -> None:
    assert ran.metrics["untrained_perplexity"] > 60  # some 90 characters, guessed evenly
    assert 15 < ran.metrics["unigram_perplexity"] < 30
    assert ran.metrics["bigram_perplexity"] < 0.7 * ran.metrics["unigram_perplexity"]
    assert ran.metrics["perplexity"] < 0.9 * ran.metrics["bigram_perplexity"]


def test_what_it_reports_follows_from_what_it_measured(ran: Ran) -> None:
    assert ran.metrics["bits_a_character"] == math.log2(ran.metrics["perplexity"])
    assert ran.metrics["characters_read"] == STEPS * BATCH * LENGTH
    work = 6 * ran.metrics["parameters"] * ran.metrics["characters_read"]
    assert ran.metrics["operations"] == work


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.steps == [(done, STEPS) for done in range(1, STEPS + 1)]
    assert ran.history["steps"] == list(range(STEPS // 10, STEPS + 1, STEPS // 10))
    assert ran.history["perplexity"][-1] == ran.metrics["perplexity"]


def test_it_writes_before_and_after(ran: Ran) -> None:
    before, after = ran.lines
    assert before.startswith("0: The ")
    assert after.startswith(f"{STEPS}: The ")
    assert after.count(" ") > 20  # it has learnt that words have ends


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["perplexity"].alt
    for told in (alt.zh, alt.en):
        for name in ("untrained", "unigram", "bigram"):
            assert f"{ran.metrics[f'{name}_perplexity']:.1f}" in told
        assert f"{ran.metrics['perplexity']:.2f}" in told
        assert ran.lines[-1].partition(": ")[2] in told

from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-sampling"
TEMPERATURES = [0, 0.5, 1, 1.2, 1.5]
STEPS = 120


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, steps=STEPS, hidden=64, temperature=1.2, top_p=0.8)


def test_greedy_writes_one_line_and_heat_many(ran: Ran) -> None:
    assert ran.history["temperature"] == TEMPERATURES
    different = ran.history["different"]
    assert different[0] == 1
    assert different[-1] == 64


def test_entropy_and_the_kept_grow_with_temperature(ran: Ran) -> None:
    for name in ("entropy", "kept"):
        values = ran.history[name]
        assert all(one < other for one, other in pairwise(values))
    assert ran.history["entropy"][0] == pytest.approx(0, abs=0.01)
    assert ran.history["kept"][0] == pytest.approx(1, abs=0.02)


def test_top_p_keeps_few_where_the_model_is_sure_and_many_where_it_is_not(ran: Ran) -> None:
    assert 1 < ran.metrics["kept"] < 0.8 * ran.metrics["kept_most"]


def test_cold_or_cut_off_more_words_are_real(ran: Ran) -> None:
    real, cut = ran.history["real_words"], ran.history["real_words_top_p"]
    assert real[1] > real[-1] + 0.2
    assert cut[1] > real[1] + 0.05


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.steps == [(done, STEPS) for done in range(1, STEPS + 1)]
    # the results are those at the temperature that was asked for
    for name, value in ran.metrics.items():
        assert ran.history[name][TEMPERATURES.index(1.2)] == value


def test_the_pictures_are_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["distribution"].alt
    for told in (alt.zh, alt.en):
        for place in (0, -1):
            assert f"{ran.history['entropy'][place]:.2f}" in told
            assert f"{ran.history['kept'][place]:.1f}" in told
        assert f"{ran.history['real_words'][-1]:.1%}" in told
        assert f"{ran.history['real_words_top_p'][-1]:.1%}" in told
    lines = ran.figures["samples"].alt.en.split("\n")
    assert len(lines) == 2 * len(TEMPERATURES)
    assert all("The " in line for line in lines)

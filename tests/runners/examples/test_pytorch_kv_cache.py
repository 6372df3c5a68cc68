from collections.abc import Callable

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-kv-cache"
LONGEST, LAYERS, HEAD_SIZE = 64, 2, 32
FLOAT = 4
CACHED = LONGEST - 1
"""Tokens that have been through the layers when the last one is written."""


@pytest.fixture(scope="module", params=[2, 8])
def kv_heads(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory, kv_heads: int) -> Ran:
    return laboratory.run(NAME, longest=LONGEST, layers=LAYERS, kv_heads=str(kv_heads))


def test_the_cache_changes_no_token(ran: Ran) -> None:
    assert ran.metrics["equal_tokens"] == 1
    assert 0 < ran.metrics["largest_difference"] < 1e-4


def test_with_the_cache_each_token_is_computed_once(ran: Ran) -> None:
    assert ran.metrics["cached_through"] == CACHED
    assert ran.metrics["uncached_through"] == CACHED * LONGEST / 2
    assert ran.metrics["speedup"] == pytest.approx(
        ran.metrics["cached_speed"] / ran.metrics["uncached_speed"]
    )


def test_the_cache_is_as_large_as_the_formula_says(ran: Ran, kv_heads: int) -> None:
    assert ran.metrics["bytes_a_token"] == 2 * LAYERS * kv_heads * HEAD_SIZE * FLOAT
    for length, size in zip(ran.history["length"], ran.history["cache_size"], strict=True):
        assert size * 2**20 == ran.metrics["bytes_a_token"] * (length - 1)
    assert ran.metrics["cache_size"] == ran.history["cache_size"][-1]


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.history["length"] == [4, 8, 16, 32, 64]
    assert ran.steps[-1] == (2 * LONGEST, 2 * LONGEST)
    for way in ("cached", "uncached"):
        assert all(speed > 0 for speed in ran.history[f"{way}_speed"])


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["speed"].alt
    for told in (alt.zh, alt.en):
        assert f"{ran.metrics['cached_speed']:.0f}" in told
        assert f"{ran.metrics['uncached_speed']:.0f}" in told
        assert f"{ran.metrics['cache_size']:.2f}" in told
        assert f"{ran.metrics['uncached_through']:,.0f}" in told
        assert f"{ran.metrics['largest_difference']:.1e}" in told

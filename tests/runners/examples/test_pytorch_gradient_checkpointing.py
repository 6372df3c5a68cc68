from collections.abc import Callable

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-gradient-checkpointing"
LAYERS, WIDTH, BATCH, UPDATES = 9, 32, 32, 8


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    """With dropout, which a second computation repeats only if random states are restored."""
    return laboratory.run(
        NAME, layers=LAYERS, head_size=WIDTH // 4, batch_size=BATCH, updates=UPDATES, dropout=0.2
    )


def test_what_is_computed_again_need_not_be_kept(ran: Ran) -> None:
    plain, root, each = (ran.metrics[f"{way}_memory"] for way in ("plain", "root", "each"))
    assert root < 0.45 * plain  # one segment of three, and three inputs
    assert each < 0.6 * root
    inputs = (LAYERS - 1) * BATCH * 16 * WIDTH * 4 / 1e6
    assert each == pytest.approx(inputs + plain / LAYERS, rel=0.1)


def test_gradients_and_losses_stay_the_same_even_with_dropout(ran: Ran) -> None:
    for way in ("root", "each"):
        assert ran.metrics[f"{way}_difference"] < 1e-6
        assert ran.history[f"{way}_loss"] == pytest.approx(ran.history["plain_loss"], abs=1e-4)
        assert ran.metrics[f"{way}_accuracy"] == pytest.approx(
            ran.metrics["plain_accuracy"], abs=0.01
        )
    assert ran.metrics["plain_loss"] < 0.9 * ran.history["plain_loss"][0]


def test_what_is_no_activation_is_not_saved(ran: Ran) -> None:
    layer = 4 * WIDTH * WIDTH + 4 * WIDTH + 8 * WIDTH * WIDTH + 5 * WIDTH + 4 * WIDTH
    weights = 16 * WIDTH + WIDTH + LAYERS * layer + 16 * WIDTH * 10 + 10
    assert ran.metrics["state_memory"] == pytest.approx(16 * weights / 1e6)


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.steps == [(done, UPDATES) for done in range(1, UPDATES + 1)]
    for way in ("plain", "root", "each"):
        assert ran.metrics[f"{way}_time"] > 0
        assert ran.metrics[f"{way}_loss"] == ran.history[f"{way}_loss"][-1]


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["checkpointing"].alt
    for told in (alt.zh, alt.en):
        for way in ("plain", "root", "each"):
            assert f"{ran.metrics[f'{way}_memory']:.1f} MB" in told
            assert f"{ran.metrics[f'{way}_time']:.1f} ms" in told

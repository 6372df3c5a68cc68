from collections.abc import Callable

import pytest

from runners.examples.pytorch_pipeline_parallelism import Piece, bubble, replay
from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-pipeline-parallelism"
MICRO = (1, 2, 4, 8)


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, epochs=2, batch_size=256, width=256)


def test_a_pipeline_has_the_gradient_and_the_losses_of_the_uncut_network(ran: Ran) -> None:
    assert ran.metrics["gradient_gap"] < 1e-4
    assert ran.metrics["loss_gap"] < 1e-3
    whole, cut = ran.history["loss_whole"], ran.history["loss_8"]
    assert cut == pytest.approx(whole, abs=1e-3)
    # equal because both learn, and not because neither does
    assert whole[-1] < 0.8 * whole[0]


def test_the_formula_gives_the_shares_of_two_stages(ran: Ran) -> None:
    shares = [ran.metrics[f"bubble_{micro}"] for micro in MICRO]
    assert shares == pytest.approx([50, 100 / 3, 20, 100 / 9])


def test_the_schedule_alone_idles_less_with_more_micro_batches(ran: Ran) -> None:
    alone = {way: ran.metrics[f"schedule_{way}"] for way in ("1", "2", "4", "8", "1f1b")}
    assert alone["1"] == pytest.approx(50)  # one of the two after the other
    assert alone["2"] < 48
    assert alone["8"] < 40
    assert alone["1f1b"] < 40


def test_messages_and_busy_cores_come_on_top(ran: Ran) -> None:
    assert ran.metrics["idle_1"] > 45  # never both at once
    assert all(0 < ran.metrics[f"idle_{micro}"] < 100 for micro in MICRO)


@pytest.mark.parametrize("micro", MICRO)
def test_played_with_equal_pieces_the_schedules_have_the_bubble_of_the_formula(micro: int) -> None:
    forwards: list[Piece] = [("forward", part) for part in range(micro)]
    backwards: list[Piece] = [("backward", part) for part in range(micro)]
    gpipe = [dict.fromkeys(forwards + backwards, 1.0)] * 2
    assert 1 - 2 * micro / replay(gpipe) == pytest.approx(bubble(micro))
    turns = [piece for pair in zip(forwards, backwards, strict=True) for piece in pair]
    swapped = zip(turns[2::2], turns[1::2], strict=False)  # the first stage is one forward ahead
    ahead = [turns[0], *(piece for pair in swapped for piece in pair), turns[-1]]
    assert replay([dict.fromkeys(order, 1.0) for order in (ahead, turns)]) == replay(gpipe)


def test_1f1b_holds_as_many_micro_batches_as_there_are_stages(ran: Ran) -> None:
    assert ran.metrics["held_8"] == 8
    assert ran.metrics["held_1f1b"] == 2


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.steps == [(done, 12) for done in (*range(1, 11), 12)]
    assert min(value for name, value in ran.metrics.items() if name.startswith("step_")) > 0


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    metrics, alt = ran.metrics, ran.figures["bubble"].alt
    for told in (alt.zh, alt.en):
        for micro in MICRO:
            assert f"{metrics[f'idle_{micro}']:.0f} %" in told
            assert f"{metrics[f'schedule_{micro}']:.0f} %" in told
            assert f"{metrics[f'bubble_{micro}']:.0f} %" in told
        for way in ("whole", "1", "8"):
            assert f"{metrics[f'step_{way}']:.0f}" in told
        assert f"{metrics['held_8']:.0f}" in told
        assert f"{metrics['held_1f1b']:.0f}" in told
        assert f"{metrics['gradient_gap']:.1e}" in told

from collections.abc import Callable

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "tensorflow-quantization"
EPOCHS = 3
KINDS = ("float32", "dynamic", "int8")
# Kernels of 3 × 3 to 8 and 16 channels, then 400 to 64 to 10 units; each unit has a bias.
PARAMETERS = (9 * 8 + 8) + (72 * 16 + 16) + (400 * 64 + 64) + (64 * 10 + 10)


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, channels=8, hidden=64, epochs=EPOCHS, calibration=20)


def test_eight_bits_take_about_a_quarter_of_the_space(ran: Ran) -> None:
    assert 4 * PARAMETERS < 1000 * ran.metrics["float32_size"] < 1.1 * 4 * PARAMETERS
    for kind in ("dynamic", "int8"):
        assert PARAMETERS < 1000 * ran.metrics[f"{kind}_size"] < 0.35 * 4 * PARAMETERS


def test_eight_bits_answer_nearly_as_float32_does(ran: Ran) -> None:
    assert ran.metrics["float32_test_accuracy"] > 0.8
    for kind in ("dynamic", "int8"):
        loss = ran.metrics["float32_test_accuracy"] - ran.metrics[f"{kind}_test_accuracy"]
        assert abs(loss) < 0.02
    assert ran.metrics["agreement"] > 0.97


def test_no_weight_is_rounded_by_more_than_half_a_step(ran: Ran) -> None:
    assert 0.45 < ran.metrics["rounding"] < 0.501


def test_each_kind_takes_its_time(ran: Ran) -> None:
    assert all(ran.metrics[f"{kind}_latency"] > 0 for kind in KINDS)


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert len(ran.history["validation_accuracy"]) == EPOCHS
    assert ran.steps == [(done, EPOCHS + 3) for done in range(1, EPOCHS + 4)]


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["stored"].alt
    for told in (alt.zh, alt.en):
        for kind in KINDS:
            assert f"{ran.metrics[f'{kind}_size']:.1f} kB" in told
            assert f"{ran.metrics[f'{kind}_latency']:.3f} ms" in told
            assert f"{ran.metrics[f'{kind}_test_accuracy']:.1%}" in told
        assert f"{ran.metrics['agreement']:.1%}" in told

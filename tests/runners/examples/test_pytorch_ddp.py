from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from runners.examples.pytorch_ddp import Settings, run
from runners.protocol.words import Text
from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-ddp"
EPOCHS = 2
CHANNELS = 4
# 3 × 3 convolutions to 4 and 8 channels, linear layers of 8 · 16 inputs, 64 units, 10 answers
PARAMETERS = (9 * 4 + 4) + (9 * 4 * 8 + 8) + (128 * 64 + 64) + (64 * 10 + 10)


class Cancelled(BaseException):
    pass


@dataclass
class Counted(Ran):
    """Counts the other processes at each report, and can be cancelled at the first."""

    cancel: bool = False
    others: list[int] = field(default_factory=list)
    left: int = -1

    def progress(self, done: int, total: int, note: Text | None = None) -> None:
        self.others.append(other_processes())
        if self.cancel:
            raise Cancelled
        super().progress(done, total, note)


def other_processes() -> int:
    import psutil

    return len(psutil.Process().children())


def watch(folder: Path, *, cancel: bool = False) -> Counted:
    ran = Counted(folder, folder, cancel=cancel)
    with suppress(Cancelled):
        run(ran, Settings(epochs=EPOCHS, channels=CHANNELS))
    ran.left = other_processes()
    return ran


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Counted:
    return laboratory.alone(watch, laboratory.folder)


def test_two_processes_take_the_same_steps_as_one(ran: Counted) -> None:
    apart = [abs(a - b) for a, b in zip(ran.history["loss_1"], ran.history["loss_2"], strict=True)]
    assert ran.metrics["loss_gap"] == max(apart) < 1e-4
    assert ran.metrics["accuracy_1"] == pytest.approx(ran.metrics["accuracy_2"], abs=0.01)
    # equal because both learn, and not because neither does
    assert ran.history["loss_1"][-1] < ran.history["loss_1"][0]


def test_averaged_gradients_are_equal_in_both_processes_and_their_own_are_not(ran: Counted) -> None:
    assert ran.metrics["gradient_gap"] == 0
    assert ran.metrics["weight_gap"] == 0
    assert ran.metrics["own_gradient_gap"] > 1e-4


def test_every_process_holds_the_whole_network(ran: Counted) -> None:
    assert ran.metrics["parameters_each"] == PARAMETERS


def test_the_second_process_ends_with_the_training(ran: Counted) -> None:
    assert ran.others == [1] * EPOCHS + [0] * EPOCHS
    assert ran.left == 0


def test_the_second_process_ends_with_a_cancel(laboratory: Laboratory) -> None:
    cancelled = laboratory.alone(partial(watch, cancel=True), laboratory.folder)
    assert cancelled.others == [1]
    assert cancelled.left == 0


def test_what_it_reports_is_what_it_announces(
    ran: Counted, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert ran.steps == [(done, 2 * EPOCHS) for done in range(1, 2 * EPOCHS + 1)]
    speeds = ran.metrics["throughput_1"], ran.metrics["throughput_2"]
    assert min(speeds) > 0
    assert ran.metrics["speedup"] == pytest.approx(speeds[1] / speeds[0])


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Counted) -> None:
    metrics, alt = ran.metrics, ran.figures["ddp"].alt
    for told in (alt.zh, alt.en):
        for name in ("loss_gap", "own_gradient_gap", "gradient_gap"):
            assert f"{metrics[name]:.1e}" in told
        for name in ("throughput_1", "throughput_2"):
            assert f"{metrics[name]:,.0f}" in told
        assert f"{metrics['speedup']:.2f}" in told

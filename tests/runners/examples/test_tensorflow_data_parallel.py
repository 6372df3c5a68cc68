from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runners.examples.tensorflow_data_parallel import Settings, run
from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "tensorflow-data-parallel"
EPOCHS = 3


class Strategy(NamedTuple):
    """What one strategy worked on, and into how many shares it took each batch apart."""

    devices: tuple[str, ...]
    shares: set[int]


class Watched(NamedTuple):
    ran: Ran
    devices: list[str]
    strategies: list[Strategy]


def watch(folder: Path) -> Watched:
    import tensorflow as tf

    strategies: list[Strategy] = []

    class Observed(tf.distribute.MirroredStrategy):
        def __init__(self, devices: list[str], cross_device_ops: object) -> None:
            super().__init__(devices, cross_device_ops)
            strategies.append(Strategy(tuple(self.extended.worker_devices), set()))
            self.seen = strategies[-1]

        def run(self, fn: Callable[..., object], args: tuple[Any, ...]) -> object:
            pictures, *_ = args[0]
            self.seen.shares.add(len(self.experimental_local_results(pictures)))
            return super().run(fn, args)

    tf.distribute.MirroredStrategy = Observed
    ran = Ran(folder, folder)
    run(ran, Settings(epochs=EPOCHS, hidden=64))
    return Watched(ran, [each.name for each in tf.config.list_logical_devices("CPU")], strategies)


@pytest.fixture(scope="module")
def watched(laboratory: Laboratory) -> Watched:
    return laboratory.alone(watch, laboratory.folder)


def test_there_are_really_two_replicas_that_share_every_batch(watched: Watched) -> None:
    one, two = watched.strategies
    assert len(one.devices) == 1
    assert one.shares == {1}
    assert len(set(two.devices)) == 2
    assert two.shares == {2}
    if "CPU" in two.devices[0]:
        assert watched.devices == ["/device:CPU:0", "/device:CPU:1"]


def test_two_replicas_take_the_same_steps_as_one(watched: Watched) -> None:
    ran = watched.ran
    assert ran.metrics["largest_loss_difference"] < 1e-4
    apart = [abs(a - b) for a, b in zip(ran.history["loss_1"], ran.history["loss_2"], strict=True)]
    assert ran.metrics["largest_loss_difference"] == max(apart)
    assert ran.metrics["accuracy_1"] == pytest.approx(ran.metrics["accuracy_2"], abs=0.01)
    # equal because both learn, and not because neither does
    assert ran.history["loss_1"][-1] < ran.history["loss_1"][0] / 2


def test_what_it_reports_is_what_it_announces(
    watched: Watched, check_reports: Callable[[str, Ran], None]
) -> None:
    ran = watched.ran
    check_reports(NAME, ran)
    assert ran.steps == [(done, 2 * EPOCHS) for done in range(1, 2 * EPOCHS + 1)]
    speeds = ran.metrics["throughput_1"], ran.metrics["throughput_2"]
    assert min(speeds) > 0
    assert ran.metrics["speedup"] == pytest.approx(speeds[1] / speeds[0])


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(
    watched: Watched,
) -> None:
    metrics, alt = watched.ran.metrics, watched.ran.figures["parallel"].alt
    for told in (alt.zh, alt.en):
        assert f"{metrics['largest_loss_difference']:.1e}" in told
        assert f"{metrics['throughput_1']:,.0f}" in told
        assert f"{metrics['throughput_2']:,.0f}" in told
        assert f"{metrics['speedup']:.2f}" in told

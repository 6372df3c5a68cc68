from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from runners.examples.pytorch_resnet import Depth, build_resnet
from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-resnet"
DEPTHS: tuple[Depth, ...] = ("18", "34", "50")


class Shapes(NamedTuple):
    """(channels, side) of what each group of blocks gives, and the shape of the answer."""

    groups: list[tuple[int, int]]
    answer: tuple[int, ...]


class Built(NamedTuple):
    published: int
    shapes: Shapes


def build() -> dict[Depth, Built]:
    import torch

    built: dict[Depth, Built] = {}
    for depth in DEPTHS:
        full = build_resnet(depth, width=64, classes=1000, channels=3, large_pictures=True)
        small = build_resnet(depth, width=8, classes=10, channels=1)
        groups: list[tuple[int, int]] = []
        x = torch.zeros(2, 1, 32, 32)
        for part in small.children():
            x = part(x)
            if type(part).__name__ in {"BasicBlock", "Bottleneck"}:
                shape = (x.shape[1], x.shape[2])
                groups += [] if shape in groups else [shape]
        count = sum(each.numel() for each in full.parameters())
        built[depth] = Built(count, Shapes(groups, tuple(x.shape)))
    return built


@pytest.fixture(scope="module")
def built(laboratory: Laboratory) -> dict[Depth, Built]:
    return laboratory.alone(build)


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, width=4, epochs=2)


@pytest.mark.parametrize(
    ("depth", "parameters"), [("18", 11_689_512), ("34", 21_797_672), ("50", 25_557_032)]
)
def test_at_full_width_it_has_the_published_number_of_parameters(
    built: dict[Depth, Built], depth: Depth, parameters: int
) -> None:
    assert built[depth].published == parameters


@pytest.mark.parametrize(("depth", "expansion"), [("18", 1), ("34", 1), ("50", 4)])
def test_every_group_but_the_first_halves_the_picture_and_doubles_its_channels(
    built: dict[Depth, Built], depth: Depth, expansion: int
) -> None:
    shapes = built[depth].shapes
    assert shapes.groups == [
        (8 * expansion, 32),
        (16 * expansion, 16),
        (32 * expansion, 8),
        (64 * expansion, 4),
    ]
    assert shapes.answer == (2, 10)


def test_the_loss_falls_and_digits_are_learnt(ran: Ran) -> None:
    first, second = ran.history["train_loss"]
    assert second < 0.8 * first
    assert ran.metrics["test_accuracy"] > 0.3  # guessing reads one in ten
    assert ran.lines == [
        f"epoch {epoch}: mean loss {loss:.4f}" for epoch, loss in ((1, first), (2, second))
    ]


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    assert [done for done, _ in ran.steps] == list(range(1, ran.steps[-1][1] + 1))


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["curves"].alt
    for told in (alt.zh, alt.en):
        assert f"{ran.metrics['test_accuracy']:.1%}" in told
        assert f"{ran.metrics['parameters']:,.0f}" in told
        for loss in ran.history["train_loss"]:
            assert f"{loss:.3f}" in told


def test_mnist_is_read_where_it_lies_and_the_same_seed_gives_the_same_numbers(
    laboratory: Laboratory, small_mnist: Path
) -> None:
    first, again = (
        laboratory.run(NAME, datasets=small_mnist, data="mnist", width=4, epochs=1, batch_size=128)
        for _ in range(2)
    )
    assert first.steps[-1] == (340 // 128, 340 // 128)
    assert first.metrics == again.metrics
    assert first.history == again.history


def test_mnist_that_is_not_there_is_named(laboratory: Laboratory) -> None:
    missing = laboratory.run(NAME, data="mnist").missing
    assert missing is not None
    assert missing.count("mnist.npz") == 2

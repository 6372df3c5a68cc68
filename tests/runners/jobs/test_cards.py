import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runners.jobs.cards import (
    Card,
    can_use_cards,
    device_name,
    graphics_cards,
    versions_for,
    versions_of,
)
from runners.protocol.words import Framework

if TYPE_CHECKING:
    from tests.runners.conftest import Driver

TWO = (Card("GPU-a1", "NVIDIA H100 80GB HBM3"), Card("GPU-b2", "NVIDIA H100 80GB HBM3"))


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ("1", TWO[1:]),
        ("GPU-b,0", (TWO[1], TWO[0])),
        ("7", ()),
        ("MIG-c3", (Card("MIG-c3", "MIG"),)),
        ("-1", ()),
        ("", ()),
    ],
)
async def test_the_environment_narrows_the_cards_down(
    driver: "Driver", monkeypatch: pytest.MonkeyPatch, visible: str, expected: tuple[Card, ...]
) -> None:
    driver(*TWO)
    assert await graphics_cards() == TWO
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert await graphics_cards() == expected


async def test_a_driver_that_fails_or_is_not_there_has_no_cards(
    driver: "Driver", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driver()
    assert await graphics_cards() == ()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await graphics_cards() == ()


@pytest.mark.parametrize(
    ("framework", "versions", "expected"),
    [
        (Framework.PYTORCH, {"torch": "2.13.0+cpu"}, False),
        (Framework.PYTORCH, {"torch": "2.13.0"}, True),
        (Framework.PYTORCH, {}, False),
        (Framework.TENSORFLOW, {"tensorflow": "2.21.0"}, False),
        (Framework.TENSORFLOW, {"nvidia-cudnn-cu12": "9"}, True),
    ],
)
def test_a_card_counts_where_the_build_can_use_it(
    framework: Framework, versions: dict[str, str], *, expected: bool
) -> None:
    assert can_use_cards(framework, versions) is expected


def test_a_device_is_named_for_people() -> None:
    assert device_name((), 1) == "cpu (1 core)"
    assert device_name((), 4) == "cpu (4 cores)"
    assert device_name(TWO[:1], 4) == "NVIDIA H100 80GB HBM3"
    assert device_name(TWO, 4) == "2 × NVIDIA H100 80GB HBM3"


async def test_another_interpreter_tells_its_own_versions(tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    other.chmod(0o700)
    told = await versions_for(other, ["psutil", "no-such-package"])
    assert told == versions_of(["psutil"])
    assert await versions_for(tmp_path / "gone", ["psutil"]) == {}

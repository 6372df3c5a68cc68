import stat
import subprocess
import sys
from pathlib import Path

import pytest

from runners.jobs.measure import MemoryGauge, device, graphics_cards
from runners.protocol.words import Framework

HOLD = "import sys; held = bytearray(64 * 1024**2); sys.stdin.read()"


def test_the_peak_counts_a_process_and_its_children() -> None:
    command = [sys.executable, "-c", HOLD]
    parent = f"import subprocess, sys; p = subprocess.Popen({command!r}); {HOLD}; p.wait()"
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        gauge = MemoryGauge(process.pid)
        for _ in range(2_000):
            if gauge.sample() > 128:
                break
        process.communicate(timeout=10)
    assert 128 < gauge.peak_mb < 400
    assert gauge.sample() == 0


async def test_cards_are_those_that_nvidia_smi_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho NVIDIA H100 80GB HBM3\necho NVIDIA H100 80GB HBM3\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert await graphics_cards() == ("NVIDIA H100 80GB HBM3", "NVIDIA H100 80GB HBM3")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert await graphics_cards() == ()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    program.write_text("#!/bin/sh\nexit 9\n")
    assert await graphics_cards() == ()
    program.unlink()
    assert await graphics_cards() == ()


@pytest.mark.parametrize(
    ("framework", "versions", "cards", "expected"),
    [
        (Framework.PYTORCH, {"torch": "2.13.0+cpu"}, ("H100",), "cpu (4 cores)"),
        (Framework.PYTORCH, {"torch": "2.13.0"}, ("H100",), "H100"),
        (Framework.PYTORCH, {"torch": "2.13.0"}, ("H100", "H100"), "2 × H100"),
        (Framework.PYTORCH, {"torch": "2.13.0"}, (), "cpu (4 cores)"),
        (Framework.PYTORCH, {}, ("H100",), "cpu (4 cores)"),
        (Framework.TENSORFLOW, {"tensorflow": "2.21.0"}, ("H100",), "cpu (4 cores)"),
        (Framework.TENSORFLOW, {"nvidia-cudnn-cu12": "9"}, ("H100",), "H100"),
    ],
)
def test_a_card_counts_where_the_build_can_use_it(
    framework: Framework, versions: dict[str, str], cards: tuple[str, ...], expected: str
) -> None:
    assert device(framework, versions, cards, 4) == expected


def test_one_core_is_not_two() -> None:
    assert device(Framework.PYTORCH, {}, (), 1) == "cpu (1 core)"

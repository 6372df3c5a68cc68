"""What the parent measures of a job's processes, and what it runs on."""

import asyncio
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from runners.protocol.words import Framework

_MIB: Final = 1024 * 1024
_SAMPLE_S: Final = 0.2
_NVIDIA_SMI_S: Final = 10


class MemoryGauge:
    """The highest resident memory of a process and its descendants, MiB.

    A sample is the sum of their resident set sizes, so pages that several of them share count
    once for each; what the job's process shares with the forkserver (the loaded framework)
    counts as its own, as it would in a process that had imported it by itself. For the job's
    process the kernel's own high-water mark is read with every sample, so a peak between two
    samples is seen.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._lock = threading.Lock()
        self._descendants: set[psutil.Process] = set()
        self.peak_mb: float = 0.0

    def sample(self) -> float:
        """The resident memory now, MiB; 0 when the process is gone."""
        with self._lock:
            try:
                root = psutil.Process(self._pid)
                now = root.memory_info().rss
                for child in root.children(recursive=True):
                    self._descendants.add(child)
                    with suppress(psutil.Error):
                        now += child.memory_info().rss
            except psutil.Error:
                return 0.0
            self.peak_mb = max(self.peak_mb, now / _MIB, _high_water_mb(self._pid))
            return now / _MIB

    def end_descendants(self) -> None:
        """Kill every descendant that was seen, also one that has left the family since."""
        with self._lock:
            for process in self._descendants:
                with suppress(psutil.Error):
                    process.kill()

    async def until_above(self, limit_mb: float) -> None:
        """Sample until more than ``limit_mb`` are resident."""
        now = 0.0
        while now <= limit_mb:
            await asyncio.sleep(_SAMPLE_S)
            now = await asyncio.to_thread(self.sample)


def _high_water_mb(pid: int) -> float:
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def cores() -> int:
    """How many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


async def graphics_cards() -> tuple[str, ...]:
    """The names of the NVIDIA cards that jobs may see; asks nvidia-smi, never a framework."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return ()
    try:
        asked = await asyncio.create_subprocess_exec(
            "nvidia-smi",
            "--query-gpu=name",
            "--format=csv,noheader",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return ()
    try:
        told, _ = await asyncio.wait_for(asked.communicate(), _NVIDIA_SMI_S)
    except TimeoutError:
        asked.kill()
        await asked.wait()
        return ()
    if asked.returncode != 0:
        return ()
    return tuple(line.strip() for line in told.decode(errors="replace").splitlines() if line)


def device(
    framework: Framework, versions: Mapping[str, str], cards: tuple[str, ...], threads: int
) -> str:
    """What a job of ``framework`` computes on.

    A card counts only for a build that can use one: PyTorch unless its version says ``+cpu``,
    TensorFlow where the CUDA libraries that it asks for are installed beside it.
    """
    able = (
        not versions.get("torch", "+cpu").endswith("+cpu")
        if framework is Framework.PYTORCH
        else any(name.startswith("nvidia-cudnn") for name in versions)
    )
    if cards and able:
        return cards[0] if len(cards) == 1 else f"{len(cards)} × {cards[0]}"
    return f"cpu ({threads} core{'' if threads == 1 else 's'})"

"""What the parent measures of a job's processes."""

import asyncio
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

_MIB: Final = 1024 * 1024
_SAMPLE_S: Final = 0.2


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

import subprocess
import sys

from runners.jobs.measure import MemoryGauge

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

"""An example's training as a plain script: a fresh interpreter that runs it and nothing else."""

import asyncio
import sys
import time
from typing import NamedTuple

_SCRIPT = """
import time
from pathlib import Path
from runners.examples.{module} import EXAMPLE

class Plain:
    datasets = encoder = bank = Path("nowhere")
    told = False
    def progress(self, done, total, note=None): pass
    def metric(self, step=None, **values):
        if not self.told:
            self.told = True
            print(time.time(), flush=True)
    def log(self, text): pass
    def figure(self, name, figure, title, alt): figure.savefig("/dev/null", format="png")

EXAMPLE.run(Plain(), EXAMPLE.parameters(epochs={epochs}))
"""


class Script(NamedTuple):
    """Seconds from the script's start to its first metric, and to its end."""

    first_metric: float
    end: float


async def run_plain_script(example: str, *, epochs: int) -> Script:
    """Run ``example`` for so many epochs. Raises RuntimeError when the script fails."""
    code = _SCRIPT.format(module=example.replace("-", "_"), epochs=epochs)
    began = time.time()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    told, _ = await process.communicate()
    ended = time.time()
    if process.returncode:
        raise RuntimeError("the plain script failed")
    return Script(float(told.split()[0]) - began, ended - began)

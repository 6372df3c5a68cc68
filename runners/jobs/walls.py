"""Walls around a framework's processes: bubblewrap, on machines that have it.

Inside there is no network but the loopback of its own, every file is read-only but scratch,
cache and a temporary folder in memory, and the tutor's data folder is empty. The process that
forks jobs is itself started inside, so a job is born behind the walls and still starts warm.
"""

import asyncio
import logging
import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from runners.errors import RunnerSettingsError
from runners.protocol.words import Wall

_logger = logging.getLogger(__name__)

TEMPORARY: Final = Path("/dev/shm")  # noqa: S108 - private: it is made anew behind the walls
"""Where temporary files go behind the walls."""

_PROGRAM: Final = "bwrap"
_CARD_DEVICES: Final = ("nvidia*", "nvidia-caps", "dri", "kfd")
_PROBE_S: Final = 10


@dataclass(frozen=True, slots=True)
class Enclosure:
    """What can be seen and written behind the walls.

    ``hidden`` folders are empty there but for what is ``readable`` or ``writable`` in them, and
    ``hidden`` files are empty.
    """

    program: str
    hidden: tuple[Path, ...] = ()
    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()

    def command(self, inner: Sequence[str]) -> list[str]:
        """``inner`` as it is started behind the walls."""
        options = ["--die-with-parent", "--unshare-net", "--cap-drop", "ALL"]
        options += ["--ro-bind", "/", "/", "--dev", "/dev"]
        for device in _devices():
            options += ["--dev-bind", device, device]
        for path in self.hidden:
            if path.is_dir():
                options += ["--tmpfs", str(path)]
            elif path.exists():
                options += ["--ro-bind", os.devnull, str(path)]
        for option, paths in (("--ro-bind-try", self.readable), ("--bind", self.writable)):
            for path in paths:
                options += [option, str(path), str(path)]
        for path in self.hidden:
            if path.is_dir():
                options += ["--remount-ro", str(path)]
        return [self.program, *options, "--", *inner]


async def build_walls(
    wish: Literal["auto", "required", "off"],
    *,
    hidden: Iterable[Path] = (),
    readable: Iterable[Path] = (),
    writable: Iterable[Path] = (),
) -> Enclosure | None:
    """The walls that this machine can build; None when there are to be none, or can be none.

    Raises RunnerSettingsError when they are ``required`` and cannot be built.
    """
    if wish == "off":
        return None
    program = shutil.which(_PROGRAM)
    enclosure = (
        None
        if program is None
        else Enclosure(program, tuple(hidden), tuple(readable), tuple(writable))
    )
    fault = "bubblewrap is not installed" if enclosure is None else await _fault(enclosure)
    if not fault:
        return enclosure
    if wish == "required":
        raise RunnerSettingsError(f"XUEBAN_RUNNER_WALLS=required, but {fault}")
    _logger.info("jobs run without walls around them: %s", fault)
    return None


def standing_walls(pid: int) -> tuple[Wall, ...]:
    """The walls around a process, as the kernel tells them."""
    walls: list[Wall] = []
    with suppress(OSError):
        if Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink():
            walls.append(Wall.NETWORK)
        mounts = Path(f"/proc/{pid}/mountinfo").read_text(encoding="utf-8", errors="replace")
        roots = [line.split() for line in mounts.splitlines() if line.split()[4] == "/"]
        if roots and "ro" in roots[-1][5].split(","):
            walls.append(Wall.FILES)
    return tuple(walls)


def _devices() -> list[str]:
    found = (path for pattern in _CARD_DEVICES for path in Path("/dev").glob(pattern))
    return sorted(str(path) for path in found)


async def _fault(enclosure: Enclosure) -> str:
    """Why nothing can be started behind the walls; empty when it can."""
    try:
        process = await asyncio.create_subprocess_exec(
            *enclosure.command(["true"]),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        return f"bubblewrap cannot be started: {error}"
    try:
        _, told = await asyncio.wait_for(process.communicate(), _PROBE_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        return "bubblewrap does not come to an end"
    if process.returncode == 0:
        return ""
    lines = told.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"bubblewrap ends with status {process.returncode}"

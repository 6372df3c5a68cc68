"""Where a supervised runner program is, written down for whoever supervises it next."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil
from pydantic import Field, ValidationError

from runners.protocol.words import Value

_NAME: Final = "whereabouts.json"
_CLOCKS_DIFFER_S: Final = 2.0


class Whereabouts(Value):
    """How a runner program is reached, and which process it is (``born``: seconds, Unix time)."""

    address: str
    token: str | None = Field(repr=False)
    pid: int = Field(gt=0)
    born: float


def announce(folder: Path, address: str, token: str | None) -> None:
    """Write down that this process listens there; only its user may read it."""
    here = psutil.Process()
    text = Whereabouts(
        address=address, token=token, pid=here.pid, born=here.create_time()
    ).model_dump_json()
    unfinished = folder / f"{_NAME}.new"
    unfinished.unlink(missing_ok=True)
    opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(folder / _NAME)


def withdraw(folder: Path) -> None:
    """Remove what is written down; nothing happens when nothing is."""
    (folder / _NAME).unlink(missing_ok=True)


def find_program(folder: Path) -> Whereabouts | None:
    """The program that lives by what is written down; None when none does."""
    try:
        found = Whereabouts.model_validate_json((folder / _NAME).read_bytes())
    except (OSError, ValidationError):
        return None
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(found.pid)
        # the system's clock may be set while it lives, and its birth is told by that clock
        if abs(process.create_time() - found.born) < _CLOCKS_DIFFER_S and is_alive(process):
            return found
    return None


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; one that has ended and was not waited for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

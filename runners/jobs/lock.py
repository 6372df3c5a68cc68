"""One runner program a data folder: two would tear each other's jobs apart."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from runners.errors import RunnerSettingsError


@contextmanager
def only_runner(folder: Path) -> Generator[None]:
    """Hold the lock of ``folder``; the kernel lets go of it when this program ends, however.

    Raises RunnerSettingsError when another program holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opened = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise RunnerSettingsError(f"{folder} cannot be written: {error.strerror}") from error
    with os.fdopen(opened, "r+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = file.read(20).strip() or "unknown"
            raise RunnerSettingsError(
                f"another runner program (process {holder}) works in {folder}: "
                "end it, or set XUEBAN_DATA_DIR to another folder"
            ) from None
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield

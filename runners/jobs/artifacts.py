"""The files that jobs leave: checked before they are kept, found again by job and name."""

import os
import re
import shutil
import stat
import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from runners.errors import UnknownArtifactError
from runners.jobs.retention import Kept
from runners.protocol.words import JobId

SIZE_LIMIT: Final = 8 * 1024 * 1024
"""The largest file that is kept, bytes."""

SIDE_LIMIT: Final = 8_000
"""The longest side of a picture that is kept, pixels."""

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEADER: Final = b"\x00\x00\x00\x0dIHDR"
_HEADER_ENDS: Final = 33
_END: Final = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\.png")
_JOB: Final = re.compile(r"[0-9a-f]{32}")


class RefusedArtifactError(Exception):
    """The file is not what it should be."""


@dataclass(frozen=True, slots=True)
class Artifacts:
    """The artifacts below ``folder``, one folder a job."""

    folder: Path

    def keep(self, job: JobId, source: Path) -> Path:
        """Check the picture ``source`` and keep a copy under its name.

        Raises RefusedArtifactError for anything but a whole PNG file within the limits.
        """
        if not _NAME.fullmatch(source.name):
            raise RefusedArtifactError("its name is not allowed")
        content = _read(source)
        _check_png(content)
        kept = self.folder / job / source.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_name(f".{kept.name}")
        unfinished.write_bytes(content)
        unfinished.replace(kept)
        return kept

    def path(self, job: JobId, name: str) -> Path:
        """Where the artifact lies; raises UnknownArtifactError when there is none."""
        if _JOB.fullmatch(job) and _NAME.fullmatch(name):
            path = self.folder / job / name
            if path.is_file() and not path.is_symlink():
                return path
        raise UnknownArtifactError

    def names(self, job: JobId) -> tuple[str, ...]:
        """The names of a job's artifacts, in order."""
        found = (self.folder / job).glob("*.png")
        return tuple(sorted(path.name for path in found if _NAME.fullmatch(path.name)))

    def share(self, job: JobId, other: JobId) -> None:
        """Give ``other`` the artifacts of ``job``, too; whoever goes first leaves the rest its."""
        folder = self.folder / other
        folder.mkdir(parents=True, exist_ok=True)
        for name in self.names(job):
            (folder / name).hardlink_to(self.folder / job / name)

    def stock(self) -> dict[JobId, Kept]:
        """For each job that has artifacts here: since when, and how many bytes they take."""
        found: dict[JobId, Kept] = {}
        for folder in self.folder.glob("*"):
            if _JOB.fullmatch(folder.name):
                job = JobId(folder.name)
                since = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
                size = sum(path.stat().st_size for path in folder.glob("*.png"))
                found[job] = Kept(job, since, size)
        return found

    def forget(self, job: JobId) -> None:
        """Remove all artifacts of a job."""
        shutil.rmtree(self.folder / job, ignore_errors=True)


def _read(source: Path) -> bytes:
    try:
        # the job still runs and could have put anything there: no link, no pipe, no surprise size
        opened = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise RefusedArtifactError(f"it cannot be read: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise RefusedArtifactError("it is no file")
        with os.fdopen(opened, "rb", closefd=False) as file:
            content = file.read(SIZE_LIMIT + 1)
    finally:
        os.close(opened)
    if len(content) > SIZE_LIMIT:
        raise RefusedArtifactError(f"it is larger than {SIZE_LIMIT // 1024**2} MiB")
    return content


def _check_png(content: bytes) -> None:
    if not content.startswith(_SIGNATURE + _HEADER) or len(content) < _HEADER_ENDS:
        raise RefusedArtifactError("it is no PNG picture")
    width, height = struct.unpack(">II", content[16:24])
    if zlib.crc32(content[12:29]) != struct.unpack(">I", content[29:_HEADER_ENDS])[0]:
        raise RefusedArtifactError("its PNG header is damaged")
    if not (0 < width <= SIDE_LIMIT and 0 < height <= SIDE_LIMIT):
        raise RefusedArtifactError(f"it is {width} × {height} pixels, more than {SIDE_LIMIT}")
    if not content.endswith(_END):
        raise RefusedArtifactError("its end is missing")

"""Guild banks: private entries of a Discord server, over the common bank.

They lie in ``<folder>/<guild id>/questions/<topic>/<id>.md``, in the form of the common bank's,
with phrasings beside them. Whoever keeps the folder up to date keeps the bank up to date.
"""

import hashlib
from pathlib import Path
from typing import Final

_QUESTIONS: Final = "questions"

GuildId = int


class GuildFolders:
    """The folders of the guilds that have a bank of their own, and what has changed in them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[GuildId, str] = {}

    def changed(self) -> dict[GuildId, Path | None]:
        """The folders of entries that are new or changed since the last call.

        A guild whose folder is gone has None.
        """
        states = {guild: _state(path) for guild, path in self._guilds().items()}
        changed: dict[GuildId, Path | None] = {
            guild: self._folder / str(guild) / _QUESTIONS
            for guild, state in states.items()
            if self._seen.get(guild) != state
        }
        changed.update(dict.fromkeys(self._seen.keys() - states.keys()))
        self._seen = states
        return changed

    def _guilds(self) -> dict[GuildId, Path]:
        if not self._folder.is_dir():
            return {}
        return {
            int(path.name): path
            for path in self._folder.iterdir()
            if path.name.isdecimal() and any((path / _QUESTIONS).glob("*/*.md"))
        }


def _state(folder: Path) -> str:
    """Changes when a file of the folder does: names, sizes and times."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            stat = path.stat()
            digest.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()

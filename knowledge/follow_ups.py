"""Messages that ask on, and others that don't, as examples to compare new ones with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from knowledge.aspect import Aspect
from knowledge.background import BACKGROUND
from knowledge.errors import BackgroundError
from knowledge.normalise import normalise

FOLLOW_UPS: Final = BACKGROUND / "follow_ups.tsv"
"""The file that ships with the tutor."""

_COLUMNS: Final = ("aspect", "text")
_NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True)
class SampleMessage:
    """A message that names no subject; ``aspect`` is None where it wants nothing."""

    aspect: Aspect | None
    text: str


def load_follow_ups(path: Path = FOLLOW_UPS) -> tuple[SampleMessage, ...]:
    """The messages of a file, normalised, each once, in its order.

    A line is an aspect, or ``nothing``, then a tab and the message.

    Raises:
        BackgroundError: the file or a line cannot be read; the message names it.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BackgroundError(f"{path} cannot be read: {error}") from error
    if tuple(lines[0].split("\t")) != _COLUMNS:
        raise BackgroundError(f"{path}:1: the first line must name the columns {_COLUMNS}")
    found: dict[str, SampleMessage] = {}
    for number, line in enumerate(lines[1:], 2):
        if line.strip():
            sample = _sample(f"{path}:{number}", line)
            found.setdefault(sample.text, sample)
    return tuple(found.values())


def _sample(place: str, line: str) -> SampleMessage:
    aspect, tab, text = line.partition("\t")
    if not tab or not text.strip():
        raise BackgroundError(f"{place}: there must be an aspect, a tab and a message")
    try:
        return SampleMessage(None if aspect == _NOTHING else Aspect(aspect), normalise(text))
    except ValueError as error:
        raise BackgroundError(f"{place}: {error}") from error

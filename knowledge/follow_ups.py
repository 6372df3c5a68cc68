"""Messages that take up a conversation, each with the move that it makes, to learn moves from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from knowledge.errors import BackgroundError
from knowledge.move import Move
from knowledge.normalise import normalise

FOLLOW_UPS: Final = "follow_ups.tsv"
_COLUMNS: Final = ("move", "text")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A message, normalised, and the move that it makes."""

    move: Move
    text: str


def load_follow_ups(path: Path) -> tuple[FollowUp, ...]:
    """The messages of a file, each once, in its order.

    A line is a move, then a tab and the message; the first line names these columns.

    Raises:
        BackgroundError: the file or a line cannot be read; the message names it.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BackgroundError(f"{path} cannot be read: {error}") from error
    if tuple(lines[0].split("\t")) != _COLUMNS:
        raise BackgroundError(f"{path}:1: the first line must name the columns {_COLUMNS}")
    found: dict[str, FollowUp] = {}
    for number, line in enumerate(lines[1:], 2):
        if line.strip():
            follow_up = _follow_up(f"{path}:{number}", line)
            found.setdefault(follow_up.text, follow_up)
    return tuple(found.values())


def _follow_up(place: str, line: str) -> FollowUp:
    move, tab, text = line.partition("\t")
    if not tab or not text.strip():
        raise BackgroundError(f"{place}: there must be a move, a tab and a message")
    try:
        return FollowUp(Move(move), normalise(text))
    except ValueError as error:
        raise BackgroundError(f"{place}: {error}") from error

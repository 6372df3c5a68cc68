"""What retrieval has to know beside the bank: how people write at large, and what is not in it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from knowledge.errors import BackgroundError
from knowledge.follow_ups import FOLLOW_UPS, FollowUp, load_follow_ups
from knowledge.language import Language
from knowledge.normalise import normalise

BACKGROUND: Final = Path(__file__).parent / "background"
"""The folder of the lines that ship with the tutor."""

SENTENCES: Final = "sentences.txt"
OUT_OF_SCOPE: Final = "out_of_scope.tsv"
_COLUMNS: Final = ("language", "kind", "text")


class Kind(StrEnum):
    """What a line is about that the bank does not answer."""

    SMALLTALK = "smalltalk"
    LIFE = "life"
    SCHOOL = "school"
    NEAR = "near"
    AI = "ai"


@dataclass(frozen=True, slots=True)
class OutOfScope:
    """A line that must not be answered from the bank."""

    language: Language
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Background:
    """``sentences`` show where ordinary text lies; ``out_of_scope`` is what must be refused.

    ``follow_ups`` show how conversations go on.
    """

    sentences: tuple[str, ...]
    out_of_scope: tuple[OutOfScope, ...]
    follow_ups: tuple[FollowUp, ...] = ()


def load_background(folder: Path = BACKGROUND) -> Background:
    """The background lines, normalised, each once, in the order of the files.

    Raises:
        BackgroundError: a file is missing or empty, or a line cannot be read; the message names it.
    """
    sentences = dict.fromkeys(
        filter(None, (normalise(line) for line in _lines(folder / SENTENCES)))
    )
    path = folder / OUT_OF_SCOPE
    lines = _lines(path)
    if tuple(lines[0].split("\t")) != _COLUMNS:
        raise BackgroundError(f"{path}:1: the first line must name the columns {_COLUMNS}")
    found: dict[str, OutOfScope] = {}
    for number, line in enumerate(lines[1:], 2):
        if line.strip():
            entry = _out_of_scope(path, number, line)
            found.setdefault(entry.text, entry)
    if not sentences or not found:
        raise BackgroundError(f"{folder}: there must be sentences and lines out of scope")
    return Background(tuple(sentences), tuple(found.values()), load_follow_ups(folder / FOLLOW_UPS))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BackgroundError(f"{path} cannot be read: {error}") from error


def _out_of_scope(path: Path, number: int, line: str) -> OutOfScope:
    parts = line.split("\t")
    if len(parts) != len(_COLUMNS):
        raise BackgroundError(f"{path}:{number}: there must be {len(_COLUMNS)} columns")
    language, kind, text = (part.strip() for part in parts)
    try:
        return OutOfScope(Language(language), Kind(kind), normalise(text))
    except ValueError as error:
        raise BackgroundError(f"{path}:{number}: {error}") from error

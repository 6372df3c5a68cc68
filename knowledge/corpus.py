"""The texts that retrieval is made of, normalised and in a fixed order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from knowledge.background import Background, Kind
from knowledge.bank import Bank
from knowledge.entry import Entry
from knowledge.follow_ups import FollowUp
from knowledge.language import Language
from knowledge.move import Move
from knowledge.normalise import normalise
from knowledge.phrasing import Phrasing

OUTSIDE: Final = -1
"""Stands for an entry's number where a line belongs to none."""


@dataclass(frozen=True, slots=True)
class Line:
    """One way to ask. ``entry`` is the entry's number in the bank, or `OUTSIDE`.

    ``official`` lines are the entry's own questions and what its answer says of itself: retrieval
    always knows these, while it can be tried without a phrasing.
    """

    text: str
    entry: int
    official: bool = False


@dataclass(frozen=True, slots=True)
class Corpus:
    """All texts: one document an entry, the lines of the entries, those outside, and sentences.

    Lines and sentences are compared by their meaning; the documents only lend their words. From
    the ``follow_ups`` retrieval learns how conversations go on.
    """

    documents: tuple[str, ...]
    lines: tuple[Line, ...]
    outside: tuple[Line, ...]
    sentences: tuple[str, ...]
    follow_ups: tuple[FollowUp, ...] = ()

    def texts(self) -> tuple[str, ...]:
        """Every text that needs a vector, once."""
        lines = (line.text for line in (*self.lines, *self.outside))
        follow_ups = (follow_up.text for follow_up in self.follow_ups)
        return tuple(dict.fromkeys((*lines, *self.sentences, *follow_ups)))

    def joined(self, other: "Corpus") -> "Corpus":
        """The corpus of both banks, those of ``other`` numbered after this one's.

        What the other bank asks for word by word is no longer out of scope.
        """
        first = len(self.documents)
        taken = {line.text for line in other.lines}
        return Corpus(
            documents=(*self.documents, *other.documents),
            lines=(
                *self.lines,
                *(replace(line, entry=first + line.entry) for line in other.lines),
            ),
            outside=tuple(line for line in self.outside if line.text not in taken),
            sentences=self.sentences,
            follow_ups=self.follow_ups,
        )


def build_corpus(bank: Bank, background: Background | None = None) -> Corpus:
    """The texts of ``bank``, and of ``background`` where there is one."""
    lines = [
        line
        for number, entry in enumerate(bank.entries)
        for line in _lines(number, entry, bank.phrasings.get(entry.id, ()))
    ]
    taken = {line.text for line in lines}
    return Corpus(
        documents=tuple(_document(entry) for entry in bank.entries),
        lines=tuple(lines),
        # What an entry of the bank asks for word by word is no longer outside of it.
        outside=tuple(
            Line(line.text, OUTSIDE)
            for line in (background.out_of_scope if background else ())
            if line.text not in taken
        ),
        sentences=background.sentences if background else (),
        follow_ups=_follow_ups(background) if background else (),
    )


def _follow_ups(background: Background) -> tuple[FollowUp, ...]:
    """Those of the background; small talk wants nothing, whatever was said before."""
    talk = (line.text for line in background.out_of_scope if line.kind is Kind.SMALLTALK)
    return (*background.follow_ups, *(FollowUp(Move.NOTHING, text) for text in talk))


def _lines(number: int, entry: Entry, beside: Sequence[Phrasing]) -> Sequence[Line]:
    official = [entry.question.text(language) for language in Language]
    official += [entry.answer(language).summary for language in Language]
    phrasings = [text for language in Language for text in entry.phrasings(language)]
    phrasings += [phrasing.text for phrasing in beside]
    found: dict[str, Line] = {}
    for text in official:
        line = Line(normalise(text), number, official=True)
        found.setdefault(line.text, line)
    for text in phrasings:
        line = Line(normalise(text), number)
        found.setdefault(line.text, line)
    return list(found.values())


def _document(entry: Entry) -> str:
    parts: list[str] = []
    for language in Language:
        parts += [entry.question.text(language), entry.answer(language).summary]
        parts += [point.text(language) for point in entry.key_points]
    return normalise(" ".join(parts))

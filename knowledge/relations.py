"""Relations: which entries of a bank are related, and which compare two others."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from knowledge.bank import Bank
from knowledge.entry import Entry
from knowledge.lexical import Scores
from knowledge.normalise import normalise
from knowledge.reading import Contrast, read
from knowledge.subject import subject_words

_STEM: Final = 4
"""From so many letters on, the beginning of a word stands for it: norm, quant, embed."""

_LATIN: Final = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Relations:
    """The relations of a bank's entries, which go by their numbers.

    ``near`` is square and symmetric. ``texts`` holds what each entry is called, in both languages;
    ``sides`` the two sides of its question, in each language, where that is a comparison.
    """

    near: npt.NDArray[np.bool_]
    texts: tuple[str, ...]
    sides: tuple[tuple[tuple[str, str], ...], ...]

    @classmethod
    def of(cls, bank: Bank) -> Self:
        """The relations of ``bank``."""
        numbers = {entry.id: number for number, entry in enumerate(bank.entries)}
        near = np.zeros((len(numbers), len(numbers)), np.bool_)
        for number, entry in enumerate(bank.entries):
            near[number, [numbers[name] for name in entry.related if name in numbers]] = True
        return cls(
            near | near.T,
            tuple(_text(entry) for entry in bank.entries),
            tuple(tuple(_sides(entry)) for entry in bank.entries),
        )

    def related(self, number: int) -> Scores:
        """1 for the entries related to one, 0 for the others."""
        return self.near[number].astype(np.float64)

    def named(self, text: str) -> Scores:
        """How much of what ``text`` names is in the question of each entry, 0 to 1."""
        wanted = subject_words(text)
        return np.array([_share(wanted, called) for called in self.texts], np.float64)

    def names(self, number: int, text: str) -> bool:
        """Whether ``text`` names the entry and nothing else."""
        return _share(subject_words(text), self.texts[number]) == 1

    def comparison(self, about: int, beside: Collection[int], other: str) -> int | None:
        """The entry that compares ``about`` with ``other``, for which ``beside`` was found."""
        for number, pairs in enumerate(self.sides):
            for pair in pairs:
                for this, that in (pair, pair[::-1]):
                    if _within(this, other):
                        continue
                    named = number in beside or _within(that, other) or _within(other, that)
                    if named and (number == about or _within(this, self.texts[about])):
                        return number
        return None


def _within(text: str, other: str) -> bool:
    """Whether ``other`` has all that ``text`` names, and that is something."""
    return _share(subject_words(text), other) == 1


def _share(wanted: Sequence[str], text: str) -> float:
    """How many of ``wanted`` are in ``text``, 0 to 1."""
    if not wanted:
        return 0.0
    latin = frozenset(_LATIN.findall(text))
    return sum(_holds(text, latin, word) for word in wanted) / len(wanted)


def _holds(text: str, latin: Collection[str], word: str) -> bool:
    if not word.isascii():
        return word in text
    return word in latin or any(
        min(len(word), len(other)) >= _STEM and (other.startswith(word) or word.startswith(other))
        for other in latin
    )


def _text(entry: Entry) -> str:
    texts = (entry.question.zh, entry.question.en, entry.id.replace("-", " "))
    return " ".join(normalise(text) for text in texts)


def _sides(entry: Entry) -> Iterator[tuple[str, str]]:
    for question in (entry.question.zh, entry.question.en):
        reading = read(normalise(question))
        if isinstance(reading, Contrast):
            yield reading.left, reading.right
    left, versus, right = entry.id.partition("-vs-")
    if versus:
        yield left.replace("-", " "), right.replace("-", " ")

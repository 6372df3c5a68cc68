"""Spelling: what is typed in a hurry, as it would be written: "gnh" for 过拟合, "droput"."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final, Self

from knowledge.background import BACKGROUND
from knowledge.bank import Bank
from knowledge.errors import BackgroundError

FIELD_WORDS: Final = BACKGROUND / "field_words.txt"
"""The Chinese words that ship with the tutor."""

_SHORTEST: Final = 3
"""Letters that stand for a word at least; two stand for too much else."""

_SHORTEST_TERM: Final = 6
_LONG_TERM: Final = 10
"""From this length on a term may have two letters wrong, from `_SHORTEST_TERM` on one."""

_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_LETTERS: Final = re.compile(rf"(?<![\w.@/#+-])[a-z]{{{_SHORTEST},30}}(?![\w.@/#+(=:-])", re.ASCII)
_TERM: Final = re.compile(rf"(?<![a-z])[a-z]{{{_SHORTEST_TERM},30}}(?![a-z])")


def load_field_words(path: Path = FIELD_WORDS) -> tuple[str, ...]:
    """The words of a file, one a line, in its order; lines that begin with "#" are remarks.

    Raises:
        BackgroundError: the file cannot be read.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BackgroundError(f"{path} cannot be read: {error}") from error
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def initials_of(words: Iterable[str]) -> dict[str, str]:
    """Each word by the initials of its pinyin; the first counts where several share them.

    A character that is read in two ways gives its word both.
    """
    from pypinyin import Style, pinyin

    found: dict[str, str] = {}
    for word in words:
        for letters in product(*pinyin(word, style=Style.FIRST_LETTER, heteronym=True)):
            found.setdefault("".join(letters), word)
    return found


def terms_of(bank: Bank) -> frozenset[str]:
    """The Latin words of the bank's own questions that are long enough to be told from others."""
    questions = (f"{entry.question.zh} {entry.question.en}".lower() for entry in bank.entries)
    return frozenset(term for question in questions for term in _TERM.findall(question))


@dataclass(frozen=True, slots=True)
class Spelling:
    """Chinese words by their ``initials``, and ``terms`` in Latin letters."""

    initials: Mapping[str, str]
    terms: frozenset[str]

    @classmethod
    def of(cls, bank: Bank) -> Self:
        """That of the words that ship, and of the bank's terms."""
        return cls(initials_of(load_field_words()), terms_of(bank))

    def mended(self, text: str, known: Callable[[str], bool]) -> str:
        """``text`` (normalised) with initials written out and typing errors in terms put right.

        Letters that are a word themselves (``known``) are left alone. Initials stand among
        Chinese, or alone.
        """
        initials = _HAN.search(text) or _LETTERS.fullmatch(text.strip("?!。 "))

        def mend(letters: re.Match[str]) -> str:
            word = letters[0]
            if known(word):
                return word
            return (self.initials.get(word) if initials else None) or self._near(word) or word

        return _LETTERS.sub(mend, text)

    def _near(self, word: str) -> str | None:
        """The term that ``word`` is a slip of."""
        if len(word) < _SHORTEST_TERM:
            return None
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        slips = 1 + (len(word) >= _LONG_TERM)
        found = process.extractOne(word, self.terms, scorer=OSA.distance, score_cutoff=slips)
        return None if found is None else found[0]

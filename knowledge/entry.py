"""An entry: one subject of the bank, bilingual."""

from dataclasses import dataclass
from typing import NewType

from knowledge.language import Bilingual, Language

EntryId = NewType("EntryId", str)
"""Lower-case words joined by hyphens, 2 to 48 characters; also the name of the entry's file."""


@dataclass(frozen=True, slots=True)
class Code:
    """A fenced block of an answer. ``language`` is the fence's word, such as ``python``."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An entry's answer in one language, cut where a chat may cut it.

    ``summary`` is one sentence; ``explanation`` is Markdown with its code blocks in place;
    ``pitfalls`` is the Markdown under the heading of common mistakes, without the heading;
    ``code`` holds the blocks of the explanation again, in order. Where one language has no
    code of its own, it holds the other language's blocks.
    """

    summary: str
    explanation: str
    pitfalls: str
    code: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One subject of the bank.

    ``related`` are ids of the same bank, ``examples`` ids of runnable examples, and neither
    holds the entry itself or a name twice. ``phrasings_zh`` and ``phrasings_en`` are ways to
    ask for it, the official questions not among them.
    """

    id: EntryId
    topic: str
    question: Bilingual
    phrasings_zh: tuple[str, ...]
    phrasings_en: tuple[str, ...]
    key_points: tuple[Bilingual, ...]
    related: tuple[EntryId, ...]
    examples: tuple[str, ...]
    sources: tuple[str, ...]
    answer_zh: Answer
    answer_en: Answer

    def answer(self, language: Language) -> Answer:
        """The answer in ``language``."""
        return self.answer_zh if language is Language.ZH else self.answer_en

    def phrasings(self, language: Language) -> tuple[str, ...]:
        """The phrasings in ``language``."""
        return self.phrasings_zh if language is Language.ZH else self.phrasings_en

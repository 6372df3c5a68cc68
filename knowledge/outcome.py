"""What a message comes to: a query goes in, one of five outcomes comes out."""

from dataclasses import dataclass

from knowledge.aspect import Aspect
from knowledge.entry import EntryId
from knowledge.language import Bilingual


@dataclass(frozen=True, slots=True)
class Query:
    """What a learner says to the tutor.

    ``addressed`` is False for a message that nobody addressed to the tutor (a study channel):
    such a query is answered only when retrieval is surer. ``guild`` names the Discord server
    that asks; ``conversation`` holds the learner's earlier messages, oldest first.
    """

    text: str
    guild: int | None = None
    conversation: tuple[str, ...] = ()
    addressed: bool = True


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that retrieval found. ``score`` orders hits; it is no probability."""

    entry: EntryId
    question: Bilingual
    score: float


@dataclass(frozen=True, slots=True)
class Answered:
    """One entry answers the query. ``hits`` is best first and starts with ``entry``.

    ``aspect`` is the side of it that a follow-up asks for, never `Aspect.COMPARE`.
    """

    entry: EntryId
    confidence: float
    hits: tuple[Hit, ...]
    aspect: Aspect = Aspect.ANSWER


@dataclass(frozen=True, slots=True)
class Compared:
    """A follow-up wants ``entry``, which is under discussion, beside the entry ``other``.

    ``hits`` starts with ``entry``.
    """

    entry: EntryId
    other: EntryId
    confidence: float
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Unsure:
    """Two or three ``candidates`` may answer the query: did you mean one of them?"""

    candidates: tuple[Hit, ...]
    confidence: float
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The bank has no answer. ``nearest`` are the subjects that lie closest, at most three."""

    nearest: tuple[Hit, ...]
    confidence: float
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Silent:
    """There is nothing to answer: side talk, or assent; with ``thanks``, to the tutor perhaps."""

    thanks: bool = False
    confidence: float = 0.0
    hits: tuple[Hit, ...] = ()


Outcome = Answered | Compared | Unsure | Refused | Silent
"""``confidence`` is calibrated: the probability, 0 to 1, that the first hit answers the query.

Where the query is a follow-up, it is the first hit's as the one that is under discussion.
"""

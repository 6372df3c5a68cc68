"""What a question comes to: a query goes in, one of three outcomes comes out."""

from dataclasses import dataclass

from knowledge.entry import EntryId
from knowledge.language import Bilingual


@dataclass(frozen=True, slots=True)
class Query:
    """A learner's question.

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
    """One entry answers the query. ``hits`` is best first and starts with ``entry``."""

    entry: EntryId
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


Outcome = Answered | Unsure | Refused
"""``confidence`` is calibrated: the probability, 0 to 1, that the first hit answers the query."""

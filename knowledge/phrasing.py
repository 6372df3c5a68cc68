"""A phrasing beside the bank: one more way to ask for an entry, and of which kind it is."""

from dataclasses import dataclass
from enum import StrEnum

from knowledge.language import Language


class PhrasingKind(StrEnum):
    """How a phrasing asks.

    From `SITUATION` to `CODE` it tells what somebody lives through and names no term; the others
    are told by how they name it.
    """

    SITUATION = "situation"
    SYMPTOM = "symptom"
    CONSEQUENCE = "consequence"
    BELIEF = "belief"
    DECISION = "decision"
    ERROR = "error"
    CODE = "code"
    FORMAL = "formal"
    CHAT = "chat"
    COMPARE = "compare"
    WHEN = "when"
    KEYWORD = "keyword"
    CROSSLANG = "crosslang"
    ABBREVIATION = "abbreviation"
    TRADITIONAL = "traditional"
    TYPO = "typo"


@dataclass(frozen=True, slots=True)
class Phrasing:
    """One way to ask; ``text`` is written in ``language``."""

    language: Language
    kind: PhrasingKind
    text: str

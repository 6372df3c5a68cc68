"""The decision: answer, ask back, or refuse."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from knowledge.manner import Manner
from knowledge.outcome import Answered, Hit, Outcome, Refused, Unsure

_CANDIDATES: Final = 3


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The least confidence, 0 to 1, for each step; ``ask <= addressed <= asked <= said``.

    From ``ask`` on it is worth asking what was meant. The others are what an answer needs: to a
    question put to the tutor, to one that people asked each other, and to a remark of theirs.
    """

    ask: float
    addressed: float
    asked: float
    said: float

    def answer(self, manner: Manner) -> float:
        """What an answer needs when the text came in that manner."""
        match manner:
            case Manner.ADDRESSED:
                return self.addressed
            case Manner.ASKED:
                return self.asked
            case Manner.SAID:
                return self.said


THRESHOLDS: Final = Thresholds(ask=0.15, addressed=0.33, asked=0.6, said=0.7)


def decide(
    hits: Sequence[Hit], confidence: float, manner: Manner, thresholds: Thresholds = THRESHOLDS
) -> Outcome:
    """The outcome for ``hits`` (best first) with the confidence in the first one."""
    found = tuple(hits)
    if found and confidence >= thresholds.answer(manner):
        return Answered(found[0].entry, confidence, found)
    if found and confidence >= thresholds.ask:
        return Unsure(found[:_CANDIDATES], confidence, found)
    return Refused(found[:_CANDIDATES], confidence, found)

"""The decision: answer, ask back, or refuse."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from knowledge.outcome import Answered, Hit, Outcome, Refused, Unsure

_CANDIDATES: Final = 3


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The least confidence, 0 to 1, for each step; ``ask <= answer <= answer_unaddressed``.

    ``answer`` is for questions put to the tutor, ``answer_unaddressed`` for what people say among
    themselves, and from ``ask`` on it is worth asking what was meant.
    """

    answer: float
    answer_unaddressed: float
    ask: float


THRESHOLDS: Final = Thresholds(answer=0.5, answer_unaddressed=0.8, ask=0.2)


def decide(
    hits: Sequence[Hit], confidence: float, thresholds: Thresholds, *, addressed: bool
) -> Outcome:
    """The outcome for ``hits`` (best first) with the confidence in the first one."""
    found = tuple(hits)
    needed = thresholds.answer if addressed else thresholds.answer_unaddressed
    if found and confidence >= needed:
        return Answered(found[0].entry, confidence, found)
    if found and confidence >= thresholds.ask:
        return Unsure(found[:_CANDIDATES], confidence, found)
    return Refused(found[:_CANDIDATES], confidence, found)

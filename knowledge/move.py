"""Moves: how a message takes up a conversation."""

from enum import Enum
from typing import Final

from knowledge.aspect import Aspect


class Move(Enum):
    """What a message does after the tutor answered something.

    The first six ask on about it; ``COMPARE`` sets it beside something else; ``ON`` goes on from
    it to a neighbour; ``NOTHING`` wants no answer; ``QUESTION`` stands for itself.
    """

    WHY = "why"
    EXAMPLE = "example"
    CODE = "code"
    RUN = "run"
    SIMPLER = "simpler"
    MORE = "more"
    COMPARE = "compare"
    ON = "on"
    NOTHING = "nothing"
    QUESTION = "question"


ASPECTS: Final = {
    Move.WHY: Aspect.WHY,
    Move.EXAMPLE: Aspect.EXAMPLE,
    Move.CODE: Aspect.CODE,
    Move.RUN: Aspect.RUN,
    Move.SIMPLER: Aspect.SIMPLER,
    Move.MORE: Aspect.MORE,
}
"""What the moves that ask on want of what is under discussion."""

"""Which side of an entry a message asks for."""

from enum import Enum


class Aspect(Enum):
    """What a learner wants of an entry.

    ``ANSWER`` is a question of its own; ``COMPARE`` wants the entry beside another one; each of
    the others asks on about what is under discussion.
    """

    ANSWER = "answer"
    WHY = "why"
    EXAMPLE = "example"
    CODE = "code"
    RUN = "run"
    COMPARE = "compare"
    SIMPLER = "simpler"
    MORE = "more"

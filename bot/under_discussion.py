"""What is under discussion: the last questions of each learner that the tutor took up, by place.

It is kept in memory only, and forgotten when it is old, too much, or the process ends.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.services import Clock
from knowledge.aspect import Aspect
from knowledge.outcome import Answered, Compared, Outcome, Refused, Silent, Unsure

QUESTIONS: Final = 5
"""How many questions of a learner are remembered in one place."""

FRESH: Final = timedelta(minutes=30)
"""For how long after a learner last asked something."""

_DISCUSSIONS: Final = 2_000


@dataclass(frozen=True, slots=True)
class _Discussion:
    questions: tuple[str, ...]
    at: datetime


class UnderDiscussion:
    """Remembers, for a channel and a learner, what a follow-up may be about."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._discussions: OrderedDict[tuple[int, int], _Discussion] = OrderedDict()

    def questions(self, channel: int, learner: int) -> tuple[str, ...]:
        """The learner's last questions there, oldest first; none once they are old."""
        discussion = self._discussions.get((channel, learner))
        if discussion is None or self._clock.now() - discussion.at > FRESH:
            return ()
        return discussion.questions

    def note(self, channel: int, learner: int, text: str, outcome: Outcome) -> None:
        """Remember what came of ``text``.

        A question that was taken up is remembered; a follow-up is not, but keeps what it is about
        from growing old. After a refusal there is nothing to ask on about.
        """
        match outcome:
            case Answered(aspect=Aspect.ANSWER) | Unsure():
                self.ask(channel, learner, text)
            case Answered() | Compared():
                self._keep(channel, learner, self.questions(channel, learner))
            case Refused():
                self._discussions.pop((channel, learner), None)
            case Silent():
                pass

    def ask(self, channel: int, learner: int, question: str) -> None:
        """Let ``question`` be the newest one under discussion."""
        self._keep(channel, learner, (*self.questions(channel, learner), question)[-QUESTIONS:])

    def _keep(self, channel: int, learner: int, questions: tuple[str, ...]) -> None:
        key = channel, learner
        self._discussions[key] = _Discussion(questions, self._clock.now())
        self._discussions.move_to_end(key)
        if len(self._discussions) > _DISCUSSIONS:
            self._discussions.popitem(last=False)

"""A discussion: what the last message of a conversation asks for, read after those before it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, Self

import numpy as np

from knowledge.aspect import Aspect
from knowledge.decision import THRESHOLDS
from knowledge.fusion import log_softmax
from knowledge.lexical import Scores
from knowledge.normalise import MAX_CHARACTERS
from knowledge.reading import (
    Comparison,
    Contrast,
    FollowUp,
    LeadOn,
    Question,
    Reading,
    SmallTalk,
    read,
)
from knowledge.relations import Relations

LONGEST: Final = 6
"""How many messages of a conversation are read, the newest ones."""


@dataclass(frozen=True, slots=True)
class View:
    """What retrieval holds of ``text``.

    ``shares`` are the logarithms of the entries' shares, in the bank's order; ``confidence`` is
    the probability, 0 to 1, that the best of them answers the text.
    """

    text: str
    shares: Scores
    confidence: float

    @property
    def best(self) -> int:
        """The number of the likeliest entry."""
        return int(np.argmax(self.shares))


class Retrieval(Protocol):
    """Retrieval of texts that were named beforehand (`texts_of`), so that it can batch them."""

    @property
    def relations(self) -> Relations:
        """How the entries belong together."""
        ...

    def view(self, text: str, prior: Scores | None = None) -> View:
        """What it holds of ``text``, ``prior`` added to the log-shares."""
        ...

    def likely_aspect(self, text: str) -> Aspect | None:
        """The aspect that messages like ``text`` ask for; None if it is like none of them."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """A normalised text with words, and its reading."""

    text: str
    reading: Reading

    @classmethod
    def of(cls, text: str) -> Self:
        """The message that says ``text``."""
        return cls(text, read(text))

    @property
    def question(self) -> str:
        """What it asks, taken by itself."""
        return self.reading.text if isinstance(self.reading, Question) else self.text

    @property
    def others(self) -> tuple[str, ...]:
        """The subjects that it may set beside the one under discussion, or move on to."""
        match self.reading:
            case LeadOn(subject=text) | Comparison(other=text):
                return (text,)
            case Contrast(left=left, right=right):
                return (left, right)
            case Question(text=text, turns=True):
                return (text,)
            case _:
                return ()


@dataclass(frozen=True, slots=True)
class Asks:
    """A question of its own; it is retrieval's ``view`` that decides whether it is answered."""

    view: View


@dataclass(frozen=True, slots=True)
class AsksOn:
    """An ``aspect`` of the best entry of ``view``, which is under discussion or near to it.

    ``firm``: its words alone say so.
    """

    view: View
    aspect: Aspect
    firm: bool = False


@dataclass(frozen=True, slots=True)
class Compares:
    """The best entry of ``view``, which is under discussion, beside the entry number ``other``."""

    view: View
    other: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing to answer. ``thanks``: the tutor is thanked."""

    thanks: bool = False


Wish = Asks | AsksOn | Compares | Nothing


def texts_of(messages: Sequence[Message]) -> Iterator[str]:
    """The texts whose views `understand` may need; some may come twice."""
    told = [message for message in messages if not isinstance(message.reading, SmallTalk)]
    for number, message in enumerate(told):
        yield message.question
        if number:
            for other in message.others:
                yield other
                yield from (_together(before.question, other) for before in told[:number])


def understand(messages: Sequence[Message], retrieval: Retrieval) -> Wish:
    """What the last of ``messages`` (oldest first, at least one) asks for.

    What is under discussion is the newest subject that a message brought up by itself.
    """
    about: View | None = None
    wish: Wish = Nothing()
    for message in messages:
        wish = _wish(message, about, retrieval)
        match wish:
            case Asks(view) if about is None or view.confidence >= THRESHOLDS.ask:
                about = view
            case AsksOn(view, Aspect.ANSWER):
                about = view
            case _:
                pass
    return wish


_POINTING: Final = 0.6
"""How sure retrieval must be of another entry, where a message seems to point back."""

_AT_HOME: Final = 0.15
"""An entry is at home with a message when at most this part of the bank fits it better."""

_WORDY: Final = 3
"""From so many words of its own on, a message stands for itself."""

_LED: Final = 0.3
"""How sure retrieval must be of where a message leads."""

_LED_BY_NAME: Final = 0.1
"""The same where the message has the words of the entry's question."""

_NEAR: Final = 1.5
"""How much, in log-shares, a message is likelier to lead to a related entry than to another."""

_NAMED: Final = 2.0
"""The same for an entry whose question has all of the message's words."""

_ALONE: Final = 0.5
"""How much the new subject counts by itself, beside being read after the old one."""

_ECHO: Final = 0.9
"""How much a follow-up's own words count in telling what is under discussion."""

_LEAST: Final = -8.0
"""The log-share below which an entry is as good as any other."""

_NEVER: Final = -30.0


def _wish(message: Message, about: View | None, retrieval: Retrieval) -> Wish:
    reading = message.reading
    if isinstance(reading, SmallTalk):
        return Nothing(thanks=reading.thanks)
    if about is None:
        return Asks(retrieval.view(message.question))
    match reading:
        case FollowUp():
            return _follow_up(message.text, reading, about, retrieval)
        case Comparison(other=other):
            return _comparison(message.text, other, about, retrieval)
        case Contrast():
            return _contrast(message.text, reading, about, retrieval)
        case LeadOn(subject=subject):
            return _lead_on(message.text, subject, about, retrieval)
        case Question():
            return _question(reading, about, retrieval)


def _follow_up(text: str, reading: FollowUp, about: View, retrieval: Retrieval) -> Wish:
    if not reading.names:
        return AsksOn(about, reading.aspect, firm=reading.strong)
    alone = retrieval.view(text)
    if _stands_alone(reading, alone, about):
        return _alone(alone, asked=reading.asked)
    if not reading.points:
        return AsksOn(about, reading.aspect)
    # What it says may tell better than the messages before which entry they were about.
    both = np.maximum(about.shares, _LEAST) + _ECHO * np.maximum(alone.shares, _LEAST)
    return AsksOn(replace(about, shares=log_softmax(both)), reading.aspect)


def _stands_alone(reading: FollowUp, alone: View, about: View) -> bool:
    """Whether a message that looks like a follow-up and names something asks for that instead."""
    if reading.points > 1:
        return False
    sure = alone.confidence >= THRESHOLDS.addressed
    if sure and not (reading.strong or reading.points) and reading.names >= _WORDY:
        return True  # a whole question, though perhaps about the same
    another = alone.best != about.best
    better = _better(alone, about.best)
    if better <= _AT_HOME:
        needed = _POINTING if reading.points else THRESHOLDS.addressed
        return another and alone.confidence >= needed
    if another and sure:
        return True
    if reading.aspect is Aspect.SIMPLER and reading.strong:
        return False
    # A remark needs fewer words than a question to be about something else.
    wordy = reading.names >= _WORDY - (not reading.asked)
    far = better > 2 * _AT_HOME and reading.names > 1 and not reading.points
    return wordy or (far and reading.aspect is Aspect.WHY)


def _comparison(text: str, other: str, about: View, retrieval: Retrieval) -> Wish:
    beside = _led(other, about, retrieval)
    found = {beside.best, retrieval.view(other).best}
    own = retrieval.relations.comparison(about.best, found, other)
    if own is not None:
        shares = about.shares.copy()
        shares[own] = shares.max() + 1.0
        return AsksOn(View(text, log_softmax(shares), about.confidence), Aspect.ANSWER)
    if _arrived(beside, other, retrieval):
        return Compares(about, beside.best)
    return Asks(retrieval.view(text))


def _contrast(text: str, sides: Contrast, about: View, retrieval: Retrieval) -> Wish:
    alone, names = retrieval.view(text), retrieval.relations.names
    for this, other in ((sides.left, sides.right), (sides.right, sides.left)):
        if names(about.best, this) and not names(about.best, other):
            compared = _comparison(text, other, about, retrieval)
            if not isinstance(compared, Compares) or compared.other != alone.best:
                return compared
    return Asks(alone)


def _lead_on(text: str, subject: str, about: View, retrieval: Retrieval) -> Wish:
    led = _led(subject, about, retrieval)
    if _arrived(led, subject, retrieval):
        return AsksOn(replace(led, text=text), Aspect.ANSWER)
    aspect = retrieval.likely_aspect(text)
    return AsksOn(about, aspect) if aspect else Asks(retrieval.view(text))


def _led(subject: str, about: View, retrieval: Retrieval) -> View:
    """Where ``subject`` leads somebody who comes from what is under discussion."""
    alone = retrieval.view(subject)
    if alone.confidence >= THRESHOLDS.addressed and alone.best != about.best:
        return alone
    relations = retrieval.relations
    prior = _ALONE * np.maximum(alone.shares, _LEAST)
    prior += _NEAR * relations.related(about.best) + _NAMED * relations.named(subject)
    prior[about.best] = _NEVER
    return retrieval.view(_together(about.text, subject), prior)


def _arrived(led: View, subject: str, retrieval: Retrieval) -> bool:
    """Whether it is sure enough where ``subject`` leads."""
    named = float(retrieval.relations.named(subject)[led.best])
    fits = named > 0 or _better(retrieval.view(subject), led.best) <= _AT_HOME
    return fits and led.confidence >= _LED - (_LED - _LED_BY_NAME) * named


def _better(view: View, entry: int) -> float:
    """The part of the bank, 0 to 1, that fits better than ``entry``."""
    return float(np.count_nonzero(view.shares > view.shares[entry]) / len(view.shares))


def _question(reading: Question, about: View, retrieval: Retrieval) -> Wish:
    alone = retrieval.view(reading.text)
    if alone.confidence >= THRESHOLDS.addressed or reading.fresh:
        return Asks(alone)
    aspect = retrieval.likely_aspect(reading.text) if reading.names <= _WORDY else None
    if not reading.names and reading.asked:
        aspect = aspect or Aspect.MORE
    if aspect is not None:
        return AsksOn(about, aspect)
    if reading.laughs and not reading.asked:
        return Nothing()
    if reading.turns and reading.asked:
        led = _led(reading.text, about, retrieval)
        if _arrived(led, reading.text, retrieval):
            return AsksOn(replace(led, text=reading.text), Aspect.ANSWER)
    return _alone(alone, asked=reading.asked)


def _alone(alone: View, *, asked: bool) -> Wish:
    """What a message wants that stands for itself: a remark that nobody knows wants nothing."""
    return Asks(alone) if asked or alone.confidence >= THRESHOLDS.ask else Nothing()


def _together(before: str, subject: str) -> str:
    return f"{before} {subject}"[:MAX_CHARACTERS]

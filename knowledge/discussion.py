"""A discussion: what the last message of a conversation asks for, read after those before it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, Self

import numpy as np

from knowledge.aspect import Aspect
from knowledge.decision import THRESHOLDS
from knowledge.fusion import log_softmax
from knowledge.lexical import Scores
from knowledge.move import ASPECTS, Move
from knowledge.moves import Likely
from knowledge.normalise import MAX_CHARACTERS
from knowledge.reading import Comparison, Contrast, LeadOn, Plain, Reading, SmallTalk, read
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

    def likely(self, text: str) -> Likely:
        """How likely ``text`` makes each move."""
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
        return self.reading.text if isinstance(self.reading, Plain) else self.text

    @property
    def others(self) -> tuple[str, ...]:
        """The subjects that it may set beside the one under discussion, or move on to."""
        match self.reading:
            case LeadOn(subject=text) | Comparison(other=text):
                return (text,)
            case Contrast(left=left, right=right):
                return (left, right)
            case _:
                return ()


@dataclass(frozen=True, slots=True)
class Asks:
    """A question of its own; it is retrieval's ``view`` that decides whether it is answered."""

    view: View


@dataclass(frozen=True, slots=True)
class AsksOn:
    """An ``aspect`` of the best entry of ``view``, which is under discussion or near to it.

    ``firm``: there is hardly another way to take it.
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
    """Nothing to answer. ``thanks``: the tutor is thanked; ``asked``: a question all the same."""

    thanks: bool = False
    asked: bool = False


Wish = Asks | AsksOn | Compares | Nothing


def texts_of(messages: Sequence[Message]) -> Iterator[str]:
    """The texts whose views `understand` may need; some may come twice."""
    before: list[str] = []
    for number, message in enumerate(messages):
        talk = message.reading if isinstance(message.reading, SmallTalk) else None
        if talk is None or (number and not talk.thanks):
            yield message.question
        for other in message.others if number else ():
            yield other
            yield from (_together(earlier, other) for earlier in before)
        if talk is None:
            before.append(message.question)


def understand(messages: Sequence[Message], retrieval: Retrieval) -> Wish:
    """What the last of ``messages`` (oldest first, at least one) asks for.

    What is under discussion is the newest subject that a message brought up by itself. A question
    that is asked in the same words again asks the same again.
    """
    about: View | None = None
    asked: set[str] = set()
    wish: Wish = Nothing()
    for message in messages:
        again = message.question in asked
        wish = Asks(retrieval.view(message.question)) if again else _wish(message, about, retrieval)
        if isinstance(wish, Asks):
            asked.add(message.question)
        match wish:
            case Asks(view) if about is None or view.confidence >= THRESHOLDS.ask:
                about = view
            case AsksOn(view, Aspect.ANSWER):
                about = view
            case _:
                pass
    return wish


_AT_HOME: Final = 0.15
"""An entry is at home with a message when at most this part of the bank fits it better."""

_LIKELY: Final = 0.35
"""How likely a message must ask on that fits other entries better."""


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

_CLEAR: Final = 0.6
"""How likely a move must be to be taken for granted."""

_FEW: Final = 2
"""So few words of its own may be like an entry's by chance."""

_FIRM: Final = 0.8
"""How likely a move must be where much speaks against it."""

_BUT_QUESTION: Final = tuple(move for move in Move if move is not Move.QUESTION)


def _wish(message: Message, about: View | None, retrieval: Retrieval) -> Wish:
    reading = message.reading
    if isinstance(reading, SmallTalk) and (reading.thanks or about is None):
        return Nothing(thanks=reading.thanks)
    if about is None:
        return Asks(retrieval.view(message.question))
    if isinstance(reading, Plain) and reading.fresh:
        return Asks(retrieval.view(reading.text))
    likely = retrieval.likely(message.text)
    match reading:
        case SmallTalk():
            if likely.moves[likely.request] < likely.moves[Move.NOTHING]:
                return Nothing()
        case Comparison(other=other):
            wish = _comparison(message.text, other, about, retrieval)
            if wish is not None:
                return wish
        case Contrast():
            wish = _contrast(message.text, reading, about, retrieval)
            if wish is not None:
                return wish
        case LeadOn(subject=subject) if likely.follows(likely.request) < _CLEAR:
            wish = _lead_on(message.text, subject, about, retrieval)
            if wish is not None:
                return wish
        case _:
            pass
    return _taken_up(message, likely, about, retrieval)


def _taken_up(message: Message, likely: Likely, about: View, retrieval: Retrieval) -> Wish:
    """What a message wants that no form of words gives away."""
    text, alone = message.text, retrieval.view(message.text)
    plain = message.reading if isinstance(message.reading, Plain) else Plain(text)
    move = likely.best(_BUT_QUESTION)
    compares = (
        move is Move.COMPARE
        and likely.moves[move] > likely.own
        and not isinstance(message.reading, Contrast)
    )
    if alone.best != about.best and alone.confidence >= THRESHOLDS.addressed and not compares:
        # A few words may be like an entry's by chance: "can it run?".
        by_chance = plain.names <= _FEW and move in ASPECTS and likely.moves[move] >= _FIRM
        return _asks_on(about, likely) if by_chance else Asks(alone)
    if compares:
        return _beside(text, alone, about, retrieval)
    if move is Move.NOTHING and (not plain.asked or likely.moves[move] > likely.own):
        return Nothing(asked=plain.asked)
    # The more it is like a question of its own, the better must fit what is under discussion.
    if _better(alone, about.best) <= _AT_HOME * (1 - likely.own):
        return _at_home(plain, alone, likely, about)
    if move is Move.ON:
        led = retrieval.view(text, _prior(text, about, retrieval))
        if _arrived(led, text, retrieval):
            return AsksOn(led, Aspect.ANSWER)
    if likely.moves[likely.request] >= _LIKELY:
        return _asks_on(about, likely)
    return _alone(alone, asked=plain.asked)


def _asks_on(about: View, likely: Likely) -> AsksOn:
    request = likely.request
    return AsksOn(about, ASPECTS[request], firm=likely.moves[request] >= _CLEAR)


def _at_home(plain: Plain, alone: View, likely: Likely, about: View) -> Wish:
    """What a message wants that what is under discussion fits as well as anything."""
    sure = alone.best == about.best and alone.confidence >= THRESHOLDS.addressed
    if sure and likely.own >= _FIRM and likely.follows(likely.request) < _CLEAR:
        return Asks(alone)  # a whole question, though about the same
    asks_on = _asks_on(about, likely)
    if not plain.points:
        return asks_on
    # What it says may tell better than the messages before which entry they were about.
    both = np.maximum(about.shares, _LEAST) + _ECHO * np.maximum(alone.shares, _LEAST)
    return replace(asks_on, view=replace(about, shares=log_softmax(both)))


def _beside(text: str, alone: View, about: View, retrieval: Retrieval) -> Wish:
    """What is under discussion beside the best other entry for ``text``."""
    others = alone.shares.copy()
    others[about.best] = _NEVER
    other = int(others.argmax())
    own = retrieval.relations.comparison(about.best, {alone.best, other}, text)
    if own is None and retrieval.relations.sides[other]:
        own = other
    return Compares(about, other) if own is None else _entry(text, own, about)


def _entry(text: str, number: int, about: View) -> AsksOn:
    """The entry that compares what is under discussion with something."""
    shares = about.shares.copy()
    shares[number] = shares.max() + 1.0
    return AsksOn(View(text, log_softmax(shares), about.confidence), Aspect.ANSWER)


def _comparison(text: str, other: str, about: View, retrieval: Retrieval) -> Wish | None:
    beside = _led(other, about, retrieval)
    found = {beside.best, retrieval.view(other).best}
    own = retrieval.relations.comparison(about.best, found, other)
    if own is not None:
        return _entry(text, own, about)
    return Compares(about, beside.best) if _arrived(beside, other, retrieval) else None


def _contrast(text: str, sides: Contrast, about: View, retrieval: Retrieval) -> Wish | None:
    alone, names = retrieval.view(text), retrieval.relations.names
    for this, other in ((sides.left, sides.right), (sides.right, sides.left)):
        if names(about.best, this) and not names(about.best, other):
            compared = _comparison(text, other, about, retrieval)
            if not isinstance(compared, Compares) or compared.other != alone.best:
                return compared
    return None


def _lead_on(text: str, subject: str, about: View, retrieval: Retrieval) -> Wish | None:
    led = _led(subject, about, retrieval)
    if _arrived(led, subject, retrieval):
        return AsksOn(replace(led, text=text), Aspect.ANSWER)
    return None


def _led(subject: str, about: View, retrieval: Retrieval) -> View:
    """Where ``subject`` leads somebody who comes from what is under discussion."""
    alone = retrieval.view(subject)
    if alone.confidence >= THRESHOLDS.addressed and alone.best != about.best:
        return alone
    prior = _ALONE * np.maximum(alone.shares, _LEAST) + _prior(subject, about, retrieval)
    return retrieval.view(_together(about.text, subject), prior)


def _prior(subject: str, about: View, retrieval: Retrieval) -> Scores:
    """Where ``subject`` may lead from what is under discussion: to its neighbours, by name."""
    relations = retrieval.relations
    prior = _NEAR * relations.related(about.best) + _NAMED * relations.named(subject)
    prior[about.best] = _NEVER
    return prior


def _arrived(led: View, subject: str, retrieval: Retrieval) -> bool:
    """Whether it is sure enough where ``subject`` leads."""
    named = float(retrieval.relations.named(subject)[led.best])
    fits = named > 0 or _better(retrieval.view(subject), led.best) <= _AT_HOME
    return fits and led.confidence >= _LED - (_LED - _LED_BY_NAME) * named


def _better(view: View, entry: int) -> float:
    """The part of the bank, 0 to 1, that fits better than ``entry``."""
    return float(np.count_nonzero(view.shares > view.shares[entry]) / len(view.shares))


def _alone(alone: View, *, asked: bool) -> Wish:
    """What a message wants that stands for itself: a remark that nobody knows wants nothing."""
    return Asks(alone) if asked or alone.confidence >= THRESHOLDS.ask else Nothing()


def _together(before: str, subject: str) -> str:
    return f"{before} {subject}"[:MAX_CHARACTERS]

"""Reading: what the words of a message alone tell of it, before anything is looked up."""

from dataclasses import dataclass

from knowledge.manner import Manner, manner_of
from knowledge.side_by_side import side_by_side
from knowledge.small_talk import is_small_talk, takes_leave, thanks
from knowledge.subject import subject_words
from knowledge.turns import after_change, goes_on, is_pronoun, led_to, points_back


@dataclass(frozen=True, slots=True)
class SmallTalk:
    """Thanks, assent, laughter or a goodbye: there is hardly anything to answer.

    ``thanks``: somebody is thanked.
    """

    thanks: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is under discussion beside ``other``, as it is written."""

    other: str


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two things beside each other, both named."""

    left: str
    right: str


@dataclass(frozen=True, slots=True)
class LeadOn:
    """On to ``subject``: "and in PyTorch?"."""

    subject: str


@dataclass(frozen=True, slots=True)
class Plain:
    """Anything else.

    ``fresh``: it says that the subject changes; ``text`` is the rest. ``names``: how many of its
    words may name a subject. ``points``: how firmly it points back, 0 to 2. ``asked``: it sounds
    like a question.
    """

    text: str
    fresh: bool = False
    names: int = 1
    points: int = 0
    asked: bool = True


Reading = SmallTalk | Comparison | Contrast | LeadOn | Plain


def read(text: str) -> Reading:
    """The reading of ``text`` (normalised)."""
    fresh = after_change(text)
    if fresh is not None:
        return Plain(fresh, fresh=True)
    asked = manner_of(text, addressed=False) is Manner.ASKED
    if is_small_talk(text) or (takes_leave(text) and not asked):
        return SmallTalk(thanks(text))
    sides = _sides(text)
    if sides is not None:
        return sides
    lead = led_to(text)
    if lead is not None:
        return LeadOn(lead)
    points = points_back(text) + goes_on(text)
    return Plain(text, names=_count(subject_words(text)), points=points, asked=asked)


def _count(named: tuple[str, ...]) -> int:
    """How many words those are, the ones within others left out."""
    return sum(all(word is other or word not in other for other in named) for word in named)


def _sides(text: str) -> Comparison | Contrast | None:
    sides = side_by_side(text)
    if sides is None:
        return None
    left, right = bool(subject_words(sides.left)), bool(subject_words(sides.right))
    if left and right:
        return Contrast(sides.left, sides.right)
    if right and not sides.of_choice:
        return Comparison(sides.right)
    if left and is_pronoun(sides.right):
        return Comparison(sides.left)
    return None

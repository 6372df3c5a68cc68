"""Reading: what kind of message the text of one is, before anything is looked up."""

from dataclasses import dataclass
from typing import Final

from knowledge.aspect import Aspect
from knowledge.cues import cue_of
from knowledge.manner import Manner, manner_of
from knowledge.side_by_side import side_by_side
from knowledge.small_talk import is_small_talk, laughs, takes_leave, thanks
from knowledge.subject import subject_words
from knowledge.turns import after_change, defined, goes_on, is_pronoun, led_to, pointing


@dataclass(frozen=True, slots=True)
class SmallTalk:
    """Thanks, assent, laughter or a goodbye: there is nothing to answer.

    ``thanks``: somebody is thanked.
    """

    thanks: bool = False


@dataclass(frozen=True, slots=True)
class FollowUp:
    """It wants an ``aspect`` of what is under discussion.

    ``strong``: it asks for the aspect outright. ``names``: how many of its words may name another
    subject. ``points``: how firmly it points back, 0 to 2. ``asked``: it sounds like a question.
    """

    aspect: Aspect
    strong: bool = True
    names: int = 0
    points: int = 0
    asked: bool = True


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
class Question:
    """A message that may have a subject of its own, and names no aspect of another.

    ``fresh``: it says that the subject changes; ``text`` is the rest. ``names``: how many of its
    words may name the subject. ``turns``: it begins like a message that goes on from something.
    ``asked``: it sounds like a question. ``laughs``: there is laughter in it.
    """

    text: str
    fresh: bool = False
    names: int = 1
    turns: bool = False
    asked: bool = True
    laughs: bool = False


Reading = SmallTalk | FollowUp | Comparison | Contrast | LeadOn | Question


_IN_A_FRAMEWORK: Final = frozenset({Aspect.CODE, Aspect.RUN, Aspect.EXAMPLE})
_FRAMEWORKS: Final = frozenset(
    {"python", "pytorch", "torch", "tensorflow", "tf", "keras", "numpy", "jax", "sklearn"}
)
"""Where code is wanted, these say in what, and not of what."""


def read(text: str) -> Reading:
    """The reading of ``text`` (normalised), as far as its words alone tell."""
    fresh = after_change(text)
    if fresh is not None:
        return Question(fresh, fresh=True)
    cue = cue_of(text)
    if cue is None and is_small_talk(text):
        return SmallTalk(thanks(text))
    sides = _sides(text)
    if sides is not None:
        return sides
    named = subject_words(text)
    if cue is not None and cue.aspect in _IN_A_FRAMEWORK:
        named = tuple(word for word in named if word not in _FRAMEWORKS)
    names = _count(named)
    lead = led_to(text)
    if lead is not None and (cue is None or not cue.strong):
        return LeadOn(lead)
    points = pointing(text)
    asked = manner_of(text, addressed=False) is Manner.ASKED
    if not asked and (takes_leave(text) or (cue is not None and not cue.strong and thanks(text))):
        return SmallTalk(thanks(text))
    if names and defined(text):
        return Question(text, names=names)
    if cue is not None and (cue.strong or not names or cue.aspect is not Aspect.MORE):
        return FollowUp(cue.aspect, cue.strong, names, points, asked)
    return Question(text, names=names, turns=goes_on(text), asked=asked, laughs=laughs(text))


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

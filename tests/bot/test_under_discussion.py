import pytest

from bot.testing import FakeClock
from bot.under_discussion import FRESH, QUESTIONS, UnderDiscussion
from knowledge.aspect import Aspect
from knowledge.entry import EntryId
from knowledge.outcome import Answered, Compared, Outcome, Refused, Silent, Unsure

PLACE, LEARNER = 7, 42
ENTRY = EntryId("a")
ANSWER = Answered(ENTRY, 0.9, ())
WHY = Answered(ENTRY, 0.9, (), Aspect.WHY)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def discussion(clock: FakeClock) -> UnderDiscussion:
    return UnderDiscussion(clock)


def said(discussion: UnderDiscussion, *outcomes: tuple[str, Outcome]) -> tuple[str, ...]:
    for text, outcome in outcomes:
        discussion.note(PLACE, LEARNER, text, outcome)
    return discussion.questions(PLACE, LEARNER)


def test_questions_that_were_taken_up_are_remembered(discussion: UnderDiscussion) -> None:
    assert said(discussion, ("x", ANSWER), ("y", Unsure((), 0.3, ()))) == ("x", "y")


def test_follow_ups_and_small_talk_are_not(discussion: UnderDiscussion) -> None:
    told = [
        ("x", ANSWER),
        ("why", WHY),
        ("vs y", Compared(ENTRY, ENTRY, 0.9, ())),
        ("ty", Silent()),
    ]
    assert said(discussion, *told) == ("x",)


def test_after_a_refusal_nothing_is_under_discussion(discussion: UnderDiscussion) -> None:
    assert said(discussion, ("x", ANSWER), ("z", Refused((), 0.0, ()))) == ()


def test_the_newest_questions_are_kept(discussion: UnderDiscussion) -> None:
    texts = [str(number) for number in range(QUESTIONS + 2)]
    assert said(discussion, *((text, ANSWER) for text in texts)) == tuple(texts[2:])


def test_places_and_learners_are_kept_apart(discussion: UnderDiscussion) -> None:
    discussion.note(PLACE, LEARNER, "x", ANSWER)
    assert discussion.questions(PLACE, LEARNER + 1) == ()
    assert discussion.questions(PLACE + 1, LEARNER) == ()


def test_questions_grow_old_and_follow_ups_keep_them_fresh(
    discussion: UnderDiscussion, clock: FakeClock
) -> None:
    discussion.note(PLACE, LEARNER, "x", ANSWER)
    clock.advance(seconds=FRESH.total_seconds())
    discussion.note(PLACE, LEARNER, "why", WHY)
    clock.advance(seconds=FRESH.total_seconds())
    assert discussion.questions(PLACE, LEARNER) == ("x",)
    clock.advance(seconds=1)
    assert discussion.questions(PLACE, LEARNER) == ()
    discussion.note(PLACE, LEARNER, "y", ANSWER)
    assert discussion.questions(PLACE, LEARNER) == ("y",)


def test_the_oldest_discussion_makes_room(discussion: UnderDiscussion) -> None:
    for learner in range(2_001):
        discussion.note(PLACE, learner, "x", ANSWER)
    assert discussion.questions(PLACE, 0) == ()
    assert discussion.questions(PLACE, 1) == ("x",)

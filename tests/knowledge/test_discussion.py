"""Conversations over a retrieval whose views are set by hand."""

from collections.abc import Mapping

import numpy as np
import pytest

from knowledge.aspect import Aspect
from knowledge.discussion import (
    Asks,
    AsksOn,
    Compares,
    Message,
    Nothing,
    View,
    Wish,
    texts_of,
    understand,
)
from knowledge.fusion import log_softmax
from knowledge.lexical import Scores
from knowledge.move import Move
from knowledge.moves import Likely
from knowledge.normalise import normalise
from knowledge.relations import Relations

NAMES = ("dropout", "overfitting", "quantization", "pruning", "quantization-vs-pruning", *"abcdef")
SIDES = ("quantization", "pruning")
KNOWN = {
    "dropout": ("dropout", 0.9),
    "overfitting": ("overfitting", 0.9),
    "quantization": ("quantization", 0.9),
    "pruning": ("pruning", 0.9),
    "memorising": ("overfitting", 0.2),
}


class SetRetrieval:
    """Finds the entry of the last of its words that a text has; knows no other text.

    Only texts that were named beforehand may be asked for.
    """

    def __init__(self, texts: set[str], moves: Mapping[str, Move]) -> None:
        near = np.zeros((len(NAMES), len(NAMES)), np.bool_)
        near[0, 1] = near[1, 0] = True
        sides = tuple((SIDES,) if "-vs-" in name else () for name in NAMES)
        self.relations = Relations(near, NAMES, sides)
        self._texts = texts
        self._moves = moves

    def view(self, text: str, prior: Scores | None = None) -> View:
        assert text in self._texts
        places = {word: text.rfind(word) for word in KNOWN if word in text}
        entry, confidence = "f", 0.01
        if places:
            entry, confidence = KNOWN[max(places, key=lambda word: places[word])]
        # What is unknown lies nearer to the entries that have letters for names.
        scores = np.where(np.arange(len(NAMES)) < NAMES.index("a"), -6.0, -6.0 if places else -3.0)
        scores[NAMES.index(entry)] = 0.0
        shares = log_softmax(scores + (0 if prior is None else prior))
        return View(text, shares, confidence if NAMES[shares.argmax()] == entry else 0.05)

    def likely(self, text: str) -> Likely:
        assert text in self._texts
        move = self._moves.get(text, Move.QUESTION)
        return Likely(dict.fromkeys(Move, 0.01) | {move: 0.91})


MOVES = {
    "为什么?": Move.WHY,
    "为什么": Move.WHY,
    "code?": Move.CODE,
    "有代码吗": Move.CODE,
    "能跑吗": Move.RUN,
    "举个例子": Move.EXAMPLE,
    "继续": Move.MORE,
    "dropout 有代码吗": Move.CODE,
    "but why does it stop when dropout is used": Move.WHY,
    "小王你那个 ppt 做完没,周五要交": Move.NOTHING,
    "lol my cat walked over the keyboard": Move.NOTHING,
    "好怕过不了": Move.NOTHING,
    "模型在 memorising": Move.NOTHING,
    "底层咋整": Move.WHY,
    "所以 pruning 也行": Move.ON,
    "跟 pruning 掰头": Move.COMPARE,
    "没懂": Move.SIMPLER,
}
"""What the messages below do that are no questions of their own."""


def wish(*turns: str) -> Wish:
    messages = [Message.of(normalise(turn)) for turn in turns]
    return understand(messages, SetRetrieval(set(texts_of(messages)), MOVES))


def entry(wish: Wish) -> str:
    assert not isinstance(wish, Nothing)
    return NAMES[wish.view.best]


@pytest.mark.parametrize(
    ("text", "aspect"),
    [("为什么？", Aspect.WHY), ("code?", Aspect.CODE), ("能跑吗", Aspect.RUN)],
)
def test_a_follow_up_is_about_what_is_under_discussion(text: str, aspect: Aspect) -> None:
    asked = wish("什么是 dropout", text)
    assert isinstance(asked, AsksOn)
    assert (entry(asked), asked.aspect, asked.firm) == ("dropout", aspect, True)


def test_without_a_conversation_every_message_with_words_is_a_question() -> None:
    assert isinstance(wish("为什么？"), Asks)
    assert isinstance(wish("和 pruning 有什么区别"), Asks)
    assert wish("谢谢") == Nothing(thanks=True)


def test_the_newest_subject_counts() -> None:
    asked = wish("什么是 dropout", "为什么？", "什么是 pruning", "谢谢", "有代码吗")
    assert isinstance(asked, AsksOn)
    assert (entry(asked), asked.aspect) == ("pruning", Aspect.CODE)


def test_a_subject_that_was_led_to_is_under_discussion_afterwards() -> None:
    led = wish("什么是 quantization", "那 pruning 呢")
    assert isinstance(led, AsksOn)
    assert (entry(led), led.aspect) == ("pruning", Aspect.ANSWER)
    assert entry(wish("什么是 quantization", "那 pruning 呢", "举个例子")) == "pruning"


def test_a_comparison_keeps_its_first_subject() -> None:
    compared = wish("什么是 dropout", "和 pruning 有什么区别")
    assert isinstance(compared, Compares)
    assert (entry(compared), NAMES[compared.other]) == ("dropout", "pruning")
    assert entry(wish("什么是 dropout", "和 pruning 有什么区别", "为什么")) == "dropout"


@pytest.mark.parametrize(
    "turns",
    [
        ("什么是 quantization", "和 pruning 有什么区别"),
        ("what is pruning", "how is it different from quantization?"),
        ("what is pruning", "quantization vs pruning, which is better"),
    ],
)
def test_a_pair_with_an_entry_of_its_own_gets_that_entry(turns: tuple[str, str]) -> None:
    asked = wish(*turns)
    assert isinstance(asked, AsksOn)
    assert (entry(asked), asked.aspect) == ("quantization-vs-pruning", Aspect.ANSWER)


def test_a_comparison_with_something_unknown_is_a_question() -> None:
    assert isinstance(wish("什么是 dropout", "和红烧肉有什么区别"), Asks)


@pytest.mark.parametrize(
    "text", ["什么是 pruning", "新问题：pruning", "why does pruning work", "pruning 的代码怎么写"]
)
def test_another_subject_is_not_swallowed(text: str) -> None:
    asked = wish("什么是 dropout", text)
    assert isinstance(asked, Asks)
    assert entry(asked) == "pruning"


def test_a_question_about_the_same_subject_may_ask_on() -> None:
    asked = wish("什么是 dropout", "dropout 有代码吗")
    assert isinstance(asked, AsksOn)
    assert (entry(asked), asked.aspect) == ("dropout", Aspect.CODE)


def test_a_whole_question_about_the_same_subject_is_one() -> None:
    asked = wish("什么是 dropout", "训练时随机丢掉神经元的 dropout 是怎么回事")
    assert isinstance(asked, Asks)
    assert entry(asked) == "dropout"


def test_a_question_in_the_same_words_is_asked_again() -> None:
    asked = wish("模型在 memorising", "什么是 dropout", "模型在 memorising")
    assert isinstance(asked, Asks)
    assert entry(asked) == "overfitting"
    assert isinstance(wish("什么是 dropout", "模型在 memorising"), Nothing)


def test_words_that_point_back_help_to_tell_what_was_meant() -> None:
    asked = wish("memorising", "but why does it stop when dropout is used")
    assert isinstance(asked, AsksOn)
    assert asked.aspect is Aspect.WHY


@pytest.mark.parametrize(
    ("text", "silent"),
    [
        ("小王你那个 ppt 做完没，周五要交", True),
        ("我家猫又把键盘踩了", True),
        ("lol my cat walked over the keyboard", True),
        ("红烧肉怎么做", False),
        ("三角形内角和为什么是 180 度", False),
    ],
)
def test_remarks_are_passed_over_and_strange_questions_stand_alone(
    text: str,
    silent: bool,  # noqa: FBT001 - a case
) -> None:
    asked = wish("什么是 dropout", text)
    assert isinstance(asked, Nothing if silent else Asks)


def test_side_talk_leaves_the_subject_where_it_is() -> None:
    assert entry(wish("什么是 dropout", "好怕过不了", "继续")) == "dropout"


def test_what_asks_on_is_taken_for_that_however_it_is_put() -> None:
    asked = wish("什么是 dropout", "底层咋整")
    assert isinstance(asked, AsksOn)
    assert (entry(asked), asked.aspect) == ("dropout", Aspect.WHY)


def test_a_comparison_without_its_form_is_one() -> None:
    compared = wish("什么是 dropout", "跟 pruning 掰头")
    assert isinstance(compared, Compares)
    assert (entry(compared), NAMES[compared.other]) == ("dropout", "pruning")


def test_assent_that_asks_for_something_is_not_passed_over() -> None:
    asked = wish("什么是 dropout", "没懂")
    assert isinstance(asked, AsksOn)
    assert asked.aspect is Aspect.SIMPLER


def test_a_lone_question_needs_one_text() -> None:
    assert list(texts_of([Message.of("和 pruning 有什么区别")])) == ["和 pruning 有什么区别"]
    assert list(texts_of([Message.of("谢谢")])) == []

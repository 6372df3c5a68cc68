import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.follow_up import in_context

KNOWN = frozenset({"pytorch", "过拟合", "dropout", "tensorflow"})


def read(text: str, *conversation: str) -> str:
    return in_context(text, conversation, KNOWN.__contains__)


@pytest.mark.parametrize(
    "text", ["为什么?", "有代码吗", "能举个例子吗", "why?", "show me some code", "还有别的办法吗"]
)
def test_a_question_without_a_subject_takes_the_one_before(text: str) -> None:
    assert read(text, "什么是过拟合") == f"什么是过拟合 {text}"


@pytest.mark.parametrize("text", ["那 pytorch 呢", "and in tensorflow?", "what about dropout"])
def test_a_question_that_leads_on_keeps_the_subject(text: str) -> None:
    assert read(text, "怎么防止过拟合") == f"怎么防止过拟合 {text}"


@pytest.mark.parametrize(
    "text", ["红烧肉怎么做", "那红烧肉呢", "what about lunch", "什么是迁移学习"]
)
def test_another_subject_stands_alone(text: str) -> None:
    assert read(text, "什么是过拟合") == text


def test_the_latest_message_with_a_subject_is_taken() -> None:
    assert read("有代码吗", "什么是过拟合", "残差网络", "为什么?") == "残差网络 有代码吗"


def test_markup_and_spelling_of_earlier_messages_are_tidied() -> None:
    assert read("为什么?", "<@42> 什麼是過擬合") == "什么是过拟合 为什么?"


def test_without_a_conversation_or_a_subject_in_it_nothing_is_added() -> None:
    assert read("为什么?") == "为什么?"
    assert read("为什么?", "好的谢谢", "😀", "") == "为什么?"


@given(st.text(max_size=40), st.lists(st.text(max_size=40), max_size=3))
def test_the_question_itself_is_never_lost(text: str, conversation: list[str]) -> None:
    from knowledge.normalise import normalise

    text = normalise(text)
    assert read(text, *conversation).endswith(text)

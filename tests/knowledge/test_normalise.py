import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.normalise import MAX_CHARACTERS, has_words, normalise, without_mentions

ANY_TEXT = st.text(st.characters(exclude_categories=[]))


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("什麼是過擬合與驗證集", "什么是过拟合与验证集"),
        ("ＯＶＥＲＦＩＴＴＩＮＧ　１２３", "overfitting 123"),
        ("  Loss \t goes\n up ", "loss goes up"),
        ("re\u200bduce\u00ad cost", "reduce cost"),
        ("\ud800坏", "坏"),
        ("ﬁne-tuning", "fine-tuning"),
    ],
)
def test_what_means_the_same_is_spelled_the_same(written: str, normal: str) -> None:
    assert normalise(written) == normal


@given(ANY_TEXT)
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(ANY_TEXT)
def test_normal_text_is_bounded_tidy_and_can_be_written(text: str) -> None:
    normal = normalise(text)
    assert len(normal) <= MAX_CHARACTERS
    assert normal == normal.strip()
    assert "  " not in normal
    normal.encode("utf-8")


def test_a_long_text_keeps_its_beginning() -> None:
    assert normalise("开头" + "很长" * 5000) == ("开头" + "很长" * 5000)[:MAX_CHARACTERS]


@pytest.mark.parametrize("text", ["a", "好", "7", "да", "？好"])
def test_a_letter_or_digit_of_any_script_is_a_word(text: str) -> None:
    assert has_words(text)


@pytest.mark.parametrize("text", ["", "😀", "?!…", "   "])
def test_signs_alone_are_no_words(text: str) -> None:
    assert not has_words(text)


def test_chat_markup_is_no_part_of_a_question() -> None:
    text = "<@123> <@!5> <#42> <:cat:99> <a:dog:98> <t:1700000000:R> 什么是 a<b"
    assert without_mentions(text).split() == ["什么是", "a<b"]

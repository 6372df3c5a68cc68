from hypothesis import given
from hypothesis import strategies as st

from bot.answers import question_answered, quoted, unquoted


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=150))
def test_a_quoted_question_is_one_line(question: str) -> None:
    assert quoted(question).count("\n") == 1


@given(st.text(alphabet="ab 训练*_`~|>[]()#\\@<", max_size=150))
def test_what_was_quoted_can_be_read_back(question: str) -> None:
    answer = quoted(question) + "\n\nanswer"
    assert unquoted(answer) == " ".join(question.split())


def test_an_answer_without_a_quote_names_no_question() -> None:
    assert unquoted("### 什么是过拟合？\n...") == ""


def test_a_mass_mention_in_a_question_does_not_survive_quoting() -> None:
    assert "@everyone" not in quoted("@everyone 过拟合")


def test_an_answer_tells_what_it_was_to() -> None:
    assert question_answered("### 什么是过拟合？\n**…**") == "什么是过拟合？"
    assert question_answered(quoted("背题了") + "\n\n### 什么是过拟合？\n…") == "什么是过拟合？"
    assert question_answered(quoted("红烧肉怎么做") + "\n\n这个题库里没有") == "红烧肉怎么做"
    assert question_answered("⏳ …") == ""

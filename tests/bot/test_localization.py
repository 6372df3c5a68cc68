import pytest
from discord import Locale

from bot.localization import answer_language
from knowledge.language import Language


@pytest.mark.parametrize(
    ("question", "locale", "language"),
    [
        ("过拟合怎么办", Locale.american_english, Language.ZH),
        ("overfit 了怎么办", None, Language.ZH),
        ("how do I make training cheaper", Locale.chinese, Language.EN),
        ("dropout", Locale.chinese, Language.ZH),
        ("dropout", Locale.taiwan_chinese, Language.ZH),
        ("dropout", Locale.american_english, Language.EN),
        ("dropout", None, Language.EN),
        ("", Locale.chinese, Language.ZH),
    ],
)
def test_the_answer_is_in_the_askers_language(
    question: str, locale: Locale | None, language: Language
) -> None:
    assert answer_language(question, locale) is language


@pytest.mark.parametrize(
    ("question", "before", "language"),
    [
        ("code?", ("什么是过拟合",), Language.ZH),
        ("code?", ("什么是过拟合", "what is dropout good for"), Language.EN),
        ("show me the code", ("什么是过拟合",), Language.EN),
        ("为什么", ("what is dropout good for",), Language.ZH),
    ],
)
def test_a_bare_term_is_in_the_language_of_the_question_before(
    question: str, before: tuple[str, ...], language: Language
) -> None:
    assert answer_language(question, Locale.american_english, before) is language

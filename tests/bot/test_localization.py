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

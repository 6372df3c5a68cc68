from bot.rendering.answers import answer_text, code_text, more_text
from bot.rendering.splitting import split_markdown
from knowledge.bank import load_bank
from knowledge.entry import Answer, Code, Entry, EntryId
from knowledge.language import Bilingual, Language

BLOCK = Code("python", "x = 1")


def entry(explanation: str, code: tuple[Code, ...] = (BLOCK,)) -> Entry:
    answer = Answer("一句话。", explanation, "- 误会", code)
    return Entry(
        id=EntryId("example"),
        topic="basics",
        question=Bilingual("问？", "Ask?"),
        phrasings_zh=(),
        phrasings_en=(),
        key_points=(Bilingual("要点", "point"),),
        related=(),
        examples=(),
        sources=("Somebody, Something, 2020",),
        answer_zh=answer,
        answer_en=answer,
    )


def test_an_answer_is_its_question_its_summary_and_its_explanation() -> None:
    text = answer_text(entry("因为。\n\n```python\nx = 1\n```"), Language.ZH)
    assert text == "### 问？\n**一句话。**\n\n因为。\n\n```python\nx = 1\n```"


def test_an_explanation_without_its_own_code_is_followed_by_the_code() -> None:
    text = answer_text(entry("Because."), Language.EN)
    assert text.endswith("Because.\n\n```python\nx = 1\n```")


def test_an_answer_without_code_has_none() -> None:
    assert answer_text(entry("因为。", ()), Language.ZH).endswith("因为。")
    assert code_text(entry("因为。", ()), Language.ZH) == ""


def test_more_holds_mistakes_key_points_and_sources() -> None:
    assert more_text(entry("x"), Language.EN) == (
        "**Common mistakes**\n- 误会\n\n**Key points**\n- point\n\n"
        "**Sources**\n- Somebody, Something, 2020"
    )


def test_every_answer_of_the_bank_keeps_its_code_blocks_whole() -> None:
    for each in load_bank().entries:
        for language in Language:
            parts = split_markdown(answer_text(each, language))
            for code in each.answer(language).code:
                block = f"```{code.language}\n{code.text}\n```"
                assert any(block in part for part in parts), (each.id, language)

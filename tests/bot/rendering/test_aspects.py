from dataclasses import replace

import pytest

from bot.rendering.answers import more_text
from bot.rendering.aspects import aspect_text, comparison_text
from bot.rendering.splitting import split_markdown
from knowledge.aspect import Aspect
from knowledge.bank import load_bank
from knowledge.entry import Answer, Code, Entry, EntryId
from knowledge.language import Bilingual, Language

BLOCK = Code("python", "x = 1")
CODE = "```python\nx = 1\n```"
ANSWER = Answer(
    "一句话。",
    f"**直觉**：像骑车。\n\n**算一遍**：1 + 1 = 2。\n\n**怎么选**：看情况。\n\n{CODE}",
    "- 误会",
    (BLOCK,),
)
ENTRY = Entry(
    id=EntryId("example"),
    topic="basics",
    question=Bilingual("问？", "Ask?"),
    phrasings_zh=(),
    phrasings_en=(),
    key_points=(Bilingual("要点一", "first"), Bilingual("要点二", "second")),
    related=(),
    examples=(),
    sources=("Somebody, Something, 2020",),
    answer_zh=ANSWER,
    answer_en=Answer("A sentence.", "Because of this.", "- a mistake", ()),
)
RUNS = replace(ENTRY, examples=("some-example",))


def zh(aspect: Aspect, entry: Entry = ENTRY) -> str:
    return aspect_text(entry, aspect, Language.ZH)


def en(aspect: Aspect, entry: Entry = ENTRY) -> str:
    return aspect_text(entry, aspect, Language.EN)


def test_why_gives_the_reasons_and_else_all_prose() -> None:
    assert zh(Aspect.WHY) == "### 问？\n**直觉**：像骑车。"
    assert en(Aspect.WHY) == "### Ask?\nBecause of this."


def test_an_example_is_worked_out_and_may_be_run() -> None:
    assert zh(Aspect.EXAMPLE) == "### 问？\n**算一遍**：1 + 1 = 2。"
    assert zh(Aspect.EXAMPLE, RUNS).endswith(
        "\n\n可以当场跑：按下面的“运行”，指标和曲线会出现在聊天里。"
    )
    assert en(Aspect.EXAMPLE) == "### Ask?\nThere is no separate example to this one."


def test_without_a_worked_one_the_picture_and_the_code_are_the_example() -> None:
    answer = replace(ANSWER, explanation=f"**直觉**：像骑车。\n\n{CODE}")
    assert zh(Aspect.EXAMPLE, replace(ENTRY, answer_zh=answer)) == (
        f"### 问？\n**直觉**：像骑车。\n\n{CODE}"
    )


def test_code_is_the_code_or_says_that_there_is_none() -> None:
    assert zh(Aspect.CODE) == f"### 问？\n{CODE}"
    assert en(Aspect.CODE).startswith("### Ask?\nThere is no code")


def test_a_run_is_offered_or_said_not_to_exist() -> None:
    assert "按下面的“运行”" in zh(Aspect.RUN, RUNS)
    assert zh(Aspect.RUN) == (
        f"### 问？\n这个主题在这里没有能当场跑的例子。代码可以拿到自己的机器上跑：\n\n{CODE}"
    )
    assert en(Aspect.RUN) == "### Ask?\nThere is nothing to run here for this one."


def test_simpler_is_the_summary_the_picture_and_the_key_points() -> None:
    assert zh(Aspect.SIMPLER) == (
        "### 问？\n**一句话。**\n\n**直觉**：像骑车。\n\n- 要点一\n- 要点二"
    )
    assert en(Aspect.SIMPLER) == "### Ask?\n**A sentence.**\n\n- first\n- second"


def test_more_is_what_the_answer_left_out() -> None:
    assert zh(Aspect.MORE) == f"### 问？\n{more_text(ENTRY, Language.ZH)}"


def test_a_comparison_shows_both() -> None:
    other = replace(ENTRY, question=Bilingual("另一个？", "The other?"))
    assert comparison_text(ENTRY, other, Language.EN) == (
        "### Ask?\n**A sentence.**\n- first\n- second\n\n"
        "### The other?\n**A sentence.**\n- first\n- second"
    )
    with pytest.raises(ValueError, match="two entries"):
        zh(Aspect.COMPARE)


def test_every_entry_of_the_bank_has_something_to_every_aspect() -> None:
    for entry in load_bank().entries:
        for language in Language:
            for aspect in set(Aspect) - {Aspect.COMPARE}:
                heading, _, body = aspect_text(entry, aspect, language).partition("\n")
                assert heading == f"### {entry.question.text(language)}"
                assert body.strip(), (entry.id, aspect)
                assert split_markdown(body)

import pytest

from bot.playground.learner import Learner
from bot.playground.wire import Json

pytestmark = pytest.mark.asyncio(loop_scope="session")


def custom_ids(message: Json) -> list[str]:
    return [each["custom_id"] for row in message["components"] for each in row["components"]]


async def answer_to(learner: Learner, question: str) -> Json:
    asked = await learner.mention(question)
    return await learner.wait_for_message(
        lambda message: (
            message["author"]["id"] == learner.bot_id
            and (message.get("message_reference") or {}).get("message_id") == asked["id"]
            and not message["content"].startswith("⏳")
        ),
        timeout=180,
    )


@pytest.mark.parametrize(
    ("question", "entry", "language"),
    [
        ("模型在训练集上很好测试集很差", "overfitting", "zh"),
        ("训练集准确率很高但是测试集很差怎么回事", "overfitting", "zh"),
        ("how do I make training cheaper", "reduce-cost", "en"),
        ("訓練成本太高了，有什麼辦法省錢", "reduce-cost", "zh"),
    ],
)
async def test_a_question_gets_its_entry_in_its_language(
    xiaoming: Learner, question: str, entry: str, language: str
) -> None:
    answer = await answer_to(xiaoming, question)
    parts = [answer, *await xiaoming.messages(after=answer["id"])]
    buttons = [custom_id for part in parts for custom_id in custom_ids(part)]
    assert f"more:{entry}:{language}" in buttons


async def test_what_the_bank_does_not_hold_is_refused(xiaoming: Learner) -> None:
    answer = await answer_to(xiaoming, "红烧肉怎么做")
    assert answer["content"].startswith("这个题库里没有")


async def test_the_slash_command_answers_in_english(alice: Learner) -> None:
    question = "my network is perfect on training data and useless on new data"
    interaction = await alice.slash("ask", question=question)
    assert interaction["state"] == "deferred"
    answer = await alice.wait_for_message(
        lambda message: f"> {question}" in message["content"], 180
    )
    assert "### What is overfitting" in answer["content"]


async def test_a_direct_message_is_answered(alice: Learner) -> None:
    asked = await alice.dm("how do I make training cheaper")
    answer = await alice.wait_for_answer(asked, 180)
    assert answer["author"]["id"] == alice.bot_id
    assert "cost" in answer["content"]


async def test_buttons_under_an_answer_show_more_code_and_related(xiaoming: Learner) -> None:
    answer = await answer_to(xiaoming, "模型在训练集上很好测试集很差")
    last = (await xiaoming.messages(after=answer["id"]) or [answer])[-1]
    for button, expected in (
        ("more:overfitting:zh", "常见误会"),
        ("code:overfitting:zh", "```python"),
    ):
        await xiaoming.press(last, button)
        shown = await xiaoming.wait_for_message(
            lambda message, wanted=expected: wanted in message["content"] and message["flags"] & 64
        )
        assert shown["flags"] & 64

import asyncio

import pytest
import pytest_asyncio

from bot.playground.learner import Learner
from bot.playground.server import Playground

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def study_channel(playground: Playground) -> str:
    async with Learner(playground.url, "老师") as teacher:
        await teacher.wait_for_bot(180)
        await teacher.slash("study start", "study", hour=9)
        await teacher.wait_for_message(lambda message: "学习频道" in message["content"])
    return "study"


async def test_small_talk_gets_silence_and_a_question_an_answer(
    xiaoming: Learner, study_channel: str
) -> None:
    talk = await xiaoming.say("哈哈 周五聚餐吗", study_channel)
    question = await xiaoming.say("为什么验证集 loss 先降后升", study_channel)
    answer = await xiaoming.wait_for_answer(question, 180)
    assert "过拟合" in answer["content"]
    # The question came later and is answered, so the talk had its turn.
    replied = [
        (message.get("message_reference") or {}).get("message_id")
        for message in await xiaoming.messages(study_channel)
    ]
    assert talk["id"] not in replied


async def test_a_recipe_gets_silence(xiaoming: Learner, study_channel: str) -> None:
    await xiaoming.say("红烧肉怎么做", study_channel)
    question = await xiaoming.say("训练集准确率很高但是测试集很差怎么回事", study_channel)
    await xiaoming.wait_for_answer(question, 180)
    answers = [m for m in await xiaoming.messages(study_channel) if "题库里没有" in m["content"]]
    assert answers == []


async def test_the_question_of_the_day_comes_when_the_clock_is_moved(
    xiaoming: Learner, teacher: Learner, study_channel: str
) -> None:
    await teacher.advance(24 * 3600)  # the hour is in there, wherever the day stands now
    posted = await xiaoming.wait_for_message(
        lambda message: any(
            each["custom_id"].startswith("daily:")
            for row in message["components"]
            for each in row["components"]
        ),
        30,
    )
    button = posted["components"][0]["components"][0]["custom_id"]
    await xiaoming.press(posted, button)
    shown = await xiaoming.wait_for_message(lambda m: bool(m["flags"] & 64), 20)
    assert shown["content"].startswith("### ")
    await asyncio.sleep(1.5)
    daily = [m for m in await xiaoming.messages(study_channel) if "daily:" in str(m["components"])]
    assert len(daily) == 1

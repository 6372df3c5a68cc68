import re

import pytest
from simcord import Env
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle

from bot.client import TutorBot
from bot.store.testing import MemoryStore
from bot.testing import FakeRetriever, answered, refused, unsure
from knowledge.bank import Bank
from knowledge.entry import Entry
from knowledge.errors import EncoderError
from tests.features.conftest import buttons


@pytest.fixture
def channel(env: Env) -> ChannelHandle:
    return env.create_guild().create_text_channel("general")


@pytest.fixture
def learner(env: Env, channel: ChannelHandle) -> MemberActor:
    assert channel.guild is env.guild
    return env.guild.add_member(env.create_user("xiaoming"))


async def test_ask_answers_with_the_question_quoted(
    learner: MemberActor, channel: ChannelHandle, retriever: FakeRetriever, overfitting: Entry
) -> None:
    retriever.outcomes["测试集很差怎么回事"] = answered(overfitting)
    result = await learner.slash(channel, "ask", question="测试集很差怎么回事")
    assert result.response is not None
    content = result.response.content
    assert content.startswith("> 测试集很差怎么回事\n")
    assert "**什么是过拟合？的一句话。**" in content
    assert "```python\nmodel.add(Dropout(0.5))\n```" in content
    assert not result.ephemeral


async def test_answer_carries_buttons_for_more_code_run_and_related(
    learner: MemberActor, channel: ChannelHandle, retriever: FakeRetriever, overfitting: Entry
) -> None:
    retriever.outcomes["过拟合"] = answered(overfitting)
    await learner.slash(channel, "ask", question="过拟合")
    assert channel.last_message is not None
    assert buttons(channel.last_message) == [
        "more:overfitting:zh",
        "code:overfitting:zh",
        "run:tensorflow-overfitting:zh",
        "show:dropout:zh",
        "show:early-stopping:zh",
    ]


async def test_mention_is_answered_in_the_language_of_the_question(
    learner: MemberActor,
    channel: ChannelHandle,
    retriever: FakeRetriever,
    overfitting: Entry,
    simcord_bot: TutorBot,
) -> None:
    assert simcord_bot.user is not None
    retriever.outcomes["why is my test score so poor"] = answered(overfitting)
    await learner.send(channel, f"{simcord_bot.user.mention} why is my test score so poor")
    assert channel.last_message is not None
    assert "**What is overfitting? in a sentence.**" in channel.last_message.content
    assert channel.last_message.reference is not None


async def test_direct_message_needs_no_mention(
    env: Env, retriever: FakeRetriever, overfitting: Entry
) -> None:
    user = env.create_user("alice")
    retriever.outcomes["模型背题了"] = answered(overfitting)
    await user.send_dm("模型背题了")
    assert user.dm_channel.last_message is not None
    assert "什么是过拟合？" in user.dm_channel.last_message.content


async def test_unaddressed_message_gets_nothing(
    learner: MemberActor, channel: ChannelHandle, retriever: FakeRetriever
) -> None:
    await learner.send(channel, "过拟合怎么办")
    assert retriever.asked == []
    assert len(channel.history()) == 1


async def test_bare_mention_says_how_to_ask_in_both_languages(
    learner: MemberActor, channel: ChannelHandle, simcord_bot: TutorBot
) -> None:
    assert simcord_bot.user is not None
    await learner.send(channel, simcord_bot.user.mention)
    assert channel.last_message is not None
    assert "我是学伴" in channel.last_message.content
    assert "I am Xueban" in channel.last_message.content


async def test_doubt_asks_back_and_a_press_answers(
    learner: MemberActor, channel: ChannelHandle, retriever: FakeRetriever, bank: Bank
) -> None:
    retriever.outcomes["学习停不下来"] = unsure(*bank.entries[:2])
    await learner.slash(channel, "ask", question="学习停不下来")
    asked_back = channel.last_message
    assert asked_back is not None
    assert "你想问的是哪一个" in asked_back.content
    assert buttons(asked_back) == ["show:overfitting:zh", "show:dropout:zh", "none:zh:0.500"]
    result = await learner.click(asked_back, custom_id="show:dropout:zh")
    assert result.response is not None
    assert "什么是 Dropout？" in result.response.content


async def test_none_of_these_takes_the_buttons_away_and_keeps_the_question(
    learner: MemberActor,
    channel: ChannelHandle,
    retriever: FakeRetriever,
    bank: Bank,
    store: MemoryStore,
) -> None:
    retriever.outcomes["学习停不下来"] = unsure(*bank.entries[:2])
    await learner.slash(channel, "ask", question="学习停不下来")
    assert channel.last_message is not None
    await learner.click(channel.last_message, custom_id="none:zh:0.500")
    assert channel.last_message.components == []
    assert "换个说法" in channel.last_message.content
    assert [miss.text for miss in await store.misses()] == ["学习停不下来"]


async def test_refusal_is_honest_names_the_nearest_and_keeps_the_question(
    learner: MemberActor,
    channel: ChannelHandle,
    retriever: FakeRetriever,
    bank: Bank,
    store: MemoryStore,
) -> None:
    retriever.outcomes["红烧肉怎么做"] = refused(bank.entries[1])
    await learner.slash(channel, "ask", question="红烧肉怎么做")
    message = channel.last_message
    assert message is not None
    assert "题库里没有" in message.content
    assert buttons(message) == ["show:dropout:zh"]
    assert [miss.text for miss in await store.misses()] == ["红烧肉怎么做"]


async def test_more_is_shown_to_the_presser_only(
    learner: MemberActor, channel: ChannelHandle, retriever: FakeRetriever, overfitting: Entry
) -> None:
    retriever.outcomes["过拟合"] = answered(overfitting)
    await learner.slash(channel, "ask", question="过拟合")
    assert channel.last_message is not None
    result = await learner.click(channel.last_message, custom_id="more:overfitting:zh")
    assert result.ephemeral
    assert result.response is not None
    assert "**常见误会**\n- 常见的误会" in result.response.content
    assert "- 要点一" in result.response.content
    assert "Goodfellow" in result.response.content


async def test_buttons_work_after_a_restart(
    env: Env,
    learner: MemberActor,
    channel: ChannelHandle,
    retriever: FakeRetriever,
    overfitting: Entry,
) -> None:
    retriever.outcomes["过拟合"] = answered(overfitting)
    await learner.slash(channel, "ask", question="过拟合")
    before = channel.last_message
    assert before is not None
    await env.restart_bot()
    result = await learner.click(before, custom_id="show:dropout:zh")
    assert result.response is not None
    assert "什么是 Dropout？" in result.response.content


async def test_a_question_waits_with_a_sign_while_the_encoder_loads(
    learner: MemberActor,
    channel: ChannelHandle,
    retriever: FakeRetriever,
    overfitting: Entry,
    env: Env,
) -> None:
    retriever.outcomes["过拟合"] = answered(overfitting)
    retriever.loaded.clear()
    await learner.slash(channel, "ask", question="过拟合")
    assert channel.last_message is not None
    assert channel.last_message.content.startswith("⏳")
    retriever.loaded.set()
    await env.settle()
    assert "什么是过拟合？" in channel.last_message.content


@pytest.mark.simcord(check_errors=False)
async def test_a_failing_bank_is_told_in_plain_words(
    learner: MemberActor, channel: ChannelHandle, retriever: FakeRetriever
) -> None:
    retriever.error = EncoderError("weights are damaged")
    result = await learner.slash(channel, "ask", question="过拟合")
    assert result.response is not None
    assert result.response.content.startswith("The question bank is not available")
    assert "weights" not in result.response.content


@pytest.mark.simcord(check_errors=False)
async def test_an_unknown_error_gets_a_reference_that_the_log_holds(
    learner: MemberActor,
    channel: ChannelHandle,
    retriever: FakeRetriever,
    caplog: pytest.LogCaptureFixture,
) -> None:
    retriever.error = RuntimeError("secret inside")
    result = await learner.slash(channel, "ask", question="过拟合")
    assert result.response is not None
    told = result.response.content
    reference = re.search(r"`([0-9a-f]{8})`", told)
    assert reference is not None
    assert "secret" not in told
    assert reference[1] in caplog.text


async def test_a_question_cannot_ping_or_format(
    learner: MemberActor, channel: ChannelHandle, env: Env
) -> None:
    await learner.slash(channel, "ask", question="@everyone **你好** `x`")
    assert channel.last_message is not None
    assert channel.last_message.content.startswith("> @\u200beveryone \\*\\*你好\\*\\*")
    assert not channel.last_message.mention_everyone
    sent = [r.json for r in env.http_requests if r.method in ("POST", "PATCH") and r.json]
    assert all(
        body["allowed_mentions"]["parse"] == [] for body in sent if "allowed_mentions" in body
    )


async def test_question_completion_offers_the_banks_questions(
    learner: MemberActor, channel: ChannelHandle
) -> None:
    choices = await learner.autocomplete(channel, "ask", "question", "dropout")
    assert [choice["value"] for choice in choices] == ["What is dropout?"]
    choices = await learner.autocomplete(channel, "ask", "question", "过拟")
    assert [choice["value"] for choice in choices] == ["什么是过拟合？"]


async def test_a_long_answer_comes_in_parts_with_the_buttons_under_the_last(
    learner: MemberActor, channel: ChannelHandle, retriever: FakeRetriever
) -> None:
    entry = retriever.bank_of(None).entries[2]
    retriever.outcomes["过拟合"] = answered(entry)
    await learner.slash(channel, "ask", question="过拟合")
    messages = channel.history()
    assert len(messages) == 3
    assert [bool(message.components) for message in messages] == [False, False, True]
    assert all(len(message.content) <= 2000 for message in messages)


async def test_commands_are_synced_once_and_again_only_when_they_change(
    env: Env, store: MemoryStore
) -> None:
    def syncs() -> int:
        return sum(r.method == "PUT" and r.path.endswith("/commands") for r in env.http_requests)

    before = syncs()
    assert await store.note("commands-synced") is not None
    await env.restart_bot()
    assert syncs() == before
    await store.set_note("commands-synced", "another")
    await env.restart_bot()
    assert syncs() == before + 1

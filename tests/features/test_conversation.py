"""Conversations: follow-ups, thanks and side talk, however they reach the tutor."""

from dataclasses import dataclass

import discord
import pytest
from simcord import Env
from simcord.actors import MemberActor
from simcord.backend.models.message import AllowedMentions
from simcord.builders import ChannelHandle

from bot.client import TutorBot
from bot.store.testing import MemoryStore
from bot.testing import FakeRetriever, answered, compared, refused, silent, unsure
from bot.under_discussion import FRESH
from knowledge.aspect import Aspect
from knowledge.bank import Bank
from knowledge.entry import Entry
from tests.features.conftest import buttons


@dataclass(frozen=True)
class Talk:
    """A learner in a channel, who mentions the tutor."""

    env: Env
    channel: ChannelHandle
    learner: MemberActor
    mention: str

    @property
    def last(self) -> discord.Message:
        assert self.channel.last_message is not None
        return self.channel.last_message

    async def say(self, *texts: str) -> discord.Message:
        """Put ``texts`` to the tutor, and give the last message of the channel."""
        for text in texts:
            await self.learner.send(self.channel, f"{self.mention} {text}")
        return self.last


@pytest.fixture
def talk(env: Env, simcord_bot: TutorBot) -> Talk:
    guild = env.create_guild()
    learner = guild.add_member(env.create_user("xiaoming"))
    assert simcord_bot.user is not None
    return Talk(env, guild.create_text_channel("general"), learner, simcord_bot.user.mention)


def conversations(retriever: FakeRetriever) -> list[tuple[str, ...]]:
    return [query.conversation for query in retriever.asked]


@pytest.mark.parametrize(
    ("aspect", "expected"),
    [
        (Aspect.WHY, "解释在这里。"),
        (Aspect.EXAMPLE, "```python\nmodel.add(Dropout(0.5))\n```"),
        (Aspect.CODE, "```python\nmodel.add(Dropout(0.5))\n```"),
        (Aspect.RUN, "可以当场跑"),
        (Aspect.SIMPLER, "**什么是过拟合？的一句话。**\n\n- 要点一"),
        (Aspect.MORE, "**常见误会**\n- 常见的误会"),
    ],
)
async def test_a_follow_up_gets_the_side_it_asks_for(
    talk: Talk,
    retriever: FakeRetriever,
    overfitting: Entry,
    aspect: Aspect,
    expected: str,
) -> None:
    retriever.outcomes |= {
        "什么是过拟合": answered(overfitting),
        "接着问": answered(overfitting, aspect=aspect),
    }
    await talk.say("什么是过拟合")
    await talk.say("接着问")
    answer = talk.last
    assert answer.content.startswith("### 什么是过拟合？\n")
    assert expected in answer.content
    assert "run:tensorflow-overfitting:zh" in buttons(answer)
    assert conversations(retriever) == [(), ("什么是过拟合",)]


async def test_a_run_of_what_cannot_run_is_said_not_to_exist(
    talk: Talk,
    retriever: FakeRetriever,
    dropout: Entry,
) -> None:
    retriever.outcomes["能跑吗"] = answered(dropout, aspect=Aspect.RUN)
    await talk.say("能跑吗")
    assert "没有能当场跑的例子" in talk.last.content
    assert not any(each.startswith("run:") for each in buttons(talk.last))


async def test_a_comparison_shows_both_with_a_button_for_each(
    talk: Talk,
    retriever: FakeRetriever,
    bank: Bank,
) -> None:
    first, second, _ = bank.entries
    retriever.outcomes["和 dropout 有什么区别"] = compared(first, second)
    await talk.say("和 dropout 有什么区别")
    content = talk.last.content
    assert content.index("### 什么是过拟合？") < content.index("### 什么是 Dropout？")
    assert content.count("- 要点二") == 2
    assert buttons(talk.last) == ["show:overfitting:zh", "show:dropout:zh"]


async def test_a_new_question_is_put_after_the_ones_before(
    talk: Talk,
    retriever: FakeRetriever,
    bank: Bank,
) -> None:
    first, second, _ = bank.entries
    retriever.outcomes |= {
        "什么是过拟合": answered(first),
        "为什么": answered(first, aspect=Aspect.WHY),
        "什么是 dropout": answered(second),
        "有代码吗": answered(second, aspect=Aspect.CODE),
    }
    for text in retriever.outcomes:
        await talk.say(text)
    assert talk.last.content.startswith("### 什么是 Dropout？")
    assert conversations(retriever)[2:] == [
        ("什么是过拟合",),
        ("什么是过拟合", "什么是 dropout"),
    ]


async def test_thanks_get_a_sign_and_no_answer(
    talk: Talk,
    retriever: FakeRetriever,
    store: MemoryStore,
) -> None:
    retriever.outcomes["谢谢"] = silent(thanks=True)
    await talk.say("谢谢")
    (message,) = talk.channel.history()
    assert [str(reaction.emoji) for reaction in message.reactions] == ["😊"]
    assert await store.misses() == ()


async def test_side_talk_gets_nothing(talk: Talk, retriever: FakeRetriever) -> None:
    retriever.outcomes["哈哈哈"] = silent()
    await talk.say("哈哈哈")
    (message,) = talk.channel.history()
    assert message.reactions == []


async def test_a_sign_is_left_out_where_the_bot_may_give_none(
    talk: Talk, retriever: FakeRetriever
) -> None:
    closed = discord.PermissionOverwrite(add_reactions=False)
    assert talk.env.bot.user is not None
    quiet = talk.env.guild.create_text_channel("quiet", overwrites={talk.env.bot.user: closed})
    retriever.outcomes["谢谢"] = silent(thanks=True)
    await talk.learner.send(quiet, f"{talk.mention} 谢谢")
    (message,) = quiet.history()
    assert message.reactions == []


async def test_a_waiting_sign_goes_when_there_is_nothing_to_answer(
    talk: Talk,
    retriever: FakeRetriever,
) -> None:
    retriever.outcomes["谢谢"] = silent(thanks=True)
    retriever.loaded.clear()
    await talk.say("谢谢")
    assert talk.last.content.startswith("⏳")
    retriever.loaded.set()
    await talk.env.settle()
    assert len(talk.channel.history()) == 1


async def test_a_command_cannot_be_silent(talk: Talk, retriever: FakeRetriever) -> None:
    retriever.outcomes["谢谢"] = silent(thanks=True)
    result = await talk.learner.slash(talk.channel, "ask", question="谢谢")
    assert result.response is not None
    assert "不客气" in result.response.content


async def test_the_command_and_direct_messages_have_conversations_too(
    talk: Talk,
    retriever: FakeRetriever,
    overfitting: Entry,
) -> None:
    retriever.outcomes |= {
        "什么是过拟合": answered(overfitting),
        "code?": answered(overfitting, aspect=Aspect.CODE),
    }
    await talk.learner.slash(talk.channel, "ask", question="什么是过拟合")
    result = await talk.learner.slash(talk.channel, "ask", question="code?")
    assert result.response is not None
    assert "### 什么是过拟合？\n\n```python" in result.response.content
    user = talk.env.create_user("alice")
    await user.send_dm("什么是过拟合")
    await user.send_dm("code?")
    assert user.dm_channel.last_message is not None
    assert user.dm_channel.last_message.content.startswith("### 什么是过拟合？\n\n```python")
    assert conversations(retriever) == [(), ("什么是过拟合",)] * 2


async def test_conversations_of_others_and_old_ones_do_not_count(
    talk: Talk,
    retriever: FakeRetriever,
    overfitting: Entry,
) -> None:
    retriever.outcomes["什么是过拟合"] = answered(overfitting)
    other = talk.env.guild.add_member(talk.env.create_user("laowang"))
    await talk.say("什么是过拟合")
    await other.send(talk.channel, f"{talk.mention} 为什么")
    await talk.env.advance_time(FRESH.total_seconds() + 1)
    await talk.say("为什么")
    assert conversations(retriever) == [(), (), ()]


async def test_after_a_refusal_there_is_nothing_to_ask_on_about(
    talk: Talk,
    retriever: FakeRetriever,
    overfitting: Entry,
) -> None:
    retriever.outcomes |= {"什么是过拟合": answered(overfitting), "红烧肉": refused()}
    for text in ("什么是过拟合", "红烧肉", "为什么"):
        await talk.say(text)
    assert conversations(retriever) == [(), ("什么是过拟合",), ()]


async def test_the_entry_that_was_meant_is_under_discussion(
    talk: Talk,
    retriever: FakeRetriever,
    bank: Bank,
) -> None:
    retriever.outcomes["学习停不下来"] = unsure(*bank.entries[:2])
    await talk.say("学习停不下来")
    await talk.learner.click(talk.last, custom_id="show:dropout:zh")
    await talk.say("为什么")
    assert conversations(retriever)[-1] == ("学习停不下来", "什么是 Dropout？")


async def test_a_reply_to_an_answer_is_addressed_and_about_its_entry(
    talk: Talk,
    retriever: FakeRetriever,
    bank: Bank,
) -> None:
    first, second, _ = bank.entries
    retriever.outcomes |= {
        "什么是过拟合": answered(first),
        "什么是 dropout": answered(second),
        "为什么": answered(first, aspect=Aspect.WHY),
    }
    await talk.say("什么是过拟合")
    about = talk.last
    await talk.say("什么是 dropout")
    other = talk.env.guild.add_member(talk.env.create_user("laowang"))
    talk.env.backend.create_message(  # a reply with its ping turned off
        talk.channel.id,
        other.id,
        "为什么",
        reference={"channel_id": str(talk.channel.id), "message_id": str(about.id)},
        allowed_mentions=AllowedMentions(replied_user=False),
    )
    await talk.env.settle()
    assert talk.last.content.startswith("### 什么是过拟合？\n解释在这里。")
    await talk.learner.send(talk.channel, "为什么", reply_to=about)
    assert conversations(retriever)[-2:] == [
        ("什么是过拟合？",),
        ("什么是过拟合", "什么是 dropout", "什么是过拟合？"),
    ]

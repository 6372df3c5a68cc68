"""Study channels, driven by staff and learners in a simulated Discord."""

import logging
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord.interactions
from simcord import Env
from simcord.actors import MemberActor
from simcord.backend.models.message import AllowedMentions
from simcord.builders import ChannelHandle

from bot.client import TutorBot, create_bot
from bot.services import Services
from bot.settings import Settings
from bot.store.records import DailyQuestion, StudyChannel
from bot.store.testing import MemoryStore
from bot.testing import FakeRetriever, answered, refused, unsure
from knowledge.aspect import Aspect
from knowledge.bank import Bank
from knowledge.entry import Entry
from knowledge.errors import EncoderError
from knowledge.language import Bilingual, Language
from tests.features.conftest import buttons, last

pytestmark = pytest.mark.simcord(shard_count=1)

HOUR = 3600.0
TODAY = date(2026, 1, 1)
# The simulated Discord starts here: 8:00 in Shanghai, an hour before the daily question.
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, tick_seconds=60)


@dataclass(frozen=True)
class Group:
    """A study group: a server with a channel, somebody of its staff and a learner."""

    env: Env
    channel: ChannelHandle
    staff: MemberActor
    learner: MemberActor


@pytest.fixture
def group(env: Env) -> Group:
    guild = env.create_guild()
    channel = guild.create_text_channel("study")
    role = guild.create_role("staff", permissions=discord.Permissions(manage_guild=True))
    staff = guild.add_member(env.create_user("laoshi"), roles=[role])
    return Group(env, channel, staff, guild.add_member(env.create_user("xiaoming")))


@pytest.fixture
def from_chinese_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulated clients speak Chinese; by themselves they all speak English."""
    original = simcord.interactions.base_payload

    def in_chinese(*arguments: Any, **options: Any) -> object:  # noqa: ANN401 - passed on
        record, payload = original(*arguments, **options)
        return record, payload | {"locale": "zh-CN"}

    monkeypatch.setattr(simcord.interactions, "base_payload", in_chinese)


async def begin(staff: MemberActor, channel: ChannelHandle, **options: str | int) -> str:
    """Make ``channel`` a study channel, and give back what was said to it."""
    result = await staff.slash(channel, "study start", **options)
    assert result.response is not None
    return result.response.content


def daily_messages(channel: ChannelHandle) -> list[discord.Message]:
    return [message for message in channel.history() if "Question of the day" in message.content]


# Starting and stopping


async def test_staff_start_a_study_channel(group: Group, store: MemoryStore) -> None:
    said = await begin(group.staff, group.channel)
    assert await store.study_channels() == (
        StudyChannel(
            group.channel.id,
            group.staff.guild.id,
            9,
            "Asia/Shanghai",
            Language.EN,
            group.staff.id,
            START,
        ),
    )
    first = int(START.timestamp()) + 3600
    assert said.splitlines() == [
        f"✅ <#{group.channel.id}> is a study channel now.",
        (
            "- Every day at 9:00 (Asia/Shanghai) a question comes, in English, its answer behind a "
            "button."
        ),
        f"- The next one: <t:{first}:f> (<t:{first}:R>)",
        (
            "- Just ask here, without a mention: I answer when I am sure and stay silent "
            "otherwise. Mention me or use `/ask`, and you always get a reply."
        ),
        "- `/study stop` ends it.",
    ]


async def test_hour_zone_and_language_are_the_staffs_to_choose(
    group: Group, store: MemoryStore
) -> None:
    await begin(group.staff, group.channel)
    said = await begin(group.staff, group.channel, hour=0, timezone="europe/berlin", language="zh")
    assert "0:00 (Europe/Berlin)" in said
    assert "in Chinese" in said
    (kept,) = await store.study_channels()
    assert (kept.hour, kept.timezone, kept.language) == (0, "Europe/Berlin", Language.ZH)


@pytest.mark.usefixtures("from_chinese_clients")
async def test_a_chinese_client_is_told_in_chinese(group: Group) -> None:
    said = await begin(group.staff, group.channel)
    assert said.startswith(
        f"✅ <#{group.channel.id}> 现在是学习频道。\n- 每天 9:00（Asia/Shanghai）"
    )
    stopped = await group.staff.slash(group.channel, "study stop")
    assert stopped.response is not None
    assert "不再是学习频道" in stopped.response.content


async def test_a_zone_that_does_not_exist_changes_nothing(group: Group, store: MemoryStore) -> None:
    result = await group.staff.slash(group.channel, "study start", timezone="Mars/`Olympus`")
    assert result.ephemeral
    assert result.response is not None
    assert "no time zone “Mars/'Olympus'”" in result.response.content
    assert "`Asia/Shanghai`" in result.response.content
    assert await store.study_channels() == ()


async def test_zones_are_completed_from_names_and_cities(group: Group) -> None:
    found = await group.staff.autocomplete(group.channel, "study start", "timezone", "北京")
    assert found == [{"name": "Asia/Shanghai", "value": "Asia/Shanghai"}]
    assert len(await group.staff.autocomplete(group.channel, "study start", "timezone", "")) == 25


@pytest.mark.parametrize("command", ["study start", "study stop"])
async def test_learners_may_neither_start_nor_stop(
    command: str, group: Group, store: MemoryStore, simcord_bot: TutorBot
) -> None:
    assert "study start" not in group.learner.available_commands(group.channel)
    assert "study start" in group.staff.available_commands(group.channel)
    await begin(group.staff, group.channel)
    before = await store.study_channels()
    # A server may open a staff command to everybody; the bot checks again.
    (study,) = (each for each in await simcord_bot.tree.fetch_commands() if each.name == "study")
    group.env.guild.set_command_permissions(study, {group.env.guild.default_role: True})
    result = await group.learner.slash(group.channel, command)
    assert result.ephemeral
    assert result.response is not None
    assert result.response.content == "Only the staff may use this command."
    assert await store.study_channels() == before
    assert [type(error) for error in group.env.errors] == [discord.app_commands.MissingPermissions]


async def test_only_a_text_channel_can_be_one(
    group: Group, store: MemoryStore, simcord_bot: TutorBot
) -> None:
    thread = await open_thread(group.env, simcord_bot, group.channel)
    voice = group.env.guild.create_voice_channel("voice")
    for place in (thread, voice):
        for command in ("study start", "study stop"):
            result = await group.staff.slash(place, command)
            assert result.ephemeral
            assert result.response is not None
            assert "Only a server's text channel" in result.response.content
    assert await store.study_channels() == ()


async def test_stopping_ends_answers_and_questions(
    group: Group, store: MemoryStore, retriever: FakeRetriever, overfitting: Entry
) -> None:
    retriever.outcomes["什么是过拟合"] = answered(overfitting)
    await begin(group.staff, group.channel)
    stopped = await group.staff.slash(group.channel, "study stop")
    assert stopped.response is not None
    assert "no study channel any more" in stopped.response.content
    assert await store.study_channels() == ()
    await group.learner.send(group.channel, "什么是过拟合")
    await group.env.advance_time(30 * HOUR)
    assert last(group.channel).content == "什么是过拟合"
    assert retriever.asked == []
    again = await group.staff.slash(group.channel, "study stop")
    assert again.response is not None
    assert "was no study channel" in again.response.content


async def test_missing_permissions_are_named_at_the_start(
    group: Group, simcord_bot: TutorBot, store: MemoryStore
) -> None:
    assert simcord_bot.user is not None
    closed = discord.PermissionOverwrite(send_messages=False, read_message_history=False)
    quiet = group.env.guild.create_text_channel("quiet", overwrites={simcord_bot.user: closed})
    said = await begin(group.staff, quiet)
    assert "I lack the permission to: send messages, read the message history." in said
    assert len(await store.study_channels()) == 1


@pytest.mark.usefixtures("env")
async def test_commands_carry_their_chinese(simcord_bot: TutorBot) -> None:
    (study,) = (each for each in await simcord_bot.tree.fetch_commands() if each.name == "study")
    chinese = (discord.Locale.chinese, discord.Locale.taiwan_chinese)
    assert study.description_localizations == dict.fromkeys(chinese, "把这个频道变成学习频道")
    assert study.default_member_permissions == discord.Permissions(manage_guild=True)
    start = study.options[0]
    assert isinstance(start, discord.app_commands.AppCommandGroup)
    assert start.description_localizations[discord.Locale.taiwan_chinese].startswith("每天一道题")
    assert [each.name for each in start.options] == ["hour", "timezone", "language"]


class TestWithoutMessageContent:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        return Settings(data_dir=tmp_path, tick_seconds=60, message_content=False)

    async def test_the_missing_intent_is_said_and_the_daily_question_still_comes(
        self, group: Group, retriever: FakeRetriever
    ) -> None:
        said = await begin(group.staff, group.channel)
        assert "Message Content Intent" in said
        assert "Just ask here" not in said
        await group.learner.send(group.channel, "什么是过拟合")
        assert retriever.asked == []
        await group.env.advance_time(HOUR)
        (daily,) = daily_messages(group.channel)
        assert "mention me or use `/ask`" in daily.content


# Questions to nobody in particular


async def open_thread(env: Env, bot: TutorBot, channel: ChannelHandle) -> ChannelHandle:
    place = bot.get_channel(channel.id)
    assert isinstance(place, discord.TextChannel)
    await place.create_thread(name="thread", type=discord.ChannelType.public_thread)
    await env.settle()
    return channel.threads[0]


async def test_a_sure_question_is_answered_by_a_reply_that_pings_nobody(
    group: Group, retriever: FakeRetriever, overfitting: Entry
) -> None:
    retriever.outcomes["为什么验证集 loss 先降后升"] = answered(overfitting)
    await begin(group.staff, group.channel)
    question = await group.learner.send(group.channel, " 为什么验证集 loss 先降后升\n")
    answer = last(group.channel)
    assert answer.content.startswith("### 什么是过拟合？\n**什么是过拟合？的一句话。**")
    assert answer.reference is not None
    assert answer.reference.message_id == question.id
    assert answer.mentions == []
    assert buttons(answer)[:2] == ["more:overfitting:zh", "code:overfitting:zh"]
    (query,) = retriever.asked
    assert (query.text, query.guild, query.addressed) == (
        "为什么验证集 loss 先降后升",
        group.staff.guild.id,
        False,
    )


async def test_a_bare_term_is_answered_in_the_channels_language(
    group: Group, retriever: FakeRetriever, overfitting: Entry
) -> None:
    retriever.outcomes |= {
        "overfitting": answered(overfitting),
        "what is overfitting and why does it happen": answered(overfitting),
    }
    await begin(group.staff, group.channel, language="zh")
    await group.learner.send(group.channel, "overfitting")
    assert last(group.channel).content.startswith("### 什么是过拟合？")
    await group.learner.send(group.channel, "what is overfitting and why does it happen")
    assert last(group.channel).content.startswith("### What is overfitting?")


async def test_a_clear_follow_up_is_answered_while_nobody_else_speaks(
    group: Group, retriever: FakeRetriever, overfitting: Entry
) -> None:
    retriever.outcomes |= {
        "什么是过拟合": answered(overfitting),
        "有代码吗": answered(overfitting, aspect=Aspect.CODE),
    }
    await begin(group.staff, group.channel)
    await group.learner.send(group.channel, "什么是过拟合")
    await group.learner.send(group.channel, "有代码吗")
    assert last(group.channel).content.startswith("### 什么是过拟合？\n\n```python")
    await group.staff.send(group.channel, "有代码吗")
    await group.learner.send(group.channel, "有代码吗")
    assert [query.conversation for query in retriever.asked] == [(), ("什么是过拟合",), (), ()]


async def test_everything_else_is_met_with_silence(
    group: Group, retriever: FakeRetriever, store: MemoryStore, overfitting: Entry
) -> None:
    retriever.outcomes |= {"过拟合吗": unsure(overfitting), "天气": refused(overfitting)}
    await begin(group.staff, group.channel)
    requests = len(group.env.http_requests)
    for text in ("哈哈 周五聚餐吗", "过拟合吗", "天气"):
        await group.learner.send(group.channel, text)
        assert last(group.channel).content == text
    assert [query.text for query in retriever.asked] == ["哈哈 周五聚餐吗", "过拟合吗", "天气"]
    assert len(group.env.http_requests) == requests  # not even typing
    assert await store.misses() == ()


async def test_what_is_said_to_somebody_is_not_asked(
    group: Group, retriever: FakeRetriever
) -> None:
    await begin(group.staff, group.channel)
    first = await group.learner.send(group.channel, "early")
    retriever.asked.clear()
    robot = group.env.guild.add_member(group.env.create_user("robot", bot=True))
    role = group.env.guild.create_role("everybody-here")
    loud = discord.Permissions(mention_everyone=True)
    caller = group.env.guild.add_member(
        group.env.create_user("caller"),
        roles=[group.env.guild.create_role("loud", permissions=loud)],
    )
    await group.staff.send(group.channel, "为什么", reply_to=first)
    group.env.backend.create_message(  # a reply with its ping turned off
        group.channel.id,
        group.staff.id,
        "为什么",
        reference={"channel_id": str(group.channel.id), "message_id": str(first.id)},
        allowed_mentions=AllowedMentions(replied_user=False),
    )
    await group.env.settle()
    await group.staff.send(group.channel, f"{group.learner.mention} 为什么")
    await group.staff.send(group.channel, f"{role.mention} 为什么")
    await caller.send(group.channel, "@everyone 为什么")
    await robot.send(group.channel, "为什么")
    await group.env.guild.create_webhook(group.channel, "hook").send("为什么")
    await group.staff.send(group.channel, "/ask 为什么")
    await group.staff.send(group.channel, "!play 为什么")
    await group.staff.send(group.channel, "", attachments=[("loss.png", b"png")])
    assert retriever.asked == []


async def test_what_only_looks_like_a_command_is_asked(
    group: Group, retriever: FakeRetriever
) -> None:
    await begin(group.staff, group.channel)
    texts = [
        "/usr/lib/libcudnn.so 找不到",
        "$L_2$ 正则化是什么",
        ".to(device) 有什么用",
        "！怎么办",
    ]
    for text in texts:
        await group.learner.send(group.channel, text)
    assert [query.text for query in retriever.asked] == texts


async def test_an_addressed_question_gets_one_answer(
    group: Group, retriever: FakeRetriever, overfitting: Entry, simcord_bot: TutorBot
) -> None:
    assert simcord_bot.user is not None
    retriever.outcomes["什么是过拟合"] = answered(overfitting)
    await begin(group.staff, group.channel)
    await group.learner.send(group.channel, f"{simcord_bot.user.mention} 什么是过拟合")
    assert [query.addressed for query in retriever.asked] == [True]
    assert len([each for each in group.channel.history() if each.content.startswith("###")]) == 1


async def test_other_channels_are_left_alone(group: Group, retriever: FakeRetriever) -> None:
    await begin(group.staff, group.channel)
    await group.learner.send(group.env.guild.create_text_channel("general"), "什么是过拟合")
    assert retriever.asked == []


async def test_threads_of_a_study_channel_belong_to_it(
    group: Group, retriever: FakeRetriever, overfitting: Entry, simcord_bot: TutorBot
) -> None:
    retriever.outcomes["什么是过拟合"] = answered(overfitting)
    await begin(group.staff, group.channel)
    thread = await open_thread(group.env, simcord_bot, group.channel)
    await group.learner.send(thread, "什么是过拟合")
    assert last(thread).content.startswith("### 什么是过拟合？")


async def test_unaddressed_questions_wait_quietly_for_the_encoder(
    group: Group, retriever: FakeRetriever, overfitting: Entry
) -> None:
    retriever.outcomes["什么是过拟合"] = answered(overfitting)
    await begin(group.staff, group.channel)
    retriever.loaded.clear()
    await group.learner.send(group.channel, "什么是过拟合")
    await group.learner.send(group.channel, "哈哈")
    assert last(group.channel).content == "哈哈"
    retriever.loaded.set()
    await group.env.settle()
    assert last(group.channel).content.startswith("### 什么是过拟合？")


async def test_a_question_deleted_meanwhile_is_answered_to_the_room(
    group: Group, retriever: FakeRetriever, overfitting: Entry
) -> None:
    retriever.outcomes["什么是过拟合"] = answered(overfitting)
    await begin(group.staff, group.channel)
    retriever.loaded.clear()
    question = await group.learner.send(group.channel, "什么是过拟合")
    await group.learner.delete(question)
    retriever.loaded.set()
    await group.env.settle()
    assert last(group.channel).content.startswith("### 什么是过拟合？")


async def test_a_failing_bank_is_silent_where_nobody_asked_it(
    group: Group, retriever: FakeRetriever, caplog: pytest.LogCaptureFixture
) -> None:
    await begin(group.staff, group.channel)
    retriever.error = EncoderError()
    await group.learner.send(group.channel, "什么是过拟合")
    assert last(group.channel).content == "什么是过拟合"
    assert [type(error) for error in group.env.errors] == [EncoderError]
    assert "on_message" in caplog.text


async def test_where_the_bot_may_not_write_it_does_not_even_look(
    group: Group, retriever: FakeRetriever, simcord_bot: TutorBot
) -> None:
    assert simcord_bot.user is not None
    closed = discord.PermissionOverwrite(send_messages=False)
    quiet = group.env.guild.create_text_channel("quiet", overwrites={simcord_bot.user: closed})
    await begin(group.staff, quiet)
    await group.learner.send(quiet, "什么是过拟合")
    assert retriever.asked == []


# The question of the day


async def test_the_daily_question_comes_at_its_hour_with_a_button(
    group: Group, store: MemoryStore
) -> None:
    await begin(group.staff, group.channel)
    await group.env.advance_time(HOUR - 120)
    assert daily_messages(group.channel) == []
    await group.env.advance_time(120)
    (message,) = daily_messages(group.channel)
    (kept,) = await store.daily_questions(group.channel.id)
    assert kept == DailyQuestion(group.channel.id, TODAY, kept.entry, message.id)
    assert buttons(message) == [f"daily:{kept.entry}"]
    assert "just ask here" in message.content


async def test_one_question_a_day_and_none_again_until_all_were_asked(
    group: Group, store: MemoryStore, bank: Bank
) -> None:
    await begin(group.staff, group.channel)
    for _ in range(4 * 24):
        await group.env.advance_time(HOUR)
    asked = await store.daily_questions(group.channel.id)
    assert [question.day for question in asked] == [
        TODAY + timedelta(days=number) for number in range(4)
    ]
    entries = [question.entry for question in asked]
    assert sorted(entries[:3]) == sorted(entry.id for entry in bank.entries)
    assert entries[3] == entries[0]
    assert [message.id for message in daily_messages(group.channel)] == [
        question.message_id for question in asked
    ]


async def test_started_after_its_hour_the_first_question_is_tomorrows(group: Group) -> None:
    said = await begin(group.staff, group.channel, hour=7)
    tomorrow = int((START + timedelta(hours=23)).timestamp())
    assert f"<t:{tomorrow}:f>" in said
    await group.env.advance_time(22 * HOUR)
    assert daily_messages(group.channel) == []
    await group.env.advance_time(HOUR)
    assert len(daily_messages(group.channel)) == 1


async def test_a_bot_that_was_off_at_the_hour_asks_when_it_is_back(
    group: Group, store: MemoryStore, services: Services, settings: Settings
) -> None:
    # Started yesterday by a process that has ended since.
    await store.start_study(
        StudyChannel(
            group.channel.id,
            group.env.guild.id,
            2,
            "UTC",
            Language.ZH,
            1,
            START - timedelta(days=1),
        )
    )
    await group.env.advance_time(5 * HOUR)
    assert len(group.channel.history()) == 0
    await group.env.restart_bot(create_bot(settings, services))
    await group.env.advance_time(60)
    assert last(group.channel).content.startswith("### 📅 今日一题\n**")
    assert "直接在这里问" in last(group.channel).content


async def test_another_learner_sees_the_answer_alone_also_after_a_restart(
    group: Group, store: MemoryStore, bank: Bank, services: Services, settings: Settings
) -> None:
    await begin(group.staff, group.channel)
    await group.env.advance_time(HOUR)
    (message,) = daily_messages(group.channel)
    (kept,) = await store.daily_questions(group.channel.id)
    entry = bank.entry(kept.entry)
    assert entry is not None
    seen = len(group.channel.history(viewer=group.staff))
    await group.env.restart_bot(create_bot(settings, services))
    await group.env.advance_time(HOUR)
    assert len(daily_messages(group.channel)) == 1
    result = await group.learner.click(message, custom_id=f"daily:{entry.id}")
    assert result.ephemeral
    assert result.response is not None
    assert entry.answer_en.summary in result.response.content
    assert len(group.channel.history(viewer=group.staff)) == seen


@pytest.mark.usefixtures("from_chinese_clients")
async def test_the_answer_is_in_the_pressers_language(group: Group) -> None:
    await begin(group.staff, group.channel, language="en")
    await group.env.advance_time(HOUR)
    (message,) = daily_messages(group.channel)
    (custom_id,) = buttons(message)
    result = await group.learner.click(message, custom_id=custom_id)
    assert result.response is not None
    assert "的一句话。" in result.response.content


async def test_an_answer_that_left_the_bank_is_said_to_be_gone(
    group: Group, services: Services, settings: Settings
) -> None:
    await begin(group.staff, group.channel)
    await group.env.advance_time(HOUR)
    (message,) = daily_messages(group.channel)
    (custom_id,) = buttons(message)
    smaller = replace(services, retriever=FakeRetriever(Bank(())))
    await group.env.restart_bot(create_bot(settings, smaller))
    result = await group.learner.click(message, custom_id=custom_id)
    assert result.ephemeral
    assert result.response is not None
    assert result.response.content


async def test_text_of_the_bank_mentions_nobody(
    group: Group, bank: Bank, services: Services, settings: Settings
) -> None:
    rude = tuple(
        replace(entry, question=Bilingual(f"@everyone <@{group.learner.id}> 在吗", "@here?"))
        for entry in bank.entries
    )
    changed = replace(services, retriever=FakeRetriever(Bank(rude)))
    await group.env.restart_bot(create_bot(settings, changed))
    await begin(group.staff, group.channel, language="zh")
    await group.env.advance_time(HOUR)
    message = last(group.channel)
    assert f"**@everyone <@{group.learner.id}> 在吗**" in message.content
    assert not message.mention_everyone
    (sent,) = (
        request.json
        for request in group.env.http_requests
        if isinstance(request.json, dict) and "今日一题" in str(request.json.get("content"))
    )
    assert sent["allowed_mentions"] == {"parse": []}


async def test_a_post_that_failed_is_tried_again_and_posted_once(
    group: Group, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    await begin(group.staff, group.channel)
    group.env.inject_error("POST", f"/channels/{group.channel.id}/messages", status=400, times=1)
    await group.env.advance_time(HOUR)
    (claim,) = await store.daily_questions(group.channel.id)
    assert claim.message_id is None
    assert "has to wait" in caplog.text
    await group.env.advance_time(120)
    (message,) = daily_messages(group.channel)
    assert await store.daily_questions(group.channel.id) == (replace(claim, message_id=message.id),)
    await group.env.advance_time(HOUR)
    assert len(daily_messages(group.channel)) == 1


async def test_a_post_that_was_not_noted_is_found_again(
    group: Group,
    store: MemoryStore,
    services: Services,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def cannot_note(*_: object) -> None:
        raise OSError("the disk is full")

    await begin(group.staff, group.channel)
    with monkeypatch.context() as patched:
        patched.setattr(store, "posted_daily_question", cannot_note)
        await group.env.advance_time(HOUR)
    (message,) = daily_messages(group.channel)
    assert [kept.message_id for kept in await store.daily_questions(group.channel.id)] == [None]
    await group.env.restart_bot(create_bot(settings, services))
    await group.env.advance_time(120)
    assert len(daily_messages(group.channel)) == 1
    assert [kept.message_id for kept in await store.daily_questions(group.channel.id)] == [
        message.id
    ]


async def test_a_store_that_fails_stops_no_tick(
    group: Group, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_answer(*_: object) -> None:
        raise OSError("no answer")

    await begin(group.staff, group.channel)
    with monkeypatch.context() as patched:
        patched.setattr(store, "daily_questions", no_answer)
        await group.env.advance_time(2 * HOUR)
    assert daily_messages(group.channel) == []
    await group.env.advance_time(60)
    assert len(daily_messages(group.channel)) == 1


async def test_a_channel_out_of_reach_is_logged_once_and_hinders_no_other(
    group: Group, store: MemoryStore, simcord_bot: TutorBot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    assert simcord_bot.user is not None
    closed = discord.PermissionOverwrite(send_messages=False)
    quiet = group.env.guild.create_text_channel("quiet", overwrites={simcord_bot.user: closed})
    doomed = group.env.guild.create_text_channel("doomed")
    for place in (quiet, doomed, group.channel):
        await begin(group.staff, place)
    gone = simcord_bot.get_channel(doomed.id)
    assert isinstance(gone, discord.TextChannel)
    await gone.delete()
    await group.env.settle()
    await group.env.advance_time(2 * HOUR)
    assert len(daily_messages(group.channel)) == 1
    told = [record.message for record in caplog.records if "study channel" in record.message]
    assert sorted(told) == sorted(
        [
            f"study channel {quiet.id} does not let the bot write; its daily question waits",
            f"study channel {doomed.id} is gone; its daily question waits",
        ]
    )
    kept = {each.channel_id for each in await store.study_channels()}
    assert kept == {quiet.id, doomed.id, group.channel.id}
    assert await store.daily_questions(quiet.id) == ()
    # The permission comes: so does the question, the same day.
    opened = simcord_bot.get_channel(quiet.id)
    assert isinstance(opened, discord.TextChannel)
    await opened.set_permissions(opened.guild.me, send_messages=True)
    await group.env.advance_time(60)
    assert len(daily_messages(quiet)) == 1


async def test_servers_of_another_process_are_left_to_it(
    group: Group,
    store: MemoryStore,
    services: Services,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    elsewhere = StudyChannel(77, 78, 0, "UTC", Language.ZH, 1, START - timedelta(days=1))
    await store.start_study(elsewhere)
    await group.env.restart_bot(create_bot(settings, services))
    await group.env.advance_time(HOUR)
    assert await store.daily_questions(77) == ()
    assert "77" not in caplog.text

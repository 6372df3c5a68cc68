from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord.interactions
from simcord import Env
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle
from simcord.results import InteractionResult

from bot.client import TutorBot, create_bot
from bot.services import Services
from bot.settings import Settings
from bot.store.testing import MemoryStore
from bot.testing import FakeRetriever, answered, refused, unsure
from knowledge.bank import Bank
from knowledge.language import Language
from runners.errors import QueueFullError, RunnerUnreachableError
from runners.protocol.events import Cancelled, Measured, TimedOut
from runners.protocol.jobs import JobView, Submission
from runners.protocol.words import FailureReason, Text
from runners.testing import MEASURED, FakeRunner

EXAMPLE = "tensorflow-overfitting"
PLOT = b"\x89PNG plot"


@dataclass(frozen=True)
class Group:
    """A server with the learner who runs things, somebody else, and staff."""

    channel: ChannelHandle
    learner: MemberActor
    stranger: MemberActor
    staff: MemberActor

    def card(self, place: int = -1) -> discord.Message:
        cards = [each for each in self.channel.history() if each.content.startswith("### ")]
        return cards[place]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, shards=1, progress_seconds=0)


@pytest.fixture
def group(env: Env) -> Group:
    guild = env.create_guild()
    moderators = guild.create_role(
        "moderators", permissions=discord.Permissions(manage_messages=True)
    )
    return Group(
        guild.create_text_channel("general"),
        guild.add_member(env.create_user("xiaoming")),
        guild.add_member(env.create_user("stranger")),
        guild.add_member(env.create_user("staff"), roles=[moderators]),
    )


@pytest.fixture
def chinese_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """All learners use Discord in Chinese."""
    original: Callable[..., tuple[Any, dict[str, Any]]] = simcord.interactions.base_payload

    def payload(*args: object, **kwargs: object) -> tuple[Any, dict[str, Any]]:
        record, made = original(*args, **kwargs)
        return record, {**made, "locale": "zh-CN"}

    monkeypatch.setattr(simcord.interactions, "base_payload", payload)


@pytest.fixture
def restart(env: Env, settings: Settings, services: Services) -> Callable[[], Awaitable[None]]:
    """Ends the bot's process and starts another one over the same services."""

    async def restarted() -> None:
        await env.restart_bot(create_bot(settings, services))
        await env.settle()

    return restarted


def labels(message: discord.Message) -> dict[str, str]:
    """The custom_id of every button, by its label."""
    return {
        item.label or "": item.custom_id or ""
        for row in message.components
        if isinstance(row, discord.ActionRow)
        for item in row.children
        if isinstance(item, discord.Button)
    }


def private_answer(result: InteractionResult) -> str:
    """What only whoever acted can read."""
    (shown,) = (
        each for each in (result.response, *result.followups) if each is not None and each.ephemeral
    )
    return shown.content


async def start(group: Group, **options: str) -> discord.Message:
    await group.learner.slash(group.channel, "run", example=EXAMPLE, **options)
    return group.card()


# ------------------------------------------------------------------ completion


async def test_examples_are_completed_with_title_and_mark(group: Group) -> None:
    choices = await group.learner.autocomplete(group.channel, "run", "example", "")
    assert choices == [
        {"name": "Watch a model memorize · tensorflow-overfitting", "value": EXAMPLE},
        {
            "name": "⚠️ cannot run here A residual network · pytorch-resnet",
            "value": "pytorch-resnet",
        },
    ]


@pytest.mark.usefixtures("chinese_client")
async def test_examples_are_completed_in_chinese_for_a_chinese_client(group: Group) -> None:
    choices = await group.learner.autocomplete(group.channel, "run", "example", "memorize")
    assert choices == [{"name": "看着模型背题 · tensorflow-overfitting", "value": EXAMPLE}]


async def test_settings_are_completed_for_the_chosen_example(group: Group) -> None:
    choices = await group.learner.autocomplete(
        group.channel, "run", "settings", "epochs=2 b", example=EXAMPLE
    )
    assert choices == [
        {
            "name": "batch_size=  batch size · a whole number from 8 to 512 · default 32",
            "value": "epochs=2 batch_size=",
        }
    ]
    assert not await group.learner.autocomplete(
        group.channel, "run", "settings", "e", example="nothing"
    )


async def test_completion_is_empty_while_the_runner_is_out_of_reach_and_comes_from_memory_later(
    group: Group, runner: FakeRunner, env: Env
) -> None:
    runner.fault = RunnerUnreachableError()
    assert not await group.learner.autocomplete(group.channel, "run", "example", "")
    runner.fault = None
    assert await group.learner.autocomplete(group.channel, "run", "example", "")
    runner.fault = RunnerUnreachableError()
    await env.advance_time(3_600)
    assert len(await group.learner.autocomplete(group.channel, "run", "example", "")) == 2


# ------------------------------------------------------------------ before anything is queued


async def test_wrong_value_is_answered_with_its_range_and_nothing_is_queued(
    group: Group, runner: FakeRunner
) -> None:
    result = await group.learner.slash(group.channel, "run", example=EXAMPLE, settings="epochs=99")
    assert private_answer(result) == (
        "⚠️ Nothing was started: `epochs=99` is not allowed: a whole number from 1 to 20."
    )
    assert runner.submissions == []
    assert group.channel.history() == []


@pytest.mark.usefixtures("chinese_client")
async def test_wrong_value_is_answered_in_chinese(group: Group) -> None:
    result = await group.learner.slash(group.channel, "run", example=EXAMPLE, settings="epochs=0")
    assert private_answer(result) == ("⚠️ 没有开始运行：`epochs=0` 不行，允许的是 1 到 20 的整数。")


async def test_unavailable_example_says_why(group: Group, runner: FakeRunner) -> None:
    result = await group.learner.slash(group.channel, "run", example="pytorch-resnet")
    assert private_answer(result) == (
        "🚫 `pytorch-resnet` cannot run here now. PyTorch is not installed"
    )
    assert runner.submissions == []


async def test_words_for_no_example_offer_those_of_the_entry_and_a_press_runs(
    group: Group, runner: FakeRunner, retriever: FakeRetriever, bank: Bank
) -> None:
    retriever.outcomes["模型背题"] = unsure(*bank.entries[:2])
    result = await group.learner.slash(
        group.channel, "run", example="模型背题", settings="epochs=2"
    )
    assert private_answer(result).startswith("没有叫 `模型背题` 的例子")
    assert "按钮用默认设置" in private_answer(result)
    assert runner.submissions == []
    assert result.response is not None
    assert labels(result.response.message) == {"看着模型背题": f"run:{EXAMPLE}:zh"}
    await group.learner.click(result.response, custom_id=f"run:{EXAMPLE}:zh")
    assert [each.example for each in runner.submissions] == [EXAMPLE]
    assert group.card().content.startswith("### 看着模型背题\n")


async def test_words_for_nothing_name_the_nearest_ids(
    group: Group, runner: FakeRunner, retriever: FakeRetriever, bank: Bank
) -> None:
    retriever.outcomes["红烧肉"] = refused()
    result = await group.learner.slash(group.channel, "run", example="红烧肉")
    assert private_answer(result) == "没有和 `红烧肉` 有关的例子。"
    result = await group.learner.slash(group.channel, "run", example="pytorch-resnt")
    assert "`pytorch-resnet`" in private_answer(result)
    retriever.outcomes["正则化"] = refused(bank.entries[0])
    result = await group.learner.slash(group.channel, "run", example="正则化")
    assert private_answer(result) == f"没有和 `正则化` 有关的例子。名字最接近的：`{EXAMPLE}`"
    assert runner.submissions == []


async def test_title_stands_for_the_example(group: Group, runner: FakeRunner) -> None:
    await group.learner.slash(group.channel, "run", example="看着模型背题")
    assert [each.example for each in runner.submissions] == [EXAMPLE]


async def test_where_the_bot_may_not_write_nothing_is_queued(
    env: Env, group: Group, runner: FakeRunner
) -> None:
    assert env.bot.user is not None
    quiet = env.guild.create_text_channel(
        "quiet", overwrites={env.bot.user: discord.PermissionOverwrite(send_messages=False)}
    )
    result = await group.learner.slash(quiet, "run", example=EXAMPLE)
    assert private_answer(result).startswith("I may not write in this channel")
    assert runner.submissions == []


async def test_full_queue_is_told_and_leaves_no_card(
    env: Env, group: Group, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(submission: Submission) -> JobView:
        raise QueueFullError(submission.example)

    monkeypatch.setattr(runner, "submit", refuse)
    result = await group.learner.slash(group.channel, "run", example=EXAMPLE)
    assert "Too many runs are waiting" in private_answer(result)
    assert group.channel.history() == []
    assert [type(error.__cause__) for error in env.errors] == [QueueFullError]


async def test_job_whose_card_cannot_be_posted_is_cancelled(
    env: Env, group: Group, runner: FakeRunner, store: MemoryStore
) -> None:
    env.inject_error("POST", "/channels/*/messages", status=403, code=50013, message="no")
    result = await group.learner.slash(group.channel, "run", example=EXAMPLE)
    assert "I lack a permission in this channel" in private_answer(result)
    assert runner.cancelled == [runner.last]
    assert await store.open_cards() == ()
    assert env.errors


# ------------------------------------------------------------------ the way of a run


async def test_run_goes_from_queued_over_running_to_a_finished_card(
    env: Env, group: Group, runner: FakeRunner, store: MemoryStore
) -> None:
    result = await group.learner.slash(
        group.channel, "run", example=EXAMPLE, settings="epochs=2，batch_size：64"
    )
    assert result.ephemeral
    assert result.response is None
    (submission,) = runner.submissions
    assert submission.parameters == {"epochs": 2, "batch_size": 64}
    assert submission.learner == str(group.learner.id)
    assert submission.guild == str(env.guild.id)
    card = group.card()
    assert card.content.splitlines() == [
        "### Watch a model memorize",
        f"-# `{EXAMPLE}` · <@{group.learner.id}>",
        "⚙️ `epochs=2 batch_size=64`",
        "⏳ Queued, number 1 in line, next to run",
    ]
    assert labels(card) == {
        "Cancel": f"cancel:{runner.last}",
        "What is overfitting?": "show:overfitting:en",
    }
    kept = await store.card(runner.last)
    assert kept is not None
    assert (kept.message_id, kept.settings) == (card.id, "epochs=2 batch_size=64")

    runner.start(runner.last)
    runner.metric(runner.last, 1, loss=0.5)
    runner.progress(runner.last, 1, 2, Text(zh="第 1 轮", en="epoch 1"))
    await env.settle()
    running = group.card()
    assert running.id == card.id
    assert "▰▰▰▰▰▱▱▱▱▱ 1/2 · 50 % · epoch 1" in running.content
    assert "training loss  0.5" in running.content

    runner.metric(runner.last, 2, loss=0.25)
    runner.metric(runner.last, test_accuracy=0.9611)
    alt = "The loss falls from 0.5 to 0.25"
    runner.draw(
        runner.last, "curves.png", PLOT, Text(zh="曲线", en="Curves"), Text(zh="下降", en=alt)
    )
    runner.finish(runner.last)
    await env.settle()
    finished = group.card()
    assert finished.id == card.id
    assert finished.content.splitlines()[3:] == [
        "✅ Done · took 1.5 s",
        "```",
        "test accuracy  0.9611",
        "",
        "step             1     2",
        "training loss  0.5  0.25",
        "```",
        "📈 Curves",
        "👀 Where the two curves part",
        (
            "-# cpu (2 cores) · python 3.11.7, tensorflow 2.0 · seed 0 · 1.5 s"
            " · peak memory 256 MiB · warm start · no walls"
        ),
    ]
    (plot,) = finished.attachments
    assert (plot.filename, plot.description) == ("curves.png", alt)
    assert await plot.read() == PLOT
    assert labels(finished) == {
        "Again": f"again:{runner.last}",
        "What is overfitting?": "show:overfitting:en",
    }
    assert await store.open_cards() == ()


@pytest.mark.usefixtures("chinese_client")
async def test_run_in_chinese(env: Env, group: Group, runner: FakeRunner) -> None:
    card = await start(group)
    assert card.content.splitlines()[2:] == [
        "⚙️ 默认设置",
        "-# 其余默认：`epochs=5 batch_size=32`",
        "⏳ 排队中，第 1 位，下一个就是",
    ]
    assert list(labels(card)) == ["取消", "什么是过拟合？"]
    runner.start(runner.last)
    alt = Text(zh="损失在下降", en="falls")
    runner.draw(runner.last, "a.png", PLOT, Text(zh="曲线", en="Curves"), alt)
    runner.finish(runner.last)
    await env.settle()
    finished = group.card()
    assert "✅ 完成 · 用时 1.5 秒" in finished.content
    assert "👀 两条曲线在哪里分开" in finished.content
    assert finished.attachments[0].description == "损失在下降"
    assert list(labels(finished)) == ["再来一次", "什么是过拟合？"]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (FailureReason.ERROR, "❌ The example raised an error · took 1.5 s\n> ValueError: no"),
        (FailureReason.MEMORY, "smaller `batch_size`: it was 32, say `batch_size=16`"),
        (FailureReason.KILLED, "❌ Its process ended without a word"),
        (FailureReason.LOST, "❌ The runner went down in the middle"),
    ],
)
async def test_failure_is_told_and_can_be_tried_again(
    env: Env, group: Group, runner: FakeRunner, reason: FailureReason, told: str
) -> None:
    await start(group)
    runner.start(runner.last)
    runner.fail(runner.last, reason)
    await env.settle()
    assert told in group.card().content
    assert "Again" in labels(group.card())


async def test_timeout_is_told(env: Env, group: Group, runner: FakeRunner) -> None:
    await start(group)
    runner.start(runner.last)
    measured = Measured(elapsed_s=300, peak_memory_mb=1)
    runner.finish(runner.last, TimedOut(sequence=1, at=env.now(), limit_s=300, measured=measured))
    await env.settle()
    assert "⏰ Stopped: it ran longer than its limit of 5 min" in group.card().content


async def test_a_job_that_the_runner_forgot_is_told_as_lost(
    group: Group,
    runner: FakeRunner,
    store: MemoryStore,
    restart: Callable[[], Awaitable[None]],
) -> None:
    await start(group)
    runner.views.clear()
    await restart()
    assert "The runner does not remember this run" in group.card().content
    assert await store.open_cards() == ()


async def test_progress_is_shown_at_its_pace_and_the_end_at_once(
    env: Env, group: Group, runner: FakeRunner, settings: Settings
) -> None:
    object.__setattr__(settings, "progress_seconds", 60)
    await start(group)
    runner.start(runner.last)
    await env.settle()
    assert "Getting ready" in group.card().content
    runner.progress(runner.last, 1, 4)
    runner.progress(runner.last, 2, 4)
    await env.settle()
    assert "Getting ready" in group.card().content
    await env.advance_time(61)
    assert "2/4 · 50 %" in group.card().content
    runner.finish(runner.last)
    await env.settle()
    assert "✅ Done" in group.card().content


async def test_run_longer_than_a_token_lives_delivers_its_result(
    env: Env, group: Group, runner: FakeRunner
) -> None:
    card = await start(group)
    runner.start(runner.last)
    await env.settle()
    await env.advance_time(40 * 60)
    runner.finish(runner.last)
    await env.settle()
    assert group.card().id == card.id
    assert "✅ Done" in group.card().content


async def test_in_a_direct_message(env: Env, runner: FakeRunner) -> None:
    user = env.create_user("alice")
    await user.send_dm("hello")
    await user.slash("run", example=EXAMPLE)
    runner.finish(runner.last)
    await env.settle()
    assert user.dm_channel.last_message is not None
    assert "✅ Done" in user.dm_channel.last_message.content
    assert runner.submissions[0].guild is None


# ------------------------------------------------------------------ buttons


async def test_stranger_may_not_cancel(group: Group, runner: FakeRunner) -> None:
    card = await start(group)
    result = await group.stranger.click(card, label="Cancel")
    assert private_answer(result) == ("Only whoever started this run and the staff may cancel it.")
    assert runner.cancelled == []


@pytest.mark.parametrize("who", ["learner", "staff"])
async def test_owner_and_staff_may_cancel(group: Group, runner: FakeRunner, who: str) -> None:
    card = await start(group)
    actor: MemberActor = getattr(group, who)
    await actor.click(card, label="Cancel")
    assert runner.cancelled == [runner.last]
    assert "🛑 Cancelled before it started" in group.card().content
    assert "Cancel" not in labels(group.card())


async def test_cancel_of_a_running_job_shows_what_it_had(
    env: Env, group: Group, runner: FakeRunner
) -> None:
    card = await start(group)
    runner.start(runner.last)
    runner.metric(runner.last, 1, loss=0.5)
    await env.settle()
    runner.finish(runner.last, Cancelled(sequence=1, at=env.now(), measured=MEASURED))
    await group.learner.click(card, custom_id=f"cancel:{runner.last}")
    content = group.card().content
    assert "🛑 Cancelled · took 1.5 s" in content
    assert "training loss  0.5" in content


async def test_again_is_a_new_run_of_whoever_pressed_with_the_same_settings(
    env: Env, group: Group, runner: FakeRunner
) -> None:
    await start(group, settings="epochs=3")
    first = runner.last
    runner.finish(first)
    await env.settle()
    finished = group.card()
    await group.stranger.click(finished, label="Again")
    assert [each.parameters for each in runner.submissions] == [{"epochs": 3}] * 2
    assert runner.submissions[1].learner == str(group.stranger.id)
    assert runner.last != first
    assert f"<@{group.stranger.id}>" in group.card().content
    assert "⚙️ `epochs=3`" in group.card().content
    assert group.card().id != finished.id
    await group.stranger.click(finished, label="Again")
    assert len(runner.submissions) == 3


async def test_again_whose_settings_no_longer_fit_says_so(
    env: Env, group: Group, runner: FakeRunner, store: MemoryStore
) -> None:
    await start(group, settings="epochs=3")
    runner.finish(runner.last)
    await env.settle()
    kept = await store.card(runner.last)
    assert kept is not None
    await store.open_card(replace(kept, settings="gone=3", delivered=True))
    result = await group.learner.click(group.card(), label="Again")
    assert "there is no parameter `gone`" in private_answer(result)
    assert len(runner.submissions) == 1


async def test_entry_button_answers_with_the_entry(group: Group) -> None:
    card = await start(group)
    result = await group.stranger.click(card, label="What is overfitting?")
    assert result.response is not None
    assert "What is overfitting? in a sentence." in result.response.content


async def test_run_button_of_an_answer_starts_the_example_with_defaults(
    group: Group, runner: FakeRunner, retriever: FakeRetriever, bank: Bank
) -> None:
    retriever.outcomes["过拟合"] = answered(bank.entries[0])
    await group.learner.slash(group.channel, "ask", question="过拟合")
    assert group.channel.last_message is not None
    result = await group.stranger.click(group.channel.last_message, custom_id=f"run:{EXAMPLE}:zh")
    assert result.followups == []
    (submission,) = runner.submissions
    assert (submission.example, submission.parameters) == (EXAMPLE, {})
    assert "⏳ 排队中" in group.card().content


async def test_buttons_of_an_unknown_job_say_so(
    env: Env, group: Group, runner: FakeRunner, store: MemoryStore
) -> None:
    card = await start(group)
    store._cards.clear()
    result = await group.learner.click(card, label="Cancel")
    assert private_answer(result) == "The record of this run is gone."
    runner.finish(runner.last)
    await env.settle()
    result = await group.learner.click(group.card(), label="Again")
    assert private_answer(result) == "The record of this run is gone."


async def test_nobody_is_pinged(env: Env, group: Group, runner: FakeRunner) -> None:
    await start(group)
    runner.start(runner.last)
    runner.fail(runner.last, message="@everyone <@1>")
    await env.settle()
    sent = [each for each in env.http_requests if "/messages" in each.path]
    assert sent
    for request in sent:
        body: Any = request.json
        if body is not None and "content" in body:
            assert body["allowed_mentions"]["parse"] == []
            assert "users" not in body["allowed_mentions"]


# ------------------------------------------------------------------ restarts and hiccups


async def test_restart_in_the_middle_delivers(
    env: Env,
    group: Group,
    runner: FakeRunner,
    store: MemoryStore,
    restart: Callable[[], Awaitable[None]],
) -> None:
    card = await start(group)
    runner.start(runner.last)
    await env.settle()
    await restart()
    runner.progress(runner.last, 1, 2)
    await env.settle()
    assert "1/2 · 50 %" in group.card().content
    runner.finish(runner.last)
    await env.settle()
    assert group.card().id == card.id
    assert "✅ Done" in group.card().content
    assert await store.open_cards() == ()
    await group.learner.click(group.card(), label="Again")
    assert len(runner.submissions) == 2


async def test_result_that_came_while_the_bot_was_away_is_delivered_once(
    env: Env,
    group: Group,
    runner: FakeRunner,
    restart: Callable[[], Awaitable[None]],
    simcord_bot: TutorBot,
) -> None:
    card = await start(group)
    await simcord_bot.unload_extension("bot.features.run")
    runner.finish(runner.last)
    await env.settle()
    assert "Queued" in group.card().content
    await restart()
    assert "✅ Done" in group.card().content
    edits = len(env.http_requests)
    await restart()
    assert not any(f"/messages/{card.id}" in each.path for each in env.http_requests[edits:])


async def test_old_card_is_taken_over_by_a_new_message(
    env: Env, group: Group, runner: FakeRunner, store: MemoryStore
) -> None:
    old = await start(group)
    runner.start(runner.last)
    await env.settle()
    await env.advance_time(2 * 3_600)
    runner.finish(runner.last)
    await env.settle()
    new = group.card()
    assert new.id != old.id
    assert "✅ Done" in new.content
    assert f"➡️ This run goes on in a new message: {new.jump_url}" in group.card(-2).content
    assert labels(group.card(-2)) == {}
    kept = await store.card(runner.last)
    assert kept is not None
    assert kept.message_id == new.id
    assert kept.delivered


async def test_deleted_card_comes_back_with_the_result_only(
    env: Env, group: Group, runner: FakeRunner, store: MemoryStore
) -> None:
    card = await start(group)
    await group.staff.delete(card)
    runner.start(runner.last)
    runner.progress(runner.last, 1, 2)
    await env.settle()
    assert group.channel.history() == []
    runner.finish(runner.last)
    await env.settle()
    assert "✅ Done" in group.card().content
    kept = await store.card(runner.last)
    assert kept is not None
    assert (kept.message_id, kept.delivered) == (group.card().id, True)


async def test_card_deleted_right_before_the_end_comes_back(
    env: Env, group: Group, runner: FakeRunner
) -> None:
    card = await start(group)
    await group.staff.delete(card)
    runner.finish(runner.last)
    await env.settle()
    assert "✅ Done" in group.card().content


@pytest.mark.parametrize("code", [30046, 50083])
async def test_card_that_takes_no_more_edits_is_taken_over(
    env: Env, group: Group, runner: FakeRunner, code: int
) -> None:
    old = await start(group)
    env.inject_error("PATCH", "/channels/*/messages/*", status=400, code=code, message="no")
    runner.finish(runner.last)
    await env.settle()
    assert group.card().id != old.id
    assert "✅ Done" in group.card().content


async def test_card_without_a_place_is_closed_and_nothing_loops(
    env: Env, group: Group, runner: FakeRunner, store: MemoryStore
) -> None:
    await start(group)
    env.inject_error("*", "/channels/*/messages*", status=404, code=10003, message="no", times=None)
    runner.start(runner.last)
    await env.settle()
    before = len(env.http_requests)
    runner.progress(runner.last, 1, 2)
    await env.settle()
    assert len(env.http_requests) == before
    runner.finish(runner.last)
    await env.settle()
    assert await store.open_cards() == ()
    assert len(env.http_requests) == before + 1


async def test_permission_that_comes_back_in_time_lets_the_result_through(
    env: Env, group: Group, runner: FakeRunner
) -> None:
    await start(group)
    env.inject_error("PATCH", "/channels/*", status=403, code=50001, message="no")
    runner.start(runner.last)
    await env.settle()
    runner.finish(runner.last)
    await env.settle()
    assert "✅ Done" in group.card().content


async def test_hiccup_during_progress_is_made_good_by_the_next_edit(
    env: Env, group: Group, runner: FakeRunner
) -> None:
    await start(group)
    env.inject_error("PATCH", "/channels/*/messages/*", status=503)
    runner.start(runner.last)
    await env.settle()
    assert "Queued" in group.card().content
    runner.progress(runner.last, 1, 2)
    await env.settle()
    assert "1/2 · 50 %" in group.card().content


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_end_is_tried_until_discord_takes_it(
    env: Env, group: Group, runner: FakeRunner, store: MemoryStore, status: int
) -> None:
    await start(group)
    env.inject_error("PATCH", "/channels/*/messages/*", status=status, times=6)
    runner.finish(runner.last)
    await env.settle()
    assert "Queued" in group.card().content
    assert len(await store.open_cards()) == 1
    await env.advance_time(600)
    assert "✅ Done" in group.card().content
    assert await store.open_cards() == ()


async def test_without_the_right_to_attach_the_result_arrives_with_a_note(
    env: Env, group: Group, runner: FakeRunner
) -> None:
    await start(group)
    runner.start(runner.last)
    text = Text(zh="曲线", en="Curves")
    runner.draw(runner.last, "curves.png", PLOT, text, text)
    await env.settle()
    env.inject_error("PATCH", "/channels/*/messages/*", status=403, code=50013, message="no")
    runner.finish(runner.last)
    await env.settle()
    assert "✅ Done" in group.card().content
    assert "🖼️ Missing picture: curves.png" in group.card().content
    assert group.card().attachments == []


async def test_picture_that_is_gone_or_too_large_is_noted(
    env: Env, group: Group, runner: FakeRunner
) -> None:
    await start(group)
    runner.start(runner.last)
    text = Text(zh="曲线", en="Curves")
    runner.draw(runner.last, "gone.png", PLOT, text, text)
    runner.draw(runner.last, "large.png", b"x" * (10 * 1024 * 1024 + 1), text, text)
    runner.draw(runner.last, "kept.png", PLOT, text, text)
    del runner.artifacts[runner.last, "gone.png"]
    runner.finish(runner.last)
    await env.settle()
    assert "Missing picture: gone.png, large.png" in group.card().content
    assert [each.filename for each in group.card().attachments] == ["kept.png"]


async def test_runner_out_of_reach_is_told_and_followed_again_when_it_is_back(
    env: Env, group: Group, runner: FakeRunner
) -> None:
    await start(group)
    runner.start(runner.last)
    await env.settle()
    runner.fault = RunnerUnreachableError()
    runner.progress(runner.last, 1, 2)
    await env.settle()
    assert "⚠️ The runner does not answer right now" in group.card().content
    runner.fault = None
    runner.finish(runner.last)
    await env.advance_time(30)
    assert "✅ Done" in group.card().content


async def test_unexpected_fault_of_a_card_is_reported(
    env: Env,
    group: Group,
    runner: FakeRunner,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await start(group)
    env.inject_error("PATCH", "/channels/*/messages/*", status=400, code=50035, message="bad form")
    runner.finish(runner.last)
    await env.settle()
    assert "Something went wrong" in group.card().content
    assert f"the card of job {runner.last} is not followed any more" in caplog.text
    assert "bad form" in caplog.text


async def test_card_that_was_given_up_is_shown_after_a_restart(
    env: Env,
    group: Group,
    runner: FakeRunner,
    store: MemoryStore,
    restart: Callable[[], Awaitable[None]],
) -> None:
    await start(group)
    env.inject_error("PATCH", "/channels/*/messages/*", status=400, code=50035, message="bad form")
    runner.finish(runner.last)
    await env.settle()
    assert len(await store.open_cards()) == 1
    await restart()
    assert "✅ Done" in group.card().content
    assert await store.open_cards() == ()


async def test_language_of_a_card_survives(
    env: Env, group: Group, runner: FakeRunner, store: MemoryStore
) -> None:
    await group.learner.slash(group.channel, "run", example="看着模型背题")
    kept = await store.card(runner.last)
    assert kept is not None
    assert kept.language is Language.ZH
    runner.finish(runner.last)
    await env.settle()
    await group.stranger.click(group.card(), label="再来一次")
    assert "⏳ 排队中" in group.card().content


async def test_a_result_from_the_record_is_wanted_only_when_it_is_asked_for(
    group: Group, runner: FakeRunner
) -> None:
    await group.learner.slash(group.channel, "run", example=EXAMPLE, reuse=True)
    await group.learner.slash(group.channel, "run", example=EXAMPLE)
    assert [submission.reuse for submission in runner.submissions] == [True, False]

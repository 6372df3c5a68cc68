"""What a learner does reaches the bot, and what the bot answers comes back."""

import asyncio
from collections.abc import AsyncIterator

import discord
import pytest
from discord import app_commands
from discord.ext import commands

from bot.playground.errors import LearnerError
from bot.playground.learner import Learner
from bot.playground.server import Playground


@pytest.fixture
async def ming(playground: Playground) -> AsyncIterator[Learner]:
    async with Learner(playground.url, "小明") as learner:
        yield learner


async def test_a_question_is_answered(bot: commands.AutoShardedBot, ming: Learner) -> None:
    @bot.listen("on_message")
    async def answer(message: discord.Message) -> None:
        if not message.author.bot:
            await message.reply(f"听到：{message.content}")

    question = await ming.say("什么是过拟合？")
    answered = await ming.wait_for_answer(question)
    assert answered["content"] == "听到：什么是过拟合？"
    assert [user["username"] for user in answered["mentions"]] == ["小明"]
    assert answered["referenced_message"]["id"] == question["id"]
    assert [one["content"] for one in await ming.messages()] == [
        "什么是过拟合？",
        "听到：什么是过拟合？",
    ]


class Confirm(discord.ui.View):
    @discord.ui.button(label="更多", custom_id="more")
    async def more(self, interaction: discord.Interaction, _button: discord.ui.Button) -> None:
        await interaction.response.edit_message(content="更多内容", view=None)

    @discord.ui.select(
        custom_id="level",
        options=[discord.SelectOption(label=name) for name in ("easy", "hard")],
    )
    async def level(self, interaction: discord.Interaction, select: discord.ui.Select) -> None:
        await interaction.response.send_message(f"选了 {select.values[0]}", ephemeral=True)


class Settings(discord.ui.Modal, title="设置"):
    epochs = discord.ui.Label(text="轮数", component=discord.ui.TextInput(custom_id="epochs"))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.epochs.component, discord.ui.TextInput)
        await interaction.response.send_message(f"轮数 {self.epochs.component.value}")


def add_commands(bot: commands.AutoShardedBot) -> None:
    @bot.tree.command(description="Ask a question")
    @app_commands.describe(question="What to ask")
    async def ask(interaction: discord.Interaction, question: str, top: int = 1) -> None:
        await interaction.response.send_message(f"{question} ({top})", view=Confirm())

    @ask.autocomplete("question")
    async def complete(
        interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        top = interaction.namespace.top
        return [app_commands.Choice(name=f"{current}? {top}", value=current)]

    @bot.tree.command(description="Run an example")
    async def run(interaction: discord.Interaction) -> None:
        await interaction.response.defer(thinking=True)
        await interaction.followup.send("第一")
        await interaction.followup.send("第二")

    @bot.tree.command(description="Change settings")
    async def settings(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Settings())

    @bot.tree.command(description="Never answers")
    async def silent(interaction: discord.Interaction) -> None:
        pass

    @bot.tree.command(description="Who")
    async def who(
        interaction: discord.Interaction, member: discord.Member, place: discord.TextChannel
    ) -> None:
        await interaction.response.send_message(
            f"{member.name} {member.guild_permissions.manage_guild} {place.name}", ephemeral=True
        )

    study = app_commands.Group(
        name="study",
        description="Study channels",
        default_permissions=discord.Permissions(manage_guild=True),
        guild_only=True,
    )

    @study.command(description="Start")
    async def start(interaction: discord.Interaction, hour: app_commands.Range[int, 0, 23]) -> None:
        await interaction.response.send_message(f"每天 {hour} 点")

    bot.tree.add_command(study)


@pytest.fixture
async def tree(bot: commands.AutoShardedBot) -> commands.AutoShardedBot:
    add_commands(bot)
    await bot.tree.sync()
    return bot


@pytest.mark.usefixtures("tree")
async def test_a_command_with_options_is_answered(ming: Learner) -> None:
    interaction = await ming.slash("ask", question="什么是 Dropout", top="3")
    assert interaction["state"] == "acknowledged"
    (message,) = await ming.messages()
    assert message["id"] == interaction["response_message_id"]
    assert message["content"] == "什么是 Dropout (3)"
    assert message["interaction_metadata"]["user"]["username"] == "小明"
    assert message["interaction"]["name"] == "ask"


@pytest.mark.usefixtures("tree")
async def test_completion_sees_the_other_options(ming: Learner) -> None:
    choices = await ming.autocomplete("ask", "question", question="过拟", top=2)
    assert choices == [{"name": "过拟? 2", "value": "过拟"}]


@pytest.mark.usefixtures("tree")
async def test_a_button_edits_its_message(ming: Learner) -> None:
    await ming.slash("ask", question="x")
    (message,) = await ming.messages()
    interaction = await ming.press(message, "more")
    assert interaction["state"] == "acknowledged"
    (edited,) = await ming.messages()
    assert (edited["id"], edited["content"], edited["components"]) == (
        message["id"],
        "更多内容",
        [],
    )
    assert edited["edited_timestamp"] is not None
    with pytest.raises(LearnerError, match="no such component"):
        await ming.press(message, "more")


@pytest.mark.usefixtures("tree")
async def test_an_ephemeral_answer_is_seen_by_one_alone(
    playground: Playground, ming: Learner
) -> None:
    await ming.slash("ask", question="x")
    (message,) = await ming.messages()
    await ming.choose(message, "level", "hard")
    assert [one["content"] for one in await ming.messages()] == ["x (1)", "选了 hard"]
    async with Learner(playground.url, "Alice") as alice:
        assert [one["content"] for one in await alice.messages()] == ["x (1)"]


@pytest.mark.usefixtures("tree")
async def test_a_deferred_answer_is_filled_by_the_first_follow_up(ming: Learner) -> None:
    interaction = await ming.slash("run")
    assert interaction["state"] == "deferred"
    second = await ming.wait_for_message(lambda message: message["content"] == "第二")
    first, last = await ming.messages()
    assert (first["id"], first["content"]) == (interaction["response_message_id"], "第一")
    assert first["flags"] == 0
    assert first["edited_timestamp"] is None
    assert last["id"] == second["id"]


@pytest.mark.usefixtures("tree")
async def test_a_modal_is_opened_and_submitted(ming: Learner) -> None:
    opened = await ming.slash("settings")
    assert opened["state"] == "modal"
    assert opened["modal"]["title"] == "设置"
    with pytest.raises(LearnerError, match="epochs"):
        await ming.submit(opened, epochs="")
    submitted = await ming.submit(opened, epochs="5")
    assert submitted["state"] == "acknowledged"
    (message,) = await ming.messages()
    assert message["content"] == "轮数 5"
    metadata = message["interaction_metadata"]
    assert metadata["triggering_interaction_metadata"]["id"] == opened["id"]


@pytest.mark.usefixtures("tree")
async def test_an_unanswered_command_fails_after_three_seconds(
    playground: Playground, ming: Learner
) -> None:
    waiting = asyncio.create_task(ming.slash("silent"))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    playground.clock.advance(3)
    interaction = await waiting
    assert interaction["state"] == "failed"
    assert interaction["error"]["code"] == "no_answer"


@pytest.mark.usefixtures("tree")
async def test_named_entities_are_resolved(ming: Learner) -> None:
    users = {user["username"]: user["id"] for user in (await ming.state())["users"]}
    await ming.slash("who", member=users["老师"], place=await ming.channel("study"))
    (message,) = await ming.messages()
    assert message["content"] == "老师 True study"
    assert message["flags"] == discord.MessageFlags(ephemeral=True).value


@pytest.mark.usefixtures("tree")
async def test_staff_commands_are_hidden_from_others(playground: Playground, ming: Learner) -> None:
    assert {command["name"] for command in await ming.commands()} == {
        "ask",
        "run",
        "settings",
        "silent",
        "who",
    }
    with pytest.raises(LearnerError, match="No command /study"):
        await ming.slash("study start", hour=9)
    async with Learner(playground.url, "老师") as teacher:
        interaction = await teacher.slash("study start", hour=9)
        assert interaction["state"] == "acknowledged"
        with pytest.raises(LearnerError, match="0–23"):
            await teacher.slash("study start", hour=24)


async def test_the_bot_is_written_to_alone(
    playground: Playground, bot: commands.AutoShardedBot, ming: Learner
) -> None:
    @bot.listen("on_message")
    async def answer(message: discord.Message) -> None:
        if not message.author.bot:
            await message.channel.send(f"{type(message.channel).__name__}: {message.content}")

    await ming.dm("你好")
    answered = await ming.wait_for_message(lambda message: message["author"]["id"] == ming.bot_id)
    assert answered["content"] == "DMChannel: 你好"
    async with Learner(playground.url, "Alice") as alice:
        with pytest.raises(LearnerError, match="cannot be seen"):
            await alice.messages(answered["channel_id"])


async def test_a_thread_is_opened_and_answered_in(
    bot: commands.AutoShardedBot, ming: Learner
) -> None:
    @bot.listen("on_message")
    async def answer(message: discord.Message) -> None:
        if isinstance(message.channel, discord.Thread) and not message.author.bot:
            await message.channel.send(f"在 {message.channel.name}")

    message = await ming.say("为什么？")
    thread = await ming.open_thread("过拟合", message=message["id"])
    assert thread["parent_id"] == message["channel_id"]
    await ming.say("继续", thread["id"])
    answered = await ming.wait_for_message(lambda one: one["content"] == "在 过拟合")
    assert answered["channel_id"] == thread["id"]


async def test_a_reaction_reaches_the_bot(bot: commands.AutoShardedBot, ming: Learner) -> None:
    reactions: asyncio.Queue[discord.RawReactionActionEvent] = asyncio.Queue()
    bot.add_listener(reactions.put, "on_raw_reaction_add")
    bot.add_listener(reactions.put, "on_raw_reaction_remove")
    message = await ming.say("好")
    await ming.react(message, "👍")
    added = await asyncio.wait_for(reactions.get(), 5)
    assert (str(added.emoji), added.user_id) == ("👍", int(ming.id))
    reacted = await ming.react(message, "👍", remove=True)
    removed = await asyncio.wait_for(reactions.get(), 5)
    assert removed.event_type == "REACTION_REMOVE"
    assert "reactions" not in reacted

"""Interactions in every place, and every kind of field, through discord.py's own objects."""

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


class Panel(discord.ui.View):
    @discord.ui.button(label="加一", custom_id="more")
    async def more(self, interaction: discord.Interaction, _button: discord.ui.Button) -> None:
        assert interaction.message is not None
        count = int(interaction.message.content) + 1
        await interaction.response.edit_message(content=str(count))

    @discord.ui.button(label="慢慢来", custom_id="later", row=1)
    async def later(self, interaction: discord.Interaction, _button: discord.ui.Button) -> None:
        await interaction.response.defer()
        await interaction.followup.send("另一条")
        await interaction.edit_original_response(content="100")

    @discord.ui.select(cls=discord.ui.UserSelect, custom_id="who", max_values=2, row=2)
    async def who(self, interaction: discord.Interaction, select: discord.ui.UserSelect) -> None:
        names = ",".join(sorted(user.name for user in select.values))
        await interaction.response.send_message(names)

    @discord.ui.select(cls=discord.ui.ChannelSelect, custom_id="where", row=3)
    async def where(
        self, interaction: discord.Interaction, select: discord.ui.ChannelSelect
    ) -> None:
        await interaction.response.send_message(select.values[0].name)

    @discord.ui.button(label="表单", custom_id="form", row=4)
    async def form(self, interaction: discord.Interaction, _button: discord.ui.Button) -> None:
        await interaction.response.send_modal(Form())


def options(*names: str) -> list[discord.SelectOption]:
    return [discord.SelectOption(label=name) for name in names]


class Form(discord.ui.Modal, title="每一种"):
    note = discord.ui.TextDisplay("请填")
    level = discord.ui.Label(
        text="难度",
        component=discord.ui.RadioGroup(
            custom_id="level",
            options=[discord.RadioGroupOption(label=name, value=name) for name in ("易", "难")],
        ),
    )
    topics = discord.ui.Label(
        text="主题",
        component=discord.ui.CheckboxGroup(
            custom_id="topics",
            options=[discord.CheckboxGroupOption(label=name, value=name) for name in ("a", "b")],
        ),
    )
    sure = discord.ui.Label(text="确定", component=discord.ui.Checkbox(custom_id="sure"))
    place = discord.ui.Label(
        text="选", component=discord.ui.Select(custom_id="place", options=options("x", "y"))
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        level, topics, sure, place = (
            label.component for label in (self.level, self.topics, self.sure, self.place)
        )
        assert isinstance(level, discord.ui.RadioGroup)
        assert isinstance(topics, discord.ui.CheckboxGroup)
        assert isinstance(sure, discord.ui.Checkbox)
        assert isinstance(place, discord.ui.Select)
        answers = (level.value, topics.values, sure.value, place.values)
        await interaction.response.edit_message(content=f"{answers}", view=None)


@pytest.fixture
async def panel(bot: commands.AutoShardedBot) -> None:
    @bot.tree.command(description="Panel")
    @app_commands.describe(quiet="Seen by one alone")
    async def panel(interaction: discord.Interaction, quiet: bool = False) -> None:  # noqa: FBT001, FBT002 -- an option of the command
        await interaction.response.send_message("1", view=Panel(), ephemeral=quiet)

    await bot.tree.sync()


async def place_of(learner: Learner, kind: str) -> str:
    if kind == "dm":
        return await learner.open_dm()
    if kind == "thread":
        return (await learner.open_thread("讨论"))["id"]
    return await learner.channel("study")


@pytest.mark.usefixtures("panel")
@pytest.mark.parametrize("kind", ["channel", "thread", "dm"])
@pytest.mark.parametrize("quiet", [True, False])
async def test_a_message_is_updated_where_it_is(ming: Learner, kind: str, *, quiet: bool) -> None:
    place = await place_of(ming, kind)
    await ming.slash("panel", place, quiet=quiet)
    for _ in range(2):
        *_, message = await ming.messages(place)
        await ming.press(message, "more")
    *_, message = await ming.messages(place)
    assert message["content"] == "3"
    assert bool(message["flags"] & 64) is quiet


@pytest.mark.usefixtures("panel")
async def test_a_deferred_update_leaves_room_for_more(ming: Learner) -> None:
    await ming.slash("panel")
    (message,) = await ming.messages()
    await ming.press(message, "later")
    await ming.wait_for_message(lambda one: one["content"] == "100")
    assert [one["content"] for one in await ming.messages()] == ["100", "另一条"]


@pytest.mark.usefixtures("panel")
async def test_people_and_places_are_chosen_by_id(ming: Learner) -> None:
    await ming.slash("panel")
    (message,) = await ming.messages()
    users = [user["id"] for user in (await ming.state())["users"]]
    await ming.choose(message, "who", *users[:2])
    await ming.choose(message, "where", await ming.channel("study"))
    assert [one["content"] for one in await ming.messages()][1:] == ["小明,老师", "study"]
    with pytest.raises(LearnerError, match="1–2 choices"):
        await ming.choose(message, "who", *users)


@pytest.mark.usefixtures("panel")
async def test_every_field_of_a_form_is_read(ming: Learner) -> None:
    await ming.slash("panel")
    (message,) = await ming.messages()
    opened = await ming.press(message, "form")
    assert opened["state"] == "modal"
    with pytest.raises(LearnerError, match="level"):
        await ming.submit(opened, level="中", topics=["a"], sure=True, place=["x"])
    with pytest.raises(LearnerError, match="No field depth"):
        await ming.submit(opened, depth=1)
    await ming.submit(opened, level="难", topics=["a", "b"], sure=True, place=["y"])
    (message,) = await ming.messages()
    assert message["content"] == "('难', ['a', 'b'], True, ['y'])"


@pytest.mark.usefixtures("panel")
async def test_a_message_command_and_a_user_command_are_kept_from_slash_commands(
    bot: commands.AutoShardedBot, ming: Learner
) -> None:
    @bot.tree.context_menu(name="解释 This")
    async def explain(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(message.content)

    registered = await bot.tree.sync()
    assert {command.name for command in registered} == {"panel", "解释 This"}
    assert [command["name"] for command in await ming.commands()] == ["panel"]

"""Discord's rules about interactions: when, how often and how they may be answered."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable

import aiohttp
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


class Desk:
    """Catches each interaction, so that the test answers it by hand."""

    def __init__(self) -> None:
        self._caught: asyncio.Queue[discord.Interaction] = asyncio.Queue()

    async def next(self) -> discord.Interaction:
        return await asyncio.wait_for(self._caught.get(), 5)

    async def catch(self, interaction: discord.Interaction) -> None:
        await self._caught.put(interaction)


@pytest.fixture
async def desk(bot: commands.AutoShardedBot) -> Desk:
    caught = Desk()

    @bot.tree.command(description="Anything")
    @app_commands.describe(text="Any text")
    async def do(_interaction: discord.Interaction, text: str = "") -> None:
        del text

    @do.autocomplete("text")
    async def complete(
        _interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{current}{n}", value=str(n)) for n in range(25)]

    await bot.tree.sync()
    bot.add_listener(caught.catch, "on_interaction")
    return caught


@pytest.fixture
async def interaction(desk: Desk, ming: Learner) -> AsyncIterator[discord.Interaction]:
    """A command that waits for its answer."""
    using = asyncio.create_task(ming.slash("do"))
    caught = await desk.next()
    yield caught
    using.cancel()


async def refusal(act: Awaitable[object]) -> tuple[int, int]:
    with pytest.raises(discord.HTTPException) as refused:
        await act
    return refused.value.status, refused.value.code


async def callback(
    playground: Playground, interaction: discord.Interaction, body: object
) -> tuple[int, int | None]:
    """Status and code of a callback that discord.py would not make."""
    url = f"{playground.api_url}/interactions/{interaction.id}/{interaction.token}/callback"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        return response.status, (await response.json())["code"] if response.status != 204 else None


async def test_the_interaction_says_who_where_and_in_what_language(
    interaction: discord.Interaction, ming: Learner
) -> None:
    assert interaction.user.id == int(ming.id)
    assert interaction.locale is discord.Locale.chinese
    assert interaction.guild_locale is discord.Locale.chinese
    assert isinstance(interaction.channel, discord.TextChannel)
    assert interaction.permissions.send_messages
    assert interaction.app_permissions.attach_files
    assert interaction.context.guild
    assert interaction.is_guild_integration()
    assert interaction.filesize_limit == 10 * 1024 * 1024


async def test_three_seconds_are_all_there_is(
    playground: Playground, interaction: discord.Interaction
) -> None:
    playground.clock.advance(3)
    assert await refusal(interaction.response.send_message("晚了")) == (404, 10062)
    assert await refusal(interaction.followup.send("晚了")) == (404, 10062)
    assert await refusal(interaction.original_response()) == (404, 10062)
    assert await refusal(interaction.edit_original_response(content="晚了")) == (404, 10062)


async def test_an_interaction_is_acknowledged_once(
    playground: Playground, interaction: discord.Interaction
) -> None:
    await interaction.response.defer()
    again = await callback(playground, interaction, {"type": 4, "data": {"content": "x"}})
    assert again == (400, 40060)


async def test_follow_ups_need_an_acknowledgement(interaction: discord.Interaction) -> None:
    assert await refusal(interaction.followup.send("早了")) == (404, 10015)


async def test_a_token_lives_for_fifteen_minutes(
    playground: Playground, interaction: discord.Interaction
) -> None:
    await interaction.response.send_message("第一")
    playground.clock.advance(14 * 60)
    await interaction.edit_original_response(content="第二")
    playground.clock.advance(61)
    assert await refusal(interaction.edit_original_response(content="三")) == (401, 50027)
    assert await refusal(interaction.followup.send("三")) == (401, 50027)


async def test_an_answer_with_a_file_is_edited_fetched_and_deleted(
    interaction: discord.Interaction, ming: Learner
) -> None:
    file = discord.File(io.BytesIO(b"loss\n0.3\n"), "loss.csv", description="损失")
    await interaction.response.send_message("结果", file=file)
    original = await interaction.original_response()
    (attachment,) = original.attachments
    assert (attachment.filename, attachment.description) == ("loss.csv", "损失")
    edited = await original.edit(content="更新", attachments=[attachment])
    assert edited.attachments[0].id == attachment.id
    further = await interaction.followup.send("还有", wait=True, ephemeral=True)
    assert (await interaction.followup.fetch_message(further.id)).content == "还有"
    assert [one["content"] for one in await ming.messages()] == ["更新", "还有"]
    await further.delete()
    await interaction.delete_original_response()
    assert await ming.messages() == []
    assert await refusal(interaction.edit_original_response(content="x")) == (404, 10008)


async def test_an_answer_is_an_ordinary_message_of_the_bots(
    playground: Playground, interaction: discord.Interaction
) -> None:
    answered = await interaction.response.send_message("运行中")
    playground.clock.advance(16 * 60)
    assert isinstance(interaction.channel, discord.TextChannel)
    message = interaction.channel.get_partial_message(answered.message_id or 0)
    assert (await message.edit(content="完成")).content == "完成"


async def test_an_ephemeral_answer_is_out_of_reach_for_the_bots_other_calls(
    interaction: discord.Interaction,
) -> None:
    answered = await interaction.response.send_message("悄悄", ephemeral=True)
    assert isinstance(interaction.channel, discord.TextChannel)
    assert await refusal(interaction.channel.fetch_message(answered.message_id or 0)) == (
        404,
        10008,
    )
    assert [message async for message in interaction.channel.history()] == []


async def test_a_deferral_decides_on_ephemeral(
    interaction: discord.Interaction, ming: Learner
) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    (thinking,) = await ming.messages()
    assert discord.MessageFlags._from_value(thinking["flags"]).loading
    await interaction.followup.send("公开？", ephemeral=False)
    (filled,) = await ming.messages()
    assert (filled["id"], filled["content"]) == (thinking["id"], "公开？")
    assert discord.MessageFlags._from_value(filled["flags"]) == discord.MessageFlags(ephemeral=True)


class Pages(discord.ui.View):
    @discord.ui.button(label="下一页", custom_id="next")
    async def turn(self, _interaction: discord.Interaction, _button: discord.ui.Button) -> None:
        """The test answers by hand."""


async def test_a_button_is_answered_by_an_update_or_by_a_reply(
    interaction: discord.Interaction, desk: Desk, ming: Learner
) -> None:
    await interaction.response.send_message("第 1 页", view=Pages())
    (message,) = await ming.messages()
    pressing = asyncio.create_task(ming.press(message, "next"))
    pressed = await desk.next()
    await pressed.response.defer()
    assert (await pressing)["state"] == "acknowledged"
    await pressed.edit_original_response(content="第 2 页")
    assert [one["content"] for one in await ming.messages()] == ["第 2 页"]
    pressing = asyncio.create_task(ming.press(message, "next"))
    pressed = await desk.next()
    await pressed.response.send_message("回复")
    await pressing
    reply = (await ming.messages())[-1]
    assert reply["message_reference"]["message_id"] == message["id"]
    assert reply["interaction_metadata"]["interacted_message_id"] == message["id"]


@pytest.mark.parametrize(
    "body",
    [
        {"type": 1},
        {"type": 6},
        {"type": 7, "data": {"content": "x"}},
        {"type": 8, "data": {"choices": []}},
        {"type": 4, "data": {"content": "x", "unknown": 1}},
        {"type": 4},
        {"type": 9, "data": {"custom_id": "m", "title": "t", "components": []}},
        {"type": 9, "data": {"custom_id": "m", "title": "t" * 46, "components": [{"type": 10}]}},
        {
            "type": 9,
            "data": {
                "custom_id": "m",
                "title": "t",
                "components": [{"type": 10, "content": "x"}] * 6,
            },
        },
        {
            "type": 9,
            "data": {
                "custom_id": "m",
                "title": "t",
                "components": [
                    {
                        "type": 18,
                        "label": "x",
                        "component": {"type": 4, "custom_id": "a", "style": 1},
                    }
                ]
                * 2,
            },
        },
        {
            "type": 9,
            "data": {
                "custom_id": "m",
                "title": "t",
                "components": [
                    {
                        "type": 18,
                        "label": "x",
                        "component": {
                            "type": 21,
                            "custom_id": "a",
                            "options": [{"label": "a", "value": "a"}],
                        },
                    }
                ],
            },
        },
    ],
)
async def test_a_callback_that_does_not_fit_is_refused(
    playground: Playground, interaction: discord.Interaction, body: object
) -> None:
    assert await callback(playground, interaction, body) == (400, 50035)
    await interaction.response.send_message("还来得及")


async def test_a_command_may_be_answered_with_an_empty_message_by_nobody(
    playground: Playground, interaction: discord.Interaction
) -> None:
    empty = {"type": 4, "data": {"content": ""}}
    assert await callback(playground, interaction, empty) == (400, 50006)


@pytest.mark.usefixtures("desk")
async def test_twenty_five_choices_and_no_more(
    playground: Playground, bot: commands.AutoShardedBot, ming: Learner
) -> None:
    choices = await ming.autocomplete("do", "text", text="选")
    assert [choice["name"] for choice in choices] == [f"选{n}" for n in range(25)]
    bot.tree.clear_commands(guild=None)
    caught: asyncio.Queue[discord.Interaction] = asyncio.Queue()
    bot.tree.interaction_check = lambda interaction: _keep(caught, interaction)
    completing = asyncio.create_task(ming.autocomplete("do", "text", text="选"))
    interaction = await asyncio.wait_for(caught.get(), 5)
    many = [{"name": str(n), "value": str(n)} for n in range(26)]
    body = {"type": 8, "data": {"choices": many}}
    assert await callback(playground, interaction, body) == (400, 50035)
    message = {"type": 4, "data": {"content": "x"}}
    assert await callback(playground, interaction, message) == (400, 50035)
    playground.clock.advance(3)
    with pytest.raises(LearnerError, match="No completions"):
        await completing


async def _keep(
    caught: "asyncio.Queue[discord.Interaction]", interaction: discord.Interaction
) -> bool:
    await caught.put(interaction)
    return False


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ({"none": 1}, "No option none"),
        ({"text": 5}, "wrong kind"),
    ],
)
@pytest.mark.usefixtures("desk")
async def test_what_a_client_would_not_send_is_refused(
    ming: Learner, options: dict[str, object], refused: str
) -> None:
    with pytest.raises(LearnerError, match=refused):
        await ming.slash("do", "general", **options)


@pytest.mark.parametrize(
    "command",
    [
        {"name": "Ask", "description": "x"},
        {"name": "a b", "description": "x"},
        {"name": "x" * 33, "description": "x"},
        {"name": "ask", "description": ""},
        {"name": "ask", "description": "x" * 101},
        {"name": "ask", "description": "x", "unknown": 1},
        {"name": "ask", "description": "x", "name_localizations": {"zh": "问"}},
        {"name": "ask", "description": "x", "name_localizations": {"zh-CN": "提 问"}},
        {
            "name": "ask",
            "description": "x",
            "options": [{"type": 3, "name": "A", "description": "x"}],
        },
        {
            "name": "ask",
            "description": "x",
            "options": [
                {"type": 3, "name": "a", "description": "x"},
                {"type": 3, "name": "b", "description": "x", "required": True},
            ],
        },
        {
            "name": "ask",
            "description": "x",
            "options": [{"type": 3, "name": "a", "description": "x"}] * 2,
        },
        {
            "name": "ask",
            "description": "x",
            "options": [{"type": 3, "name": f"a{n}", "description": "x"} for n in range(26)],
        },
        {
            "name": "ask",
            "description": "x",
            "options": [
                {
                    "type": 3,
                    "name": "a",
                    "description": "x",
                    "choices": [{"name": str(n), "value": str(n)} for n in range(26)],
                }
            ],
        },
        {
            "name": "ask",
            "description": "x",
            "options": [
                {
                    "type": 3,
                    "name": f"a{n}",
                    "description": "x" * 100,
                    "choices": [{"name": f"{m}" * 50, "value": "x" * 50} for m in range(9)],
                }
                for n in range(9)
            ],
        },
        {
            "name": "ask",
            "description": "x",
            "options": [
                {
                    "type": 3,
                    "name": "a",
                    "description": "x",
                    "autocomplete": True,
                    "choices": [{"name": "a", "value": "a"}],
                }
            ],
        },
    ],
)
async def test_a_command_over_the_limits_is_refused(
    playground: Playground, command: dict[str, object]
) -> None:
    path = f"/applications/{playground.world.directory.application.id}/commands"
    headers = {"Authorization": f"Bot {playground.bot_token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.put(playground.api_url + path, json=[command]) as response,
    ):
        assert (response.status, (await response.json())["code"]) == (400, 50035)
    assert playground.world.commands.of(None) == []


@pytest.mark.usefixtures("desk")
async def test_commands_keep_their_ids_and_carry_localizations(
    bot: commands.AutoShardedBot, ming: Learner
) -> None:
    (first,) = await bot.tree.fetch_commands()
    guild = bot.guilds[0]
    extra = app_commands.Command(name="quiz", description="Quiz", callback=_never, extras={})
    bot.tree.add_command(extra, guild=guild)
    await bot.tree.set_translator(Translator())
    await bot.tree.sync(guild=guild)
    (same,) = await bot.tree.sync()
    assert same.id == first.id
    assert same.name_localizations == {discord.Locale.chinese: "译-do"}
    offered = await ming.commands()
    assert [command["name"] for command in offered] == ["quiz", "do"]
    assert offered[1]["name_localizations"] == {"zh-CN": "译-do"}
    renamed = await same.edit(description="Else")
    assert (renamed.id, renamed.description) == (first.id, "Else")
    await renamed.delete()
    assert await bot.tree.fetch_commands() == []


async def _never(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("never")


class Translator(app_commands.Translator):
    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        is_name = context.location is app_commands.TranslationContextLocation.command_name
        return f"译-{string}" if is_name and locale is discord.Locale.chinese else None

"""Lines break, sessions resume or don't, and the world goes on."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import aiohttp
import discord
import pytest
from discord.ext import commands

from bot.playground.learner import Learner
from bot.playground.server import Playground, open_playground
from bot.playground.wire import CloseCode, Opcode

Connect = Callable[..., AbstractAsyncContextManager[commands.AutoShardedBot]]


@pytest.fixture
async def ming(playground: Playground) -> AsyncIterator[Learner]:
    async with Learner(playground.url, "小明") as learner:
        yield learner


def heard_by(bot: commands.AutoShardedBot) -> "asyncio.Queue[discord.Message]":
    heard: asyncio.Queue[discord.Message] = asyncio.Queue()
    bot.add_listener(heard.put, "on_message")
    return heard


async def event(bot: commands.AutoShardedBot, name: str) -> None:
    """Wait until discord.py tells of something."""
    happened = asyncio.Event()

    async def note(*_arguments: object) -> None:
        happened.set()

    bot.add_listener(note, name)
    await asyncio.wait_for(happened.wait(), 15)
    bot.remove_listener(note, name)


@pytest.mark.parametrize("how", ["drop", "reconnect", "resumable"])
async def test_what_was_missed_is_replayed_on_resumption(
    playground: Playground, bot: commands.AutoShardedBot, ming: Learner, how: str
) -> None:
    heard = heard_by(bot)
    resumed = asyncio.create_task(event(bot, "on_resumed"))
    await asyncio.sleep(0)
    if how == "drop":
        playground.gateway.drop_connections()
    elif how == "reconnect":
        playground.gateway.ask_to_reconnect()
    else:
        playground.gateway.invalidate(resumable=True)
    await ming.say("第一")
    await ming.say("第二")
    await resumed
    assert [(await asyncio.wait_for(heard.get(), 5)).content for _ in range(2)] == ["第一", "第二"]
    await ming.say("第三")
    assert (await asyncio.wait_for(heard.get(), 5)).content == "第三"
    assert heard.empty()


async def test_a_refused_resumption_begins_a_new_session(
    playground: Playground, bot: commands.AutoShardedBot, ming: Learner
) -> None:
    heard = heard_by(bot)
    playground.faults.refuse_resumes()
    ready = asyncio.create_task(event(bot, "on_shard_ready"))
    await asyncio.sleep(0)
    playground.gateway.drop_connections()
    await ming.say("没人听到")
    await ready
    await ming.say("听到了")
    assert (await asyncio.wait_for(heard.get(), 5)).content == "听到了"
    assert [one["content"] for one in await ming.messages()] == ["没人听到", "听到了"]


async def test_the_world_outlives_the_bot(connect: Connect, ming: Learner) -> None:
    class Again(discord.ui.View):
        @discord.ui.button(label="再来", custom_id="again")
        async def again(self, interaction: discord.Interaction, _button: discord.ui.Button) -> None:
            await interaction.response.edit_message(content="还在", view=None)

    def prepare(bot: commands.AutoShardedBot) -> None:
        @bot.tree.command(description="Run")
        async def run(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("结果", view=Again(timeout=None))

    async with connect(prepare=prepare) as first:
        await first.tree.sync()
        await ming.wait_for_bot()
        await ming.slash("run")
    assert not (await ming.state())["bot"]["online"]
    (message,) = await ming.messages()
    async with connect() as second:
        second.add_view(Again(timeout=None))
        assert (await ming.press(message, "again"))["state"] == "acknowledged"
        (command,) = await second.tree.fetch_commands()
        assert command.name == "run"
    assert [one["content"] for one in await ming.messages()] == ["还在"]


async def test_without_the_intent_others_messages_come_without_content(
    connect: Connect, ming: Learner
) -> None:
    async with connect(intents=discord.Intents.default()) as bot:
        heard = heard_by(bot)
        await ming.say("悄悄话")
        await ming.mention("你好")
        await ming.dm("私信")
        contents = [(await asyncio.wait_for(heard.get(), 5)).content for _ in range(3)]
        assert contents == ["", f"<@{ming.bot_id}> 你好", "私信"]
        (guild,) = bot.guilds
        assert guild.member_count == 4
        assert [member.name for member in guild.members] == ["学伴"]
        found = await guild.query_members("小", limit=5)
        assert [member.name for member in found] == ["小明"]


async def test_intents_that_are_not_granted_end_the_client(
    playground: Playground, connect: Connect
) -> None:
    playground.faults.refuse_intents()
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with connect():
            pass


class Line:
    """A gateway connection by hand."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, op: int, content: object = None) -> None:
        await self._socket.send_str(json.dumps({"op": op, "d": content}))

    async def send_text(self, text: str) -> None:
        await self._socket.send_str(text)

    async def next(self) -> dict[str, object]:
        return json.loads(await self._socket.receive_str(timeout=5))

    async def end(self) -> int | None:
        while not self._socket.closed:
            await self._socket.receive(timeout=5)
        return self._socket.close_code

    async def close(self, code: int) -> None:
        await self._socket.close(code=code)


@pytest.fixture
async def line(playground: Playground) -> AsyncIterator[Line]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(playground.gateway_url) as socket,
    ):
        opened = Line(socket)
        assert (await opened.next())["op"] == Opcode.HELLO
        yield opened


def identity(playground: Playground, **more: object) -> dict[str, object]:
    return {"token": playground.bot_token, "intents": 1, "properties": {}, **more}


@pytest.mark.parametrize(
    ("op", "content", "code"),
    [
        (Opcode.IDENTIFY, {"token": "wrong", "intents": 1}, CloseCode.AUTHENTICATION_FAILED),
        (Opcode.IDENTIFY, {"intents": 1 << 40}, CloseCode.INVALID_INTENTS),
        (Opcode.IDENTIFY, {"shard": [2, 2]}, CloseCode.INVALID_SHARD),
        (Opcode.PRESENCE_UPDATE, {}, CloseCode.NOT_AUTHENTICATED),
    ],
)
async def test_a_false_start_is_closed_with_discords_code(
    playground: Playground, line: Line, op: int, content: dict[str, object], code: int
) -> None:
    await line.send(op, identity(playground, **content))
    assert await line.end() == code


async def test_nonsense_is_closed_with_discords_code(playground: Playground, line: Line) -> None:
    await line.send(Opcode.IDENTIFY, identity(playground))
    await line.send(99)
    assert await line.end() == CloseCode.UNKNOWN_OPCODE


async def test_what_is_no_json_is_closed_with_discords_code(line: Line) -> None:
    await line.send_text("{")
    assert await line.end() == CloseCode.DECODE_ERROR


async def test_sequence_numbers_rise_by_one(playground: Playground, line: Line) -> None:
    await line.send(Opcode.IDENTIFY, identity(playground))
    ready, guild = await line.next(), await line.next()
    assert [(one["t"], one["s"]) for one in (ready, guild)] == [("READY", 1), ("GUILD_CREATE", 2)]
    await line.send(Opcode.HEARTBEAT, 2)
    assert (await line.next())["op"] == Opcode.HEARTBEAT_ACK


async def test_a_shard_hears_of_its_own_guilds_alone(playground: Playground, line: Line) -> None:
    (guild_id,) = playground.world.directory.guilds
    other = 1 - (guild_id >> 22) % 2
    await line.send(Opcode.IDENTIFY, identity(playground, shard=[other, 2]))
    ready = await line.next()
    assert isinstance(ready["d"], dict)
    assert ready["d"]["guilds"] == []


async def test_a_client_without_heartbeats_is_let_go() -> None:
    async with (
        open_playground(heartbeat_interval=0.05) as opened,
        aiohttp.ClientSession() as session,
        session.ws_connect(opened.gateway_url) as socket,
    ):
        assert await Line(socket).end() == CloseCode.SESSION_TIMED_OUT


async def test_a_bot_goes_offline_with_its_line(playground: Playground, ming: Learner) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(playground.gateway_url) as socket,
    ):
        opened = Line(socket)
        await opened.next()
        await opened.send(Opcode.IDENTIFY, identity(playground))
        await ming.wait_for_bot()
        await opened.close(1000)
    async with asyncio.timeout(5):
        kinds = [event["type"] async for event in until(ming, "bot_offline")]
    assert kinds == ["bot_online", "bot_offline"]


async def until(learner: Learner, kind: str) -> AsyncIterator[dict[str, object]]:
    async for happened in learner.events():
        yield happened
        if happened["type"] == kind:
            return

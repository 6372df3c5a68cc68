"""Messages of a real bot: files, edits, replies, pings, history, and what Discord refuses."""

import asyncio
import io
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable

import aiohttp
import discord
import pytest
from discord.ext import commands
from discord.http import Route

from bot.playground.learner import Learner
from bot.playground.server import Playground
from bot.playground.values import Draft


@pytest.fixture
async def ming(playground: Playground) -> AsyncIterator[Learner]:
    async with Learner(playground.url, "小明") as learner:
        yield learner


@pytest.fixture
def general(bot: commands.AutoShardedBot) -> discord.TextChannel:
    channel = discord.utils.get(bot.get_all_channels(), name="general")
    assert isinstance(channel, discord.TextChannel)
    return channel


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    rows = b"".join(b"\0" + b"\xff\0\0" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def picture(name: str = "曲线.png", alt: str | None = "损失曲线") -> discord.File:
    return discord.File(io.BytesIO(png(4, 3)), filename=name, description=alt)


async def test_a_picture_keeps_its_bytes_its_size_and_its_alt_text(
    general: discord.TextChannel,
) -> None:
    message = await general.send("图", file=picture())
    (attachment,) = message.attachments
    assert attachment.description == "损失曲线"
    assert (attachment.width, attachment.height) == (4, 3)
    assert attachment.content_type == "image/png"
    assert await attachment.read() == png(4, 3)


async def test_an_edit_keeps_replaces_and_drops_files(general: discord.TextChannel) -> None:
    message = await general.send("图", files=[picture("a.png"), picture("b.png")])
    edited = await message.edit(content="只改字")
    assert [one.filename for one in edited.attachments] == ["a.png", "b.png"]
    edited = await edited.edit(attachments=[edited.attachments[1], picture("c.png", "新")])
    assert [one.filename for one in edited.attachments] == ["b.png", "c.png"]
    assert edited.attachments[1].description == "新"
    edited = await edited.edit(attachments=[])
    assert edited.attachments == []
    assert edited.content == "只改字"


async def test_an_embed_shows_an_attached_picture(
    general: discord.TextChannel, ming: Learner
) -> None:
    embed = discord.Embed(title="结果").set_image(url="attachment://plot.png")
    message = await general.send(embed=embed, file=picture("plot.png"))
    (shown,) = message.embeds
    assert shown.image.url is not None
    assert message.attachments == []
    async with aiohttp.ClientSession() as session, session.get(shown.image.url) as response:
        assert await response.read() == png(4, 3)
    (seen,) = await ming.messages()
    assert seen["embeds"][0]["image"]["description"] == "损失曲线"


async def test_a_layout_of_components_v2_is_sent(general: discord.TextChannel) -> None:
    view = discord.ui.LayoutView()
    gallery = discord.ui.MediaGallery(discord.MediaGalleryItem("attachment://plot.png"))
    row = discord.ui.ActionRow(discord.ui.Button(label="再来", custom_id="again"))
    section = discord.ui.Section(
        "文字", accessory=discord.ui.Button(label="更多", custom_id="more")
    )
    view.add_item(
        discord.ui.Container(
            discord.ui.TextDisplay("# 结果"), discord.ui.Separator(), section, gallery, row
        )
    )
    message = await general.send(view=view, file=picture("plot.png"))
    assert message.flags.components_v2
    assert message.content == ""
    (container,) = message.components
    assert isinstance(container, discord.Container)
    assert [type(child).__name__ for child in container.children] == [
        "TextDisplay",
        "SeparatorComponent",
        "SectionComponent",
        "MediaGalleryComponent",
        "ActionRow",
    ]
    with pytest.raises(discord.HTTPException) as refused:
        await message.edit(content="正文")
    assert refused.value.code == 50035


async def test_history_pages_in_every_direction(
    playground: Playground, general: discord.TextChannel, ming: Learner
) -> None:
    channel = playground.world.directory.channel(general.id)
    author = playground.world.directory.user(int(ming.id))
    sent = [
        playground.world.conversation.send(channel, author.id, Draft(str(number)))
        for number in range(7)
    ]

    async def contents(**bounds: object) -> list[str]:
        return [message.content async for message in general.history(**bounds)]  # pyright: ignore[reportArgumentType] -- bounds by name

    middle = discord.Object(sent[3].id)
    assert await contents(limit=3) == ["6", "5", "4"]
    assert await contents(limit=2, before=middle) == ["2", "1"]
    assert await contents(limit=2, after=middle) == ["4", "5"]
    assert sorted(await contents(limit=3, around=middle)) == ["2", "3", "4"]


async def test_mentions_ping_only_what_is_allowed(
    general: discord.TextChannel, ming: Learner
) -> None:
    text = f"<@{ming.id}> @everyone `<@{ming.id}>`"
    named = await general.send(text)
    assert [user.id for user in named.mentions] == [int(ming.id)]
    assert named.mention_everyone
    silent = await general.send(text, allowed_mentions=discord.AllowedMentions.none())
    assert (silent.mentions, silent.mention_everyone) == ([], False)
    question = await ming.say("问")
    reply = await general.get_partial_message(int(question["id"])).reply(
        "答", allowed_mentions=discord.AllowedMentions(replied_user=False)
    )
    assert reply.mentions == []


async def test_a_nonce_sends_once(general: discord.TextChannel, ming: Learner) -> None:
    http = general._state.http
    payload = {"content": "一次", "nonce": "n1", "enforce_nonce": True}
    route = Route("POST", "/channels/{channel_id}/messages", channel_id=general.id)
    first = await http.request(route, json=payload)
    again = await http.request(route, json=payload)
    assert first["id"] == again["id"]
    assert len(await ming.messages()) == 1


async def test_reactions_and_typing_of_the_bot_are_seen(
    general: discord.TextChannel, ming: Learner
) -> None:
    question = await ming.say("问")
    message = await general.fetch_message(int(question["id"]))
    await message.add_reaction("🤔")
    async with general.typing():
        pass
    (seen,) = await ming.messages()
    (reaction,) = seen["reactions"]
    assert (reaction["emoji"]["name"], reaction["count"], reaction["me"]) == ("🤔", 1, False)
    await message.remove_reaction("🤔", discord.Object(general.guild.me.id))
    assert "reactions" not in (await ming.messages())[0]
    kinds: list[str] = []
    async with asyncio.timeout(5):
        async for event in ming.events():
            kinds.append(event["type"])
            if kinds.count("reaction") == 2:
                break
    assert kinds == ["message_create", "reaction", "typing", "reaction"]


async def test_a_thread_of_the_bot_can_be_written_in_and_archived(
    general: discord.TextChannel, ming: Learner
) -> None:
    message = await general.send("题")
    thread = await message.create_thread(name="讨论", auto_archive_duration=60)
    assert thread.id == message.id
    await thread.send("在这里")
    contents = [one["content"] for one in await ming.messages(str(thread.id))]
    assert contents == ["", "在这里"]
    alone = await general.create_thread(name="独立", type=discord.ChannelType.public_thread)
    assert alone.parent_id == general.id
    edited = await thread.edit(archived=True)
    assert edited.archived
    await ming.say("再问", str(thread.id))
    assert isinstance(fetched := await general.guild.fetch_channel(thread.id), discord.Thread)
    assert not fetched.archived


async def test_the_bot_writes_to_a_learner_first(
    bot: commands.AutoShardedBot, ming: Learner
) -> None:
    user = await bot.fetch_user(int(ming.id))
    await user.send("你好")
    (message,) = await ming.messages(await ming.open_dm())
    assert message["content"] == "你好"


async def refusal(act: Awaitable[object]) -> tuple[int, int]:
    with pytest.raises(discord.HTTPException) as refused:
        await act
    return refused.value.status, refused.value.code


async def test_content_is_counted_in_characters_and_must_not_be_empty(
    general: discord.TextChannel,
) -> None:
    assert len((await general.send("题🤔" * 1000)).content) == 2000
    assert await refusal(general.send("x" * 2001)) == (400, 50035)
    assert await refusal(general.send("")) == (400, 50006)
    assert await refusal(general.send(" \n ")) == (400, 50006)
    message = await general.send("有")
    assert await refusal(message.edit(content="")) == (400, 50006)


async def test_errors_say_where_in_discords_nested_form(general: discord.TextChannel) -> None:
    embeds = [discord.Embed(title="好"), discord.Embed(title="x" * 257)]
    with pytest.raises(discord.HTTPException) as refused:
        await general.send(embeds=embeds)
    assert refused.value.text == (
        "Invalid Form Body\nIn embeds.1.title: Must be 256 or fewer in length."
    )


async def test_embeds_are_limited_over_all(general: discord.TextChannel) -> None:
    embeds = [discord.Embed(description="x" * 3000), discord.Embed(description="x" * 3001)]
    assert await refusal(general.send(embeds=embeds)) == (400, 50035)


async def test_others_messages_are_not_the_bots_to_change(
    general: discord.TextChannel, ming: Learner
) -> None:
    question = await ming.say("问")
    message = await general.fetch_message(int(question["id"]))
    assert await refusal(message.edit(content="改")) == (403, 50005)
    assert await refusal(message.delete()) == (403, 50013)
    assert await refusal(general.fetch_message(1)) == (404, 10008)
    assert await refusal(general.get_partial_message(1).reply("?")) == (400, 50035)


async def test_an_old_message_is_edited_three_times_and_no_more(
    playground: Playground, general: discord.TextChannel
) -> None:
    message = await general.send("0")
    playground.clock.advance(3601)
    for number in range(3):
        message = await message.edit(content=str(number))
    answered = await raw(
        playground, "PATCH", f"/channels/{general.id}/messages/{message.id}", {"content": "4"}
    )
    assert answered == (429, 30046)


async def test_files_that_are_too_large_are_refused(general: discord.TextChannel) -> None:
    large = discord.File(io.BytesIO(b"x" * (10 * 1024 * 1024 + 1)), "large.bin")
    assert await refusal(general.send(file=large)) == (413, 40005)


async def test_a_channel_without_permission_is_refused(
    playground: Playground, general: discord.TextChannel
) -> None:
    assert await refusal(general.edit(topic="x")) == (403, 50013)
    assert await refusal(general.delete()) == (403, 50013)
    assert await raw(playground, "GET", "/channels/1") == (404, 10003)


async def raw(
    playground: Playground, method: str, path: str, body: object = None, token: str | None = None
) -> tuple[int, int]:
    """Status and code of a request that discord.py would not make."""
    headers = {"Authorization": f"Bot {token or playground.bot_token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, playground.api_url + path, json=body) as response,
    ):
        return response.status, (await response.json()).get("code")


def row(*components: object) -> list[object]:
    return [{"type": 1, "components": list(components)}]


def button(**more: object) -> dict[str, object]:
    return {"type": 2, "style": 1, "label": "x", "custom_id": "a", **more}


def select(**more: object) -> dict[str, object]:
    return {"type": 3, "custom_id": "s", "options": [{"label": "l", "value": "v"}], **more}


TEXT = {"type": 10, "content": "x"}


@pytest.mark.parametrize(
    "body",
    [
        {"content": "x", "colour": "red"},
        {"content": 5},
        {"content": "x", "components": [button()]},
        {"content": "x", "components": row(button(custom_id=None))},
        {"content": "x", "components": row(button(custom_id="x" * 101))},
        {"content": "x", "components": row(button(label=""))},
        {"content": "x", "components": row(button(style=5))},
        {"content": "x", "components": row(button(style=5, url="https://a.b"))},
        {"content": "x", "components": row(button(), button())},
        {"content": "x", "components": row(*(button(custom_id=str(n)) for n in range(6)))},
        {"content": "x", "components": row()},
        {"content": "x", "components": row(select(), button())},
        {"content": "x", "components": row(select(options=[]))},
        {"content": "x", "components": row(select(max_values=2))},
        {"content": "x", "components": row(select(options=[{"label": "l", "value": "v"}] * 2))},
        {"content": "x", "components": row(select(placeholder="x" * 151))},
        {"content": "x", "components": [row(button(custom_id=str(n)))[0] for n in range(6)]},
        {"content": "x", "components": [TEXT]},
        {"content": "x", "components": [TEXT], "flags": 1 << 15},
        {"components": [{"type": 10, "content": "x" * 2001}] * 2, "flags": 1 << 15},
        {"components": [TEXT] * 41, "flags": 1 << 15},
        {"components": [{"type": 99}], "flags": 1 << 15},
        {"content": "x", "embeds": [{"title": "x", "image": {"url": "attachment://no.png"}}]},
        {"content": "x", "embeds": [{"title": "x", "url": "javascript:1"}]},
        {"content": "x", "embeds": [{"title": "x", "timestamp": "yesterday"}]},
        {"content": "x", "embeds": [{}]},
        {"content": "x", "embeds": [{"title": "x"}] * 11},
        {"content": "x", "embeds": [{"fields": [{"name": "x", "value": ""}]}]},
        {"content": "x", "attachments": [{"id": 3}]},
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        {"content": "x", "allowed_mentions": {"parse": ["all"]}},
        {"content": "x", "message_reference": {"message_id": "1"}},
        {"content": "x", "nonce": "x" * 26},
    ],
)
async def test_a_body_over_the_limits_is_refused(
    playground: Playground, body: dict[str, object]
) -> None:
    place = next(one for one in playground.world.directory.channels.values() if one.name == "study")
    path = f"/channels/{place.id}/messages"
    assert await raw(playground, "POST", path, body) == (400, 50035)
    assert playground.world.conversation.history(place.id, limit=1) == []


async def test_a_wrong_token_is_no_way_in(playground: Playground) -> None:
    assert await raw(playground, "GET", "/users/@me", token="wrong") == (401, 0)
    client = discord.Client(intents=discord.Intents.default())
    with pytest.raises(discord.LoginFailure):
        await client.start("wrong")
    await client.close()

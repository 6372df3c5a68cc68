"""The learners' HTTP side itself: its shapes, its refusals, its stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime

import aiohttp
import pytest

from bot.playground.learner import Learner
from bot.playground.server import Playground, open_playground


@pytest.fixture
async def session(playground: Playground) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(playground.url) as opened:
        yield opened


async def asked(
    session: aiohttp.ClientSession, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, dict[str, object]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with session.request(method, path, json=body, headers=named) as response:
        return response.status, await response.json()


async def test_the_state_names_everybody_and_every_place(session: aiohttp.ClientSession) -> None:
    status, state = await asked(session, "GET", "/learner/state")
    assert status == 200
    assert isinstance(state["bot"], dict)
    assert (state["bot"]["username"], state["bot"]["online"]) == ("学伴", False)
    assert isinstance(state["users"], list)
    assert [(user["username"], user["locale"], user["staff"]) for user in state["users"]] == [
        ("老师", "zh-CN", True),
        ("小明", "zh-CN", False),
        ("Alice", "en-US", False),
    ]
    assert isinstance(state["guilds"], list)
    (guild,) = state["guilds"]
    assert guild["name"] == "学习小组"
    assert [(channel["name"], channel["type"]) for channel in guild["channels"]] == [
        ("general", 0),
        ("study", 0),
    ]
    assert datetime.fromisoformat(str(state["now"])).tzinfo is not None


async def test_a_new_learner_joins_the_guild(
    session: aiohttp.ClientSession, playground: Playground
) -> None:
    body = {"username": "小红", "locale": "zh-CN", "staff": True}
    status, user = await asked(session, "POST", "/learner/users", body)
    assert (status, user["username"], user["staff"]) == (200, "小红", True)
    async with Learner(playground.url, "小红") as learner:
        assert (await learner.say("大家好"))["content"] == "大家好"
    status, answer = await asked(session, "POST", "/learner/users", body)
    assert status == 409
    assert isinstance(answer["error"], dict)
    assert answer["error"]["code"] == "name_taken"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Host": "evil.example"}, 403),
    ],
)
async def test_other_pages_cannot_drive_it(
    session: aiohttp.ClientSession, headers: dict[str, str], status: int
) -> None:
    answered, _ = await asked(session, "POST", "/learner/clock", {"advance": 1}, **headers)
    assert answered == status


async def test_its_own_page_can_drive_it(
    session: aiohttp.ClientSession, playground: Playground
) -> None:
    own = {"Origin": playground.url}
    status, _ = await asked(session, "POST", "/learner/clock", {"advance": 1}, **own)
    assert status == 200


async def test_a_form_of_another_page_is_no_json(session: aiohttp.ClientSession) -> None:
    body = json.dumps({"advance": 1})
    async with session.post(
        "/learner/clock", data=body, headers={"Content-Type": "text/plain"}
    ) as response:
        assert response.status == 415


@pytest.mark.parametrize(
    ("method", "path", "body", "refused"),
    [
        ("GET", "/learner/channels/1/messages?as=小明", None, (404, "unknown_channel")),
        ("GET", "/learner/channels/x/messages?as=小明", None, (400, "invalid")),
        ("POST", "/learner/dm", {"as": "谁"}, (404, "unknown_user")),
        ("POST", "/learner/dm", {"as": "学伴"}, (404, "unknown_user")),
        ("POST", "/learner/dm", {}, (400, "invalid")),
        ("POST", "/learner/dm", ["as"], (400, "not_json")),
        ("POST", "/learner/clock", {"advance": -1}, (400, "invalid")),
        ("POST", "/learner/clock", {"advance": "soon"}, (400, "invalid")),
        ("POST", "/learner/clock", {"advance": 1e300}, (400, "invalid")),
        ("GET", "/learner/interactions/1", None, (404, "unknown_interaction")),
        ("POST", "/learner/modal", {"as": "小明", "interaction": "1"}, (404, "no_modal")),
        ("POST", "/learner/users", {"username": " "}, (400, "invalid_name")),
        ("GET", "/learner/events?as=小明&after=x", None, (400, "invalid")),
        ("GET", "/learner/events", None, (400, "invalid")),
    ],
)
async def test_what_cannot_be_done_is_said(
    session: aiohttp.ClientSession,
    method: str,
    path: str,
    body: object,
    refused: tuple[int, str],
) -> None:
    status, answer = await asked(session, method, path, body)
    assert isinstance(answer["error"], dict)
    assert (status, answer["error"]["code"]) == refused
    assert answer["error"]["message"]


async def test_a_message_has_its_limits_for_learners_too(
    session: aiohttp.ClientSession, playground: Playground
) -> None:
    channel = next(iter(playground.world.directory.channels))
    path = f"/learner/channels/{channel}/messages"
    for content, code in (("", "empty"), ("x" * 2001, "too_long")):
        status, answer = await asked(session, "POST", path, {"as": "小明", "content": content})
        assert isinstance(answer["error"], dict)
        assert (status, answer["error"]["code"]) == (400, code)


async def test_the_stream_replays_what_was_missed(playground: Playground) -> None:
    async with (
        Learner(playground.url, "小明") as learner,
        Learner(playground.url, "Alice") as alice,
    ):
        await learner.say("第一")
        first = await anext(learner.events())
        await learner.say("第二")
        await learner.dm("悄悄")
        await learner.say("第三")

        async def contents(of: Learner, after: int | None, count: int) -> list[str]:
            found: list[str] = []
            async with asyncio.timeout(5):
                async for event in of.events(after):
                    if event["type"] == "message_create":
                        found.append(event["message"]["content"])
                    if len(found) == count:
                        break
            return found

        assert await contents(learner, first["number"], 3) == ["第二", "悄悄", "第三"]
        assert await contents(alice, None, 3) == ["第一", "第二", "第三"]


async def test_an_edit_is_replayed_as_it_was_then(playground: Playground) -> None:
    async with Learner(playground.url, "小明") as learner:
        message = await learner.say("题")
        await learner.react(message, "👍")
        await learner.react(message, "👍", remove=True)
        async with asyncio.timeout(5):
            removed: list[bool] = []
            async for event in learner.events():
                if event["type"] == "reaction":
                    removed.append(event["removed"])
                    assert ("reactions" in event["message"]) is not event["removed"]
                if len(removed) == 2:
                    break
        assert removed == [False, True]


async def test_the_clock_moves_on(session: aiohttp.ClientSession, playground: Playground) -> None:
    before = playground.clock.now()
    _, answer = await asked(session, "POST", "/learner/clock", {"advance": 86400})
    moved = datetime.fromisoformat(str(answer["now"])) - before
    assert 86400 <= moved.total_seconds() < 86460


async def test_the_bots_requests_can_be_read(
    session: aiohttp.ClientSession, playground: Playground
) -> None:
    url = playground.api_url + "/gateway"
    headers = {"Authorization": f"Bot {playground.bot_token}"}
    async with session.get(url, headers=headers) as response:
        assert response.status == 200
    _, answer = await asked(session, "GET", "/learner/requests")
    assert isinstance(answer["requests"], list)
    (record,) = answer["requests"]
    assert (record["method"], record["path"], record["status"]) == ("GET", "/gateway", 200)
    _, answer = await asked(session, "GET", f"/learner/requests?after={record['number']}")
    assert answer["requests"] == []


async def test_an_unseeded_playground_has_no_guild() -> None:
    async with open_playground(seed_world=False) as opened:
        assert opened.world.directory.guilds == {}
        assert {user.username for user in opened.world.directory.users.values()} == {"学伴", "老师"}

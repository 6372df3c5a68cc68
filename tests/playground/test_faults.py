"""Faults strike where and as often as asked, and a real client copes with them as it does."""

import asyncio
import time

import aiohttp
import discord
import pytest
from discord.ext import commands

from bot.playground.faults import Dropped, RateLimited, ServerError, Slow
from bot.playground.learner import Learner
from bot.playground.rates import Rates
from bot.playground.server import Playground

SEND = "POST /channels/*/messages"


@pytest.fixture
def general(bot: commands.AutoShardedBot) -> discord.TextChannel:
    channel = discord.utils.get(bot.get_all_channels(), name="general")
    assert isinstance(channel, discord.TextChannel)
    return channel


def statuses(playground: Playground, method: str) -> list[int]:
    return [
        record.status
        for record in playground.requests
        if record.method == method and record.template == "/channels/{channel_id}/messages"
    ]


async def test_a_rate_limit_with_via_is_waited_for(
    playground: Playground, general: discord.TextChannel
) -> None:
    playground.faults.add(RateLimited(retry_after=0.05), SEND, times=2)
    assert (await general.send("迟到")).content == "迟到"
    assert statuses(playground, "POST") == [429, 429, 200]


async def test_a_rate_limit_without_via_is_raised(
    playground: Playground, general: discord.TextChannel
) -> None:
    playground.faults.add(RateLimited(via=False), SEND)
    with pytest.raises(discord.HTTPException) as refused:
        await general.send("x")
    assert refused.value.status == 429
    assert (await general.send("再来")).content == "再来"


@pytest.mark.parametrize("status", [500, 502])
async def test_a_server_error_is_retried(
    playground: Playground, general: discord.TextChannel, status: int
) -> None:
    playground.faults.add(ServerError(status), SEND)
    await general.send("x")
    assert statuses(playground, "POST") == [status, 200]


async def test_a_slow_answer_comes_late(
    playground: Playground, general: discord.TextChannel
) -> None:
    playground.faults.add(Slow(0.3), SEND)
    begun = time.monotonic()
    await general.send("x")
    assert time.monotonic() - begun >= 0.3


@pytest.mark.parametrize(("after", "sent"), [(False, 0), (True, 1)])
async def test_a_cut_line_loses_the_request_or_its_answer(
    playground: Playground, general: discord.TextChannel, *, after: bool, sent: int
) -> None:
    playground.faults.add(Dropped(after=after), SEND)
    with pytest.raises(aiohttp.ClientError):
        await general.send("x")
    assert len([message async for message in general.history()]) == sent


async def test_faults_are_ordered_and_cleared_over_http(
    playground: Playground, general: discord.TextChannel
) -> None:
    async with aiohttp.ClientSession(playground.url) as session:
        fault = {"kind": "rate_limited", "route": SEND, "times": 1, "retry_after": 0.01}
        async with session.post("/learner/faults", json=fault) as response:
            assert response.status == 200
        await general.send("x")
        assert statuses(playground, "POST") == [429, 200]
        fault = {"kind": "server_error", "route": SEND, "times": 9}
        async with session.post("/learner/faults", json=fault) as response:
            assert response.status == 200
        async with session.delete("/learner/faults") as response:
            assert response.status == 200
        await general.send("y")
        assert statuses(playground, "POST") == [429, 200, 200]
        async with session.post("/learner/faults", json={"kind": "flood"}) as response:
            assert response.status == 400
            assert (await response.json())["error"]["code"] == "unknown_fault"
        async with session.post("/learner/faults", json={"kind": "drop_gateway"}) as response:
            assert response.status == 200
    async with Learner(playground.url, "小明") as learner, asyncio.timeout(10):
        async for event in learner.events(0):
            if event["type"] == "bot_offline":
                break
        await learner.wait_for_bot()


async def test_five_messages_in_five_seconds_and_the_headers_say_so(playground: Playground) -> None:
    channel = next(iter(playground.world.directory.channels))
    headers = {"Authorization": f"Bot {playground.bot_token}"}
    url = f"{playground.api_url}/channels/{channel}/messages"
    remaining: list[str] = []
    async with aiohttp.ClientSession(headers=headers) as session:
        for number in range(5):
            async with session.post(url, json={"content": str(number)}) as response:
                assert response.status == 200
                assert response.headers["X-RateLimit-Limit"] == "5"
                remaining.append(response.headers["X-RateLimit-Remaining"])
        async with session.post(url, json={"content": "6"}) as response:
            assert response.status == 429
            assert response.headers["Via"]
            assert 0 < (await response.json())["retry_after"] <= 5
    assert remaining == ["4", "3", "2", "1", "0"]


def test_a_window_ends_and_channels_count_apart() -> None:
    seconds = 0.0
    rates = Rates(lambda: seconds)

    def take(channel: str) -> bool:
        template = "/channels/{channel_id}/messages"
        return rates.take("POST", template, {"channel_id": channel}).allowed

    assert [take("1") for _ in range(6)] == [True] * 5 + [False]
    assert take("2")
    seconds = 5.0
    assert take("1")


def test_fifty_a_second_over_all_routes() -> None:
    rates = Rates(lambda: 0.0)
    verdicts = [rates.take("GET", f"/users/{number}", {}) for number in range(51)]
    assert [verdict.allowed for verdict in verdicts] == [True] * 50 + [False]
    assert verdicts[-1].everywhere

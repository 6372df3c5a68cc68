"""The pure parts: pings, permissions, ids, pictures, time."""

import asyncio
from datetime import timedelta

import pytest
from discord.utils import snowflake_time
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.clock import MovableClock
from bot.playground.errors import ApiError, FormError
from bot.playground.images import size_of
from bot.playground.mentions import AllowedMentions, mentions_in
from bot.playground.snowflakes import SnowflakeMint
from bot.playground.values import Mentions, Overwrite
from bot.playground.wire import ALL_PERMISSIONS, Permission, Snowflake
from bot.playground.world import World


@pytest.mark.parametrize(
    ("content", "allowed", "pinged"),
    [
        ("<@1> <@!2> <@1>", AllowedMentions(), Mentions(users=(Snowflake(1), Snowflake(2)))),
        ("<@&3> @here", AllowedMentions(), Mentions(roles=(Snowflake(3),), everyone=True)),
        ("<@1> <@2>", AllowedMentions(users=frozenset({2})), Mentions(users=(Snowflake(2),))),
        ("@everyone", AllowedMentions(everyone=False), Mentions()),
        ("`<@1>` ```\n@everyone\n<@2>```", AllowedMentions(), Mentions()),
    ],
)
def test_pings_are_what_is_named_and_allowed(
    content: str, allowed: AllowedMentions, pinged: Mentions
) -> None:
    assert mentions_in(content, allowed) == pinged


def test_an_overwrite_takes_and_gives_what_a_role_has() -> None:
    world = World(MovableClock())
    directory = world.directory
    (guild,) = directory.guilds.values()
    learner = next(user for user in directory.users.values() if user.username == "小明")
    closed = directory.add_channel(
        guild,
        "staff",
        (
            Overwrite(guild.id, for_member=False, allow=0, deny=Permission.VIEW_CHANNEL),
            Overwrite(learner.id, for_member=True, allow=Permission.VIEW_CHANNEL, deny=0),
        ),
    )
    assert directory.may_see(learner.id, closed)
    alice = next(user for user in directory.users.values() if user.username == "Alice")
    assert not directory.may_see(alice.id, closed)
    assert directory.permissions(guild.owner_id, closed) == ALL_PERMISSIONS
    with pytest.raises(ApiError, match="50001"):
        directory.require(alice.id, closed)
    with pytest.raises(ApiError, match="50013"):
        directory.require(learner.id, closed, Permission.MANAGE_CHANNELS)


@given(st.lists(st.floats(0, 10_000), max_size=20))
def test_ids_rise_and_tell_when_they_were_made(steps: list[float]) -> None:
    clock = MovableClock()
    mint = SnowflakeMint(clock)
    last = mint.mint()
    for seconds in steps:
        clock.advance(seconds)
        made = mint.mint()
        assert made > last
        assert abs((snowflake_time(made) - clock.now()).total_seconds()) < 60
        last = made


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (b"GIF89a\x05\x00\x07\x00", (5, 7)),
        (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08\x00\x07\x00\x05\x01", (5, 7)),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"\xff\xd8\xff", None),
        (b"hello", None),
        (b"", None),
    ],
)
def test_the_size_of_a_picture_is_read_or_unknown(
    content: bytes, size: tuple[int, int] | None
) -> None:
    assert size_of(content) == size


@given(st.binary(max_size=64))
def test_any_bytes_have_a_size_or_none(content: bytes) -> None:
    for start in (b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"GIF89a"):
        size = size_of(start + content)
        assert size is None or len(size) == 2


async def test_a_moved_clock_wakes_who_waits_for_it() -> None:
    clock = MovableClock()
    begun = clock.now()
    clock.advance(0)
    sleeper = asyncio.create_task(clock.sleep_until(begun + timedelta(days=365)))
    await asyncio.sleep(0)
    assert not sleeper.done()
    clock.advance(366 * 86400)
    await asyncio.wait_for(sleeper, 5)
    with pytest.raises(ValueError, match="moves on"):
        clock.advance(-1)


def test_a_form_error_nests_its_place() -> None:
    error = FormError.at("embeds.0.title", "CODE", "why")
    assert error.as_answer() == {
        "message": "Invalid Form Body",
        "code": 50035,
        "errors": {"embeds": {"0": {"title": {"_errors": [{"code": "CODE", "message": "why"}]}}}},
    }

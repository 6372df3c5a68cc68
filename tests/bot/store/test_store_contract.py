"""What every store does, in memory as in a database."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from bot.store.database import open_store
from bot.store.records import DailyQuestion, Miss, RunCard, Store, StudyChannel
from bot.store.testing import MemoryStore
from knowledge.language import Language

NOON = datetime(2026, 11, 2, 12, 0, 0, 123456, tzinfo=UTC)
TODAY = date(2026, 11, 2)
BIG = 2**63 - 1

CHANNEL = StudyChannel(
    channel_id=BIG,
    guild_id=1_300_000_000_000_000_000,
    hour=9,
    timezone="America/Argentina/Buenos_Aires",
    language=Language.ZH,
    started_by=42,
    started_at=NOON,
)
CARD = RunCard(
    job_id="job-1",
    example="tensorflow-simple-network",
    settings="epochs=2 说明='中文 🙂'",
    channel_id=BIG,
    message_id=BIG - 1,
    owner_id=7,
    guild_id=None,
    language=Language.EN,
    created_at=NOON,
)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Store]:
    if request.param == "memory":
        yield MemoryStore()
    else:
        async with open_store(f"sqlite:///{tmp_path}/xueban.sqlite3") as opened:
            yield opened


async def test_a_new_store_is_empty(store: Store) -> None:
    assert await store.study_channels() == ()
    assert await store.daily_questions(1) == ()
    assert await store.open_cards() == ()
    assert await store.misses() == ()
    assert await store.card("job-1") is None
    assert await store.note("commands") is None


async def test_a_study_channel_comes_back_as_it_was(store: Store) -> None:
    await store.start_study(CHANNEL)
    assert await store.study_channels() == (CHANNEL,)


async def test_study_channels_come_oldest_first(store: Store) -> None:
    younger = replace(CHANNEL, channel_id=1)
    older = replace(CHANNEL, channel_id=2, started_at=NOON - timedelta(microseconds=1))
    twin = replace(CHANNEL, channel_id=3)
    for channel in (twin, younger, older):
        await store.start_study(channel)
    assert await store.study_channels() == (older, younger, twin)


async def test_starting_again_replaces_what_was_kept(store: Store) -> None:
    await store.start_study(CHANNEL)
    again = replace(CHANNEL, hour=20, language=Language.EN, timezone="Asia/Shanghai")
    await store.start_study(again)
    assert await store.study_channels() == (again,)


async def test_stopping_forgets_one_channel_and_says_whether_there_was_one(store: Store) -> None:
    other = replace(CHANNEL, channel_id=5)
    await store.start_study(CHANNEL)
    await store.start_study(other)
    assert await store.stop_study(CHANNEL.channel_id) is True
    assert await store.stop_study(CHANNEL.channel_id) is False
    assert await store.study_channels() == (other,)


async def test_a_moment_of_another_zone_is_the_same_moment_later(store: Store) -> None:
    shanghai = NOON.astimezone(timezone(timedelta(hours=8)))
    await store.start_study(replace(CHANNEL, started_at=shanghai))
    (kept,) = await store.study_channels()
    assert kept.started_at == NOON
    assert kept.started_at.tzinfo is not None


async def test_a_day_is_claimed_once(store: Store) -> None:
    first = DailyQuestion(BIG, TODAY, "overfitting")
    assert await store.claim_daily_question(first) is True
    assert await store.claim_daily_question(replace(first, entry="dropout")) is False
    assert await store.claim_daily_question(first) is False
    assert await store.daily_questions(BIG) == (first,)


async def test_days_and_channels_are_claimed_apart(store: Store) -> None:
    tomorrow = DailyQuestion(BIG, TODAY + timedelta(days=1), "dropout")
    today = DailyQuestion(BIG, TODAY, "overfitting")
    elsewhere = DailyQuestion(6, TODAY, "overfitting")
    for question in (tomorrow, today, elsewhere):
        assert await store.claim_daily_question(question) is True
    assert await store.daily_questions(BIG) == (today, tomorrow)
    assert await store.daily_questions(6) == (elsewhere,)


async def test_a_claim_has_no_message_until_it_is_posted(store: Store) -> None:
    claim = DailyQuestion(BIG, TODAY, "overfitting")
    await store.claim_daily_question(claim)
    await store.claim_daily_question(replace(claim, channel_id=6))
    await store.posted_daily_question(BIG, TODAY, BIG - 5)
    assert await store.daily_questions(BIG) == (replace(claim, message_id=BIG - 5),)
    assert await store.daily_questions(6) == (replace(claim, channel_id=6),)


async def test_questions_outlive_the_study_channel(store: Store) -> None:
    await store.start_study(CHANNEL)
    claim = DailyQuestion(CHANNEL.channel_id, TODAY, "overfitting")
    await store.claim_daily_question(claim)
    await store.stop_study(CHANNEL.channel_id)
    assert await store.daily_questions(CHANNEL.channel_id) == (claim,)


async def test_of_many_claims_at_once_one_wins(store: Store) -> None:
    claims = [DailyQuestion(BIG, TODAY, f"entry-{number}") for number in range(12)]
    won = await asyncio.gather(*(store.claim_daily_question(claim) for claim in claims))
    assert sorted(won) == [False] * 11 + [True]
    assert await store.daily_questions(BIG) == (claims[won.index(True)],)


async def test_a_card_comes_back_as_it_was(store: Store) -> None:
    await store.open_card(CARD)
    assert await store.card("job-1") == CARD
    assert await store.open_cards() == (CARD,)


async def test_open_cards_come_oldest_first_and_leave_when_delivered(store: Store) -> None:
    older = replace(CARD, job_id="job-2", created_at=NOON - timedelta(days=1), guild_id=3)
    await store.open_card(CARD)
    await store.open_card(older)
    assert await store.open_cards() == (older, CARD)
    await store.deliver_card("job-2")
    assert await store.open_cards() == (CARD,)
    assert await store.card("job-2") == replace(older, delivered=True)


async def test_a_moved_card_is_carried_by_another_message(store: Store) -> None:
    other = replace(CARD, job_id="job-2")
    await store.open_card(CARD)
    await store.open_card(other)
    await store.move_card("job-1", 99)
    assert await store.card("job-1") == replace(CARD, message_id=99)
    assert await store.card("job-2") == other


async def test_opening_a_card_again_replaces_it(store: Store) -> None:
    await store.open_card(CARD)
    await store.open_card(replace(CARD, message_id=5))
    assert await store.open_cards() == (replace(CARD, message_id=5),)


async def test_what_concerns_an_unknown_job_or_day_changes_nothing(store: Store) -> None:
    await store.move_card("job-9", 1)
    await store.deliver_card("job-9")
    await store.posted_daily_question(BIG, TODAY, 1)
    assert await store.card("job-9") is None
    assert await store.daily_questions(BIG) == ()


async def test_misses_come_oldest_first_and_equal_ones_are_all_kept(store: Store) -> None:
    later = Miss("红烧肉怎么做", Language.ZH, None, NOON, 0.125)
    earlier = Miss("who won?", Language.EN, 3, NOON - timedelta(hours=1), 0.0)
    for miss in (later, earlier, later):
        await store.keep_miss(miss)
    assert await store.misses() == (earlier, later, later)


async def test_a_note_is_replaced(store: Store) -> None:
    await store.set_note("commands", "one")
    await store.set_note("commands", "二" * 5000)
    await store.set_note("other", "")
    assert await store.note("commands") == "二" * 5000
    assert await store.note("other") == ""

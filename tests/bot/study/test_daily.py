"""The question of the day, over zones, outages and restarts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.store.records import DailyQuestion, StudyChannel
from bot.study.daily import (
    NewQuestion,
    UnpostedQuestion,
    due_day,
    due_question,
    moment_of,
    next_entry,
    next_moment,
)
from knowledge.entry import EntryId
from knowledge.language import Language

ENTRIES = tuple(EntryId(f"entry-{number}") for number in range(5))
# Zones with summer time at 2:00, at midnight, by half an hour, without, and far from UTC.
ZONES = (
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Africa/Cairo",
    "Asia/Beirut",
    "America/Havana",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "America/Scoresbysund",
    "UTC",
)


def channel_of(
    zone: str = "Asia/Shanghai",
    hour: int = 9,
    started: datetime = datetime(2020, 1, 1, tzinfo=UTC),
    channel_id: int = 1,
) -> StudyChannel:
    return StudyChannel(channel_id, 2, hour, zone, Language.ZH, 3, started)


def at(zone: str, *parts: int, fold: int = 0) -> datetime:
    year, month, day, *rest = parts
    return datetime(year, month, day, *rest, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


zones = st.sampled_from(ZONES)
hours = st.integers(0, 23)
moments = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 - Hypothesis wants naive bounds
    datetime(2027, 12, 31),  # noqa: DTZ001 - same
    timezones=st.just(UTC),
)


# When

LONGEST_WAIT = timedelta(hours=49)
"""From one hour to the next where a zone skips a day."""


def test_the_question_is_due_from_its_hour_on_until_the_next_ones_hour() -> None:
    channel = channel_of(started=at("Asia/Shanghai", 2026, 11, 2, 8))
    zone = channel.timezone
    day = date(2026, 11, 2)
    assert due_day(channel, at(zone, 2026, 11, 2, 8, 59, 59)) is None
    assert due_day(channel, at(zone, 2026, 11, 2, 9)) == day
    assert due_day(channel, at(zone, 2026, 11, 2, 23, 59, 59)) == day
    assert due_day(channel, at(zone, 2026, 11, 3, 8, 59, 59)) == day
    assert due_day(channel, at(zone, 2026, 11, 3, 9)) == date(2026, 11, 3)


@pytest.mark.parametrize(
    ("started", "first"),
    [
        ((2026, 11, 2, 8, 59), date(2026, 11, 2)),
        ((2026, 11, 2, 9, 0), date(2026, 11, 2)),
        ((2026, 11, 2, 9, 0, 1), date(2026, 11, 3)),
        ((2026, 11, 2, 23, 59), date(2026, 11, 3)),
    ],
)
def test_a_channel_started_after_the_hour_waits_for_tomorrow(
    started: Sequence[int], first: date
) -> None:
    zone = "Asia/Shanghai"
    channel = channel_of(started=at(zone, *started))
    noons = (at(zone, 2026, 11, day, 23, 59, 59) for day in (2, 3))
    assert next(filter(None, (due_day(channel, noon) for noon in noons))) == first


@pytest.mark.parametrize(
    ("zone", "hour", "day", "moment"),
    [
        # Clocks go from 2:00 to 3:00, and from 3:00 back to 2:00.
        ("Europe/Berlin", 2, date(2026, 3, 29), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("Europe/Berlin", 3, date(2026, 3, 29), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("Europe/Berlin", 2, date(2026, 10, 25), datetime(2026, 10, 25, 0, tzinfo=UTC)),
        ("Europe/Berlin", 3, date(2026, 10, 25), datetime(2026, 10, 25, 2, tzinfo=UTC)),
        # There is no midnight: from 0:00 to 1:00.
        ("Africa/Cairo", 0, date(2026, 4, 24), datetime(2026, 4, 23, 22, tzinfo=UTC)),
        # By half an hour, from 2:00 to 2:30.
        ("Australia/Lord_Howe", 2, date(2026, 10, 4), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ],
)
def test_an_hour_that_clocks_skip_or_repeat_comes_once(
    zone: str, hour: int, day: date, moment: datetime
) -> None:
    channel = channel_of(zone, hour)
    assert moment_of(channel, day) == moment
    assert due_day(channel, moment - timedelta(seconds=1)) != day
    assert due_day(channel, moment) == day


def test_a_day_that_a_zone_skips_has_no_question() -> None:
    channel = channel_of("Pacific/Apia", 9, started=datetime(2011, 1, 1, tzinfo=UTC))
    hourly = (datetime(2011, 12, 28, tzinfo=UTC) + timedelta(hours=hour) for hour in range(96))
    days = {day for moment in hourly if (day := due_day(channel, moment))}
    assert days == {date(2011, 12, day) for day in (27, 28, 29, 31)} | {date(2012, 1, 1)}


def test_an_unknown_zone_is_an_error() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        due_day(channel_of("Mars/Olympus"), datetime(2026, 1, 1, tzinfo=UTC))


@given(
    zone=zones,
    hour=hours,
    started=moments,
    steps=st.lists(st.integers(1, 40 * 60), min_size=1, max_size=60),
)
def test_over_any_outages_each_day_has_one_question_as_soon_as_it_can(
    zone: str, hour: int, started: datetime, steps: list[int]
) -> None:
    channel = channel_of(zone, hour, started)
    local = ZoneInfo(zone)
    asked: list[DailyQuestion] = []
    now = started
    for minutes in steps:
        now += timedelta(minutes=minutes)
        match due_question(channel, ENTRIES, asked, now):
            case NewQuestion(question):
                moment = moment_of(channel, question.day)
                assert started <= moment <= now
                assert now - moment < LONGEST_WAIT
                asked.append(replace(question, message_id=1))
            case None:
                today = now.astimezone(local).date()
                hours_come = [
                    day
                    for day in (today, today - timedelta(days=1))
                    if started <= moment_of(channel, day) <= now
                ]
                assert not hours_come or hours_come[0] in {each.day for each in asked}
            case UnpostedQuestion():
                pytest.fail("every question was posted")
    days = [question.day for question in asked]
    assert days == sorted(set(days))


@given(zone=zones, hour=hours, now=moments, waited=st.integers(1, 48 * 3600))
def test_the_next_moment_is_the_first_at_which_a_question_is_due(
    zone: str, hour: int, now: datetime, waited: int
) -> None:
    channel = channel_of(zone, hour, started=now)
    moment = next_moment(channel, (), now)
    assert moment is not None
    assert now <= moment <= now + timedelta(hours=50)
    assert due_day(channel, moment) is not None
    before = now + timedelta(seconds=waited)
    assert before >= moment or due_day(channel, before) is None


def test_the_next_moment_after_a_posted_question_is_tomorrow() -> None:
    channel = channel_of()
    now = at(channel.timezone, 2026, 11, 2, 10)
    asked = DailyQuestion(1, date(2026, 11, 2), "entry-1", 7)
    assert next_moment(channel, [asked], now) == at(channel.timezone, 2026, 11, 3, 9)
    unposted = replace(asked, message_id=None)
    assert next_moment(channel, [unposted], now) == now


# Claims


def test_a_claim_that_was_not_posted_is_tried_again_with_its_entry() -> None:
    channel = channel_of()
    claim = DailyQuestion(1, date(2026, 11, 2), "entry-3")
    now = at(channel.timezone, 2026, 11, 2, 9, 0, 10)
    assert due_question(channel, ENTRIES, [claim], now) == UnpostedQuestion(claim)
    assert due_question(channel, ENTRIES, [replace(claim, message_id=5)], now) is None


def test_a_claim_whose_entry_left_the_bank_is_given_up() -> None:
    channel = channel_of()
    claim = DailyQuestion(1, date(2026, 11, 2), "gone")
    assert due_question(channel, ENTRIES, [claim], at(channel.timezone, 2026, 11, 2, 10)) is None


def test_what_was_not_posted_by_the_next_hour_gives_way_and_may_come_then() -> None:
    channel = channel_of()
    order = _asked_in_turn(1, ENTRIES, 5)
    claim = DailyQuestion(1, date(2026, 11, 1), order[0])
    due = due_question(channel, ENTRIES, [claim], at(channel.timezone, 2026, 11, 2, 9))
    assert due == NewQuestion(DailyQuestion(1, date(2026, 11, 2), order[0]))


def test_a_new_hour_gives_no_second_question_that_day() -> None:
    asked = DailyQuestion(1, date(2026, 11, 2), "entry-3", 5)
    later = channel_of(hour=20, started=at("Asia/Shanghai", 2026, 11, 2, 10))
    assert due_question(later, ENTRIES, [asked], at("Asia/Shanghai", 2026, 11, 2, 21)) is None


def test_an_empty_bank_asks_nothing() -> None:
    channel = channel_of()
    assert due_question(channel, (), (), at(channel.timezone, 2026, 11, 2, 10)) is None


# Which


def _asked_in_turn(
    channel_id: int, entries: Sequence[EntryId], turns: int, asked: Sequence[DailyQuestion] = ()
) -> list[EntryId]:
    history = list(asked)
    order: list[EntryId] = []
    for _ in range(turns):
        entry = next_entry(channel_id, entries, history)
        assert entry is not None
        order.append(entry)
        day = date(2026, 1, 1) + timedelta(days=len(history))
        history.append(DailyQuestion(channel_id, day, entry, 1))
    return order


banks = st.lists(
    st.from_regex(r"[a-z][a-z0-9]{1,8}", fullmatch=True).map(EntryId),
    min_size=1,
    max_size=12,
    unique=True,
)


@given(entries=banks, channel_id=st.integers(1, 2**63 - 1), data=st.data())
def test_every_entry_comes_before_one_comes_again_and_then_in_the_same_order(
    entries: list[EntryId], channel_id: int, data: st.DataObject
) -> None:
    count = len(entries)
    order = _asked_in_turn(channel_id, entries, 3 * count)
    assert sorted(order[:count]) == sorted(entries)
    assert order[count : 2 * count] == order[:count] == order[2 * count :]
    shuffled = data.draw(st.permutations(entries))
    assert _asked_in_turn(channel_id, shuffled, 3 * count) == order


@given(entries=banks, split=st.integers(0, 11), channel_id=st.integers(1, 100))
def test_entries_added_later_come_before_any_repeat_and_keep_the_others_order(
    entries: list[EntryId], split: int, channel_id: int
) -> None:
    old = entries[: split % len(entries)] or entries
    before = _asked_in_turn(channel_id, old, len(old))
    history = [
        DailyQuestion(channel_id, date(2025, 1, 1) + timedelta(days=number), entry, 1)
        for number, entry in enumerate(before)
    ]
    new = [entry for entry in entries if entry not in old]
    after = _asked_in_turn(channel_id, entries, len(entries), history)
    assert sorted(after[: len(new)]) == sorted(new)
    assert after[len(new) :] == before
    whole = _asked_in_turn(channel_id, entries, len(entries))
    assert [entry for entry in whole if entry in old] == before


def test_the_order_is_the_channels_own_and_outlives_a_restart() -> None:
    # Written down: another process must come to the same.
    assert [entry[-1] for entry in _asked_in_turn(1, ENTRIES, 5)] == list("03214")
    assert [entry[-1] for entry in _asked_in_turn(2, ENTRIES, 5)] == list("40123")


def test_entries_that_left_the_bank_do_not_come() -> None:
    asked = [DailyQuestion(1, date(2026, 1, 1), "gone", 1)]
    assert set(_asked_in_turn(1, ENTRIES, 10, asked)) == set(ENTRIES)

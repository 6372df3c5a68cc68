"""The question of the day: when a channel's is due, and which entry comes next.

Every function is pure. A channel's day is a day of its own zone.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.store.records import DailyQuestion, StudyChannel
from knowledge.entry import EntryId

_DAYS_AHEAD = 7
_DAYS_BACK = 3
"""Questions are looked for so far ahead and back; days that a zone skips are single ones."""


@dataclass(frozen=True, slots=True)
class NewQuestion:
    """A question that is due and not claimed yet."""

    question: DailyQuestion


@dataclass(frozen=True, slots=True)
class UnpostedQuestion:
    """A question that was claimed, and no message of it is known.

    Posting it failed, or it was posted and nobody was left to note that.
    """

    question: DailyQuestion


def due_question(
    channel: StudyChannel,
    entries: Iterable[EntryId],
    asked: Sequence[DailyQuestion],
    now: datetime,
) -> NewQuestion | UnpostedQuestion | None:
    """What to post in ``channel`` at the aware moment ``now``, if anything.

    ``asked`` are the channel's questions so far, ``entries`` the bank's. A day has one question
    at most, whatever becomes of the channel's hour; if its entry left the bank before it was
    posted, that day has none. A question that was missed is made up for until the next hour
    comes; older ones are not.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: the channel's zone does not exist.
    """
    day = due_day(channel, now)
    if day is None:
        return None
    bank = frozenset(entries)
    for question in asked:
        if question.day == day:
            waits = question.message_id is None and question.entry in bank
            return UnpostedQuestion(question) if waits else None
    entry = next_entry(channel.channel_id, bank, asked)
    return None if entry is None else NewQuestion(DailyQuestion(channel.channel_id, day, entry))


def due_day(channel: StudyChannel, now: datetime) -> date | None:
    """The latest local day whose hour has come at ``now``: today, or a day before it.

    None while the channel waits for its first hour: the day on which it was started counts only
    if it was started by that hour.
    """
    zone = ZoneInfo(channel.timezone)
    today = now.astimezone(zone).date()
    for day in (today - timedelta(days=back) for back in range(_DAYS_BACK)):
        moment = moment_of(channel, day)
        if moment <= now and _exists(day, moment, zone):
            return day if channel.started_at <= moment else None
    return None


def moment_of(channel: StudyChannel, day: date) -> datetime:
    """When the hour of ``day`` comes, in UTC.

    Where clocks are put forward over it, that is the moment they are put forward, or as much
    after it as the hour lay behind it; where they are put back over it, its first time.
    """
    # PEP 495: with fold=0 a time in a gap is read with the offset before the gap, and one that
    # comes twice means its first time.
    local = datetime.combine(day, time(channel.hour), ZoneInfo(channel.timezone))
    return local.astimezone(UTC)


def next_moment(
    channel: StudyChannel, asked: Iterable[DailyQuestion], now: datetime
) -> datetime | None:
    """When the channel's next question comes, in UTC: ``now`` or later.

    None only where a zone is so odd that no hour comes within a week.
    """
    zone = ZoneInfo(channel.timezone)
    days = {question.day for question in asked if question.message_id is not None}
    due = due_day(channel, now)
    if due is not None and due not in days:
        return now.astimezone(UTC)
    today = now.astimezone(zone).date()
    for day in (today + timedelta(days=ahead) for ahead in range(_DAYS_AHEAD)):
        moment = moment_of(channel, day)
        if moment > now and day not in days and _exists(day, moment, zone):
            return moment
    return None


def _exists(day: date, moment: datetime, zone: ZoneInfo) -> bool:
    """Whether the zone has the ``day`` at all; its ``moment`` is on another one else."""
    return moment.astimezone(zone).date() == day


def next_entry(
    channel_id: int, entries: Iterable[EntryId], asked: Iterable[DailyQuestion]
) -> EntryId | None:
    """The entry of the channel's next question; None where the bank is empty.

    Each channel has its own shuffled order, which a restart keeps and a growing bank only adds
    to. Nothing comes twice until every entry came; then the one that was longest ago comes.
    What was claimed and never posted has not come.
    """
    posted = (question for question in asked if question.message_id is not None)
    last_asked = {question.entry: question.day for question in sorted(posted, key=_day)}
    return min(
        entries,
        key=lambda entry: (last_asked.get(entry, date.min), _shuffled(channel_id, entry)),
        default=None,
    )


def _day(question: DailyQuestion) -> date:
    return question.day


def _shuffled(channel_id: int, entry: EntryId) -> bytes:
    return hashlib.sha256(f"{channel_id}:{entry}".encode()).digest()

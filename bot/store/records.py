"""What the store keeps, as values, and the protocol that it is used through."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from knowledge.language import Language


@dataclass(frozen=True, slots=True)
class StudyChannel:
    """A channel that staff made a study channel.

    Every day at ``hour`` (0 to 23) in ``timezone`` (an IANA name) a question is posted there,
    in ``language``.
    """

    channel_id: int
    guild_id: int
    hour: int
    timezone: str
    language: Language
    started_by: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class DailyQuestion:
    """The question of one ``day`` in one channel; ``message_id`` is None until it is posted."""

    channel_id: int
    day: date
    entry: str
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class RunCard:
    """The message that shows a job. It is open until the job's end was shown."""

    job_id: str
    example: str
    settings: str
    channel_id: int
    message_id: int
    owner_id: int
    guild_id: int | None
    language: Language
    created_at: datetime
    delivered: bool = False


@dataclass(frozen=True, slots=True)
class Miss:
    """A question that the bank could not answer, kept so that the bank can grow."""

    text: str
    language: Language
    guild_id: int | None
    at: datetime
    confidence: float


class Store(Protocol):
    """What must survive a restart. Every call is one transaction."""

    async def study_channels(self) -> tuple[StudyChannel, ...]:
        """All study channels, oldest first."""
        ...

    async def start_study(self, channel: StudyChannel) -> None:
        """Keep ``channel``, in place of what was kept for its id."""
        ...

    async def stop_study(self, channel_id: int) -> bool:
        """Forget the study channel; False where there was none."""
        ...

    async def daily_questions(self, channel_id: int) -> tuple[DailyQuestion, ...]:
        """The questions that a channel has had, oldest first."""
        ...

    async def claim_daily_question(self, question: DailyQuestion) -> bool:
        """Keep ``question`` unless its channel has one for that day already (then False)."""
        ...

    async def posted_daily_question(self, channel_id: int, day: date, message_id: int) -> None:
        """Note the message that carries a claimed question."""
        ...

    async def open_card(self, card: RunCard) -> None:
        """Keep a run's card."""
        ...

    async def card(self, job_id: str) -> RunCard | None:
        """The card of a job."""
        ...

    async def open_cards(self) -> tuple[RunCard, ...]:
        """The cards whose job's end was not shown yet, oldest first."""
        ...

    async def move_card(self, job_id: str, message_id: int) -> None:
        """Note that another message carries the card now."""
        ...

    async def deliver_card(self, job_id: str) -> None:
        """Note that the job's end was shown."""
        ...

    async def keep_miss(self, miss: Miss) -> None:
        """Keep a question that had no answer."""
        ...

    async def misses(self) -> tuple[Miss, ...]:
        """The questions that had no answer, oldest first."""
        ...

    async def note(self, key: str) -> str | None:
        """A short text kept under ``key``, such as the hash of the commands last synced."""
        ...

    async def set_note(self, key: str, text: str) -> None:
        """Keep ``text`` under ``key``."""
        ...

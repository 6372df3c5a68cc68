"""A store in memory, for tests: the same protocol, the same answers, and nothing is awaited."""

from dataclasses import replace
from datetime import date

from bot.store.records import DailyQuestion, Miss, RunCard, StudyChannel


class MemoryStore:
    """The `Store` in memory. It lives as long as it is held, also over a client's restart."""

    def __init__(self) -> None:
        self._channels: dict[int, StudyChannel] = {}
        self._questions: dict[tuple[int, date], DailyQuestion] = {}
        self._cards: dict[str, RunCard] = {}
        self._misses: list[Miss] = []
        self._notes: dict[str, str] = {}

    async def study_channels(self) -> tuple[StudyChannel, ...]:
        """All study channels, oldest first."""
        return tuple(
            sorted(self._channels.values(), key=lambda kept: (kept.started_at, kept.channel_id))
        )

    async def start_study(self, channel: StudyChannel) -> None:
        """Keep ``channel``, in place of what was kept for its id."""
        self._channels[channel.channel_id] = channel

    async def stop_study(self, channel_id: int) -> bool:
        """Forget the study channel; False where there was none."""
        return self._channels.pop(channel_id, None) is not None

    async def daily_questions(self, channel_id: int) -> tuple[DailyQuestion, ...]:
        """The questions that a channel has had, oldest first."""
        asked = (kept for kept in self._questions.values() if kept.channel_id == channel_id)
        return tuple(sorted(asked, key=lambda kept: kept.day))

    async def claim_daily_question(self, question: DailyQuestion) -> bool:
        """Keep ``question`` unless its channel has one for that day already (then False)."""
        key = (question.channel_id, question.day)
        if key in self._questions:
            return False
        self._questions[key] = question
        return True

    async def posted_daily_question(self, channel_id: int, day: date, message_id: int) -> None:
        """Note the message that carries a claimed question."""
        claimed = self._questions.get((channel_id, day))
        if claimed is not None:
            self._questions[channel_id, day] = replace(claimed, message_id=message_id)

    async def open_card(self, card: RunCard) -> None:
        """Keep a run's card, in place of what was kept for its job."""
        self._cards[card.job_id] = card

    async def card(self, job_id: str) -> RunCard | None:
        """The card of a job."""
        return self._cards.get(job_id)

    async def open_cards(self) -> tuple[RunCard, ...]:
        """The cards whose job's end was not shown yet, oldest first."""
        waiting = (card for card in self._cards.values() if not card.delivered)
        return tuple(sorted(waiting, key=lambda card: (card.created_at, card.job_id)))

    async def move_card(self, job_id: str, message_id: int) -> None:
        """Note that another message carries the card now."""
        if job_id in self._cards:
            self._cards[job_id] = replace(self._cards[job_id], message_id=message_id)

    async def deliver_card(self, job_id: str) -> None:
        """Note that the job's end was shown."""
        if job_id in self._cards:
            self._cards[job_id] = replace(self._cards[job_id], delivered=True)

    async def keep_miss(self, miss: Miss) -> None:
        """Keep a question that had no answer."""
        self._misses.append(miss)

    async def misses(self) -> tuple[Miss, ...]:
        """The questions that had no answer, oldest first."""
        return tuple(sorted(self._misses, key=lambda miss: miss.at))

    async def note(self, key: str) -> str | None:
        """A short text kept under ``key``."""
        return self._notes.get(key)

    async def set_note(self, key: str, text: str) -> None:
        """Keep ``text`` under ``key``."""
        self._notes[key] = text

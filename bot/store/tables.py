"""The tables, as typed models; the values they hold are in `bot.store.records`.

A change here wants a migration beside it, in `bot/store/migrations/versions/`; a test compares
the two.
"""

from datetime import UTC, date, datetime
from typing import Self

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from bot.store.records import DailyQuestion, Miss, RunCard, StudyChannel
from knowledge.language import Language


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment: kept as UTC, read back as UTC, whatever the database does with zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - the signature is SQLAlchemy's
    ) -> datetime | None:
        """The moment in UTC.

        Raises:
            ValueError: the moment is naive, so nobody knows which one it is.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment to keep needs its time zone: {value}")
        return value.astimezone(UTC)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - the signature is SQLAlchemy's
    ) -> datetime | None:
        """The moment, aware even where the database keeps no zone."""
        if value is None or value.tzinfo is None:
            return value and value.replace(tzinfo=UTC)
        return value.astimezone(UTC)


_Snowflake = BigInteger()


def _values(languages: type[Language]) -> list[str]:
    return [language.value for language in languages]


_Language = Enum(
    Language,
    values_callable=_values,
    native_enum=False,
    length=8,
    name="language",
)


class Base(DeclarativeBase):
    """The root of all models."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads this name from the class
        datetime: UtcDateTime(),
        Language: _Language,
    }


class StudyChannelRow(Base):
    """A study channel."""

    __tablename__ = "study_channels"

    channel_id: Mapped[int] = mapped_column(_Snowflake, primary_key=True, autoincrement=False)
    guild_id: Mapped[int] = mapped_column(_Snowflake)
    hour: Mapped[int]
    timezone: Mapped[str] = mapped_column(String(64))
    language: Mapped[Language]
    started_by: Mapped[int] = mapped_column(_Snowflake)
    started_at: Mapped[datetime]

    @classmethod
    def of(cls, value: StudyChannel) -> Self:
        """The row of ``value``."""
        return cls(
            channel_id=value.channel_id,
            guild_id=value.guild_id,
            hour=value.hour,
            timezone=value.timezone,
            language=value.language,
            started_by=value.started_by,
            started_at=value.started_at,
        )

    def value(self) -> StudyChannel:
        """The row as a value."""
        return StudyChannel(
            channel_id=self.channel_id,
            guild_id=self.guild_id,
            hour=self.hour,
            timezone=self.timezone,
            language=self.language,
            started_by=self.started_by,
            started_at=self.started_at,
        )


class DailyQuestionRow(Base):
    """A channel's question of one day. It outlives the study channel: its history matters."""

    __tablename__ = "daily_questions"

    channel_id: Mapped[int] = mapped_column(_Snowflake, primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(primary_key=True)
    entry: Mapped[str] = mapped_column(String(64))
    message_id: Mapped[int | None] = mapped_column(_Snowflake)

    @classmethod
    def of(cls, value: DailyQuestion) -> Self:
        """The row of ``value``."""
        return cls(
            channel_id=value.channel_id,
            day=value.day,
            entry=value.entry,
            message_id=value.message_id,
        )

    def value(self) -> DailyQuestion:
        """The row as a value."""
        return DailyQuestion(
            channel_id=self.channel_id,
            day=self.day,
            entry=self.entry,
            message_id=self.message_id,
        )


class RunCardRow(Base):
    """The message that shows a job."""

    __tablename__ = "run_cards"

    job_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    example: Mapped[str] = mapped_column(String(64))
    settings: Mapped[str] = mapped_column(Text)
    channel_id: Mapped[int] = mapped_column(_Snowflake)
    message_id: Mapped[int] = mapped_column(_Snowflake)
    owner_id: Mapped[int] = mapped_column(_Snowflake)
    guild_id: Mapped[int | None] = mapped_column(_Snowflake)
    language: Mapped[Language]
    created_at: Mapped[datetime]
    delivered: Mapped[bool] = mapped_column(index=True)

    @classmethod
    def of(cls, value: RunCard) -> Self:
        """The row of ``value``."""
        return cls(
            job_id=value.job_id,
            example=value.example,
            settings=value.settings,
            channel_id=value.channel_id,
            message_id=value.message_id,
            owner_id=value.owner_id,
            guild_id=value.guild_id,
            language=value.language,
            created_at=value.created_at,
            delivered=value.delivered,
        )

    def value(self) -> RunCard:
        """The row as a value."""
        return RunCard(
            job_id=self.job_id,
            example=self.example,
            settings=self.settings,
            channel_id=self.channel_id,
            message_id=self.message_id,
            owner_id=self.owner_id,
            guild_id=self.guild_id,
            language=self.language,
            created_at=self.created_at,
            delivered=self.delivered,
        )


class MissRow(Base):
    """A question that the bank could not answer."""

    __tablename__ = "misses"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
    )
    text: Mapped[str] = mapped_column(Text)
    language: Mapped[Language]
    guild_id: Mapped[int | None] = mapped_column(_Snowflake)
    at: Mapped[datetime]
    confidence: Mapped[float]

    @classmethod
    def of(cls, value: Miss) -> Self:
        """The row of ``value``, its id left to the database."""
        return cls(
            text=value.text,
            language=value.language,
            guild_id=value.guild_id,
            at=value.at,
            confidence=value.confidence,
        )

    def value(self) -> Miss:
        """The row as a value."""
        return Miss(
            text=self.text,
            language=self.language,
            guild_id=self.guild_id,
            at=self.at,
            confidence=self.confidence,
        )


class NoteRow(Base):
    """A short text under a key."""

    __tablename__ = "notes"

    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    text: Mapped[str] = mapped_column(Text)

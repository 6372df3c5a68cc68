"""The store in a database: SQLite, PostgreSQL or whatever else SQLAlchemy reaches."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

from sqlalchemy import URL, make_url, select, update
from sqlalchemy.exc import (
    ArgumentError,
    IntegrityError,
    InvalidRequestError,
    SQLAlchemyError,
)
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from bot.store.engine import create_store_engine, use_write_ahead_log
from bot.store.errors import StoreAddressError, StoreUnavailableError
from bot.store.migrate import migrate
from bot.store.records import DailyQuestion, Miss, RunCard, StudyChannel
from bot.store.tables import (
    Base,
    DailyQuestionRow,
    MissRow,
    NoteRow,
    RunCardRow,
    StudyChannelRow,
)

_ASYNC_DRIVERS = {"sqlite": "aiosqlite", "postgresql": "asyncpg"}


@asynccontextmanager
async def open_store(url: str) -> AsyncGenerator["SqlStore"]:
    """Open the database at ``url``, an SQLAlchemy address, with the tables of this version.

    An address that names no driver (``sqlite:///kept/xueban.sqlite3``, ``postgresql://…``) gets
    the asynchronous one. The folder of a SQLite file is made.

    Raises:
        StoreAddressError: the address is unreadable, its driver is not installed, or it keeps
            nothing.
        StoreTooNewError: a newer version wrote the database.
        StoreUnavailableError: the database does not open.
    """
    address = _address(url)
    shown = address.render_as_string(hide_password=True)
    try:
        engine = create_store_engine(address)
    except ModuleNotFoundError as error:
        raise StoreAddressError(f"{shown} needs the package {error.name}: install it.") from error
    except (ArgumentError, InvalidRequestError) as error:
        raise StoreAddressError(f"The database address {shown} is wrong: {error}.") from error
    try:
        await asyncio.to_thread(_prepare, address)
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        reason = getattr(error, "orig", None) or error
        raise StoreUnavailableError(f"The database {shown} does not open: {reason}.") from error
    try:
        yield SqlStore(engine)
    finally:
        await engine.dispose()


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise StoreAddressError(
            "The database address is none: it reads like sqlite:///folder/file.sqlite3 or "
            "postgresql://user:password@host/name."
        ) from error
    backend = address.get_backend_name()
    if address.drivername == backend and backend in _ASYNC_DRIVERS:
        address = address.set(drivername=f"{backend}+{_ASYNC_DRIVERS[backend]}")
    if backend == "sqlite" and address.database in {None, "", ":memory:"}:
        raise StoreAddressError(
            f"{url} names no file, so nothing would be kept; it reads like "
            "sqlite:///folder/file.sqlite3."
        )
    return address


def _prepare(address: URL) -> None:
    """Migrate, in a thread and an event loop of its own: reading the steps takes a while."""
    if address.get_backend_name() == "sqlite" and address.database is not None:
        file = Path(address.database)
        file.parent.mkdir(parents=True, exist_ok=True)
        use_write_ahead_log(file)
    asyncio.run(migrate(address))


class SqlStore:
    """The `Store` in a database.

    Raises `StoreUnavailableError` from any call when the database doesn't answer.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._reading = async_sessionmaker(engine, expire_on_commit=False)
        self._writing = async_sessionmaker(
            engine.execution_options(sqlite_begin="IMMEDIATE"), expire_on_commit=False
        )

    async def study_channels(self) -> tuple[StudyChannel, ...]:
        """All study channels, oldest first."""
        oldest_first = select(StudyChannelRow).order_by(
            StudyChannelRow.started_at, StudyChannelRow.channel_id
        )
        async with _asked(self._reading) as session:
            return tuple(row.value() for row in await session.scalars(oldest_first))

    async def start_study(self, channel: StudyChannel) -> None:
        """Keep ``channel``, in place of what was kept for its id."""
        await self._put(StudyChannelRow.of(channel))

    async def stop_study(self, channel_id: int) -> bool:
        """Forget the study channel; False where there was none."""
        async with _asked(self._writing) as session:
            row = await session.get(StudyChannelRow, channel_id)
            if row is not None:
                await session.delete(row)
            return row is not None

    async def daily_questions(self, channel_id: int) -> tuple[DailyQuestion, ...]:
        """The questions that a channel has had, oldest first."""
        oldest_first = (
            select(DailyQuestionRow)
            .where(DailyQuestionRow.channel_id == channel_id)
            .order_by(DailyQuestionRow.day)
        )
        async with _asked(self._reading) as session:
            return tuple(row.value() for row in await session.scalars(oldest_first))

    async def claim_daily_question(self, question: DailyQuestion) -> bool:
        """Keep ``question`` unless its channel has one for that day already (then False)."""
        return await self._add(DailyQuestionRow.of(question))

    async def posted_daily_question(self, channel_id: int, day: date, message_id: int) -> None:
        """Note the message that carries a claimed question."""
        async with _asked(self._writing) as session:
            await session.execute(
                update(DailyQuestionRow)
                .where(DailyQuestionRow.channel_id == channel_id, DailyQuestionRow.day == day)
                .values(message_id=message_id)
            )

    async def open_card(self, card: RunCard) -> None:
        """Keep a run's card, in place of what was kept for its job."""
        await self._put(RunCardRow.of(card))

    async def card(self, job_id: str) -> RunCard | None:
        """The card of a job."""
        async with _asked(self._reading) as session:
            row = await session.get(RunCardRow, job_id)
            return None if row is None else row.value()

    async def open_cards(self) -> tuple[RunCard, ...]:
        """The cards whose job's end was not shown yet, oldest first."""
        oldest_first = (
            select(RunCardRow)
            .where(RunCardRow.delivered.is_(False))
            .order_by(RunCardRow.created_at, RunCardRow.job_id)
        )
        async with _asked(self._reading) as session:
            return tuple(row.value() for row in await session.scalars(oldest_first))

    async def move_card(self, job_id: str, message_id: int) -> None:
        """Note that another message carries the card now."""
        async with _asked(self._writing) as session:
            await session.execute(
                update(RunCardRow).where(RunCardRow.job_id == job_id).values(message_id=message_id)
            )

    async def deliver_card(self, job_id: str) -> None:
        """Note that the job's end was shown."""
        async with _asked(self._writing) as session:
            await session.execute(
                update(RunCardRow).where(RunCardRow.job_id == job_id).values(delivered=True)
            )

    async def keep_miss(self, miss: Miss) -> None:
        """Keep a question that had no answer."""
        async with _asked(self._writing) as session:
            session.add(MissRow.of(miss))

    async def misses(self) -> tuple[Miss, ...]:
        """The questions that had no answer, oldest first."""
        oldest_first = select(MissRow).order_by(MissRow.at, MissRow.id)
        async with _asked(self._reading) as session:
            return tuple(row.value() for row in await session.scalars(oldest_first))

    async def note(self, key: str) -> str | None:
        """A short text kept under ``key``."""
        async with _asked(self._reading) as session:
            row = await session.get(NoteRow, key)
            return None if row is None else row.text

    async def set_note(self, key: str, text: str) -> None:
        """Keep ``text`` under ``key``."""
        await self._put(NoteRow(key=key, text=text))

    async def _add(self, row: Base) -> bool:
        """Add ``row``; False when its key is taken."""
        try:
            async with _asked(self._writing) as session:
                session.add(row)
        except IntegrityError:
            return False
        return True

    async def _put(self, row: Base) -> None:
        """Add ``row``, or put it in place of the one with its key."""
        try:
            async with _asked(self._writing) as session:
                await session.merge(row)
        except IntegrityError:  # somebody added the same key between our look and our write
            async with _asked(self._writing) as session:
                await session.merge(row)


@asynccontextmanager
async def _asked(sessions: async_sessionmaker[AsyncSession]) -> AsyncGenerator[AsyncSession]:
    """One transaction; a taken key is the caller's matter, any other failure the database's."""
    try:
        async with sessions.begin() as session:
            yield session
    except IntegrityError:
        raise
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or error
        raise StoreUnavailableError(f"The database does not answer: {reason}.") from error

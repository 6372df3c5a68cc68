"""What only a database has to show: steps, files, other processes, failures."""

import asyncio
import sqlite3
import sys
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, make_url

from bot.store.database import open_store
from bot.store.engine import create_store_engine, use_write_ahead_log
from bot.store.errors import StoreAddressError, StoreTooNewError, StoreUnavailableError
from bot.store.migrate import migrate
from bot.store.records import DailyQuestion, Miss, RunCard, StudyChannel
from bot.store.tables import Base
from knowledge.language import Language

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
TODAY = date(2026, 11, 2)
CHANNEL = StudyChannel(1, 2, 9, "Asia/Shanghai", Language.ZH, 3, NOON)
CARD = RunCard("job", "pytorch-resnet", "", 1, 4, 3, 2, Language.ZH, NOON)
MISS = Miss("？", Language.ZH, 2, NOON, 0.25)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "xueban.sqlite3"


def address(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


async def test_models_and_migrations_agree(file: Path) -> None:
    def differences(connection: Connection) -> object:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return compare_metadata(context, Base.metadata)

    await migrate(make_url(address(file)))
    engine = create_store_engine(make_url(address(file)))
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []


async def test_everything_survives_reopening(file: Path) -> None:
    async with open_store(address(file)) as store:
        await store.start_study(CHANNEL)
        await store.claim_daily_question(DailyQuestion(1, TODAY, "overfitting"))
        await store.posted_daily_question(1, TODAY, 9)
        await store.open_card(CARD)
        await store.keep_miss(MISS)
        await store.set_note("key", "文")
    async with open_store(address(file)) as store:
        assert await store.study_channels() == (CHANNEL,)
        assert await store.daily_questions(1) == (DailyQuestion(1, TODAY, "overfitting", 9),)
        assert await store.open_cards() == (CARD,)
        assert await store.misses() == (MISS,)
        assert await store.note("key") == "文"


async def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/not/there/yet/x.sqlite3") as store:
        await store.set_note("a", "b")
    assert (tmp_path / "not/there/yet/x.sqlite3").is_file()


async def test_two_openings_share_one_file_and_migrate_it_once(file: Path) -> None:
    async def open_and_note(number: int) -> None:
        async with open_store(address(file)) as store:
            await store.set_note(str(number), "here")

    await asyncio.gather(*(open_and_note(number) for number in range(4)))
    async with open_store(address(file)) as store:
        assert [await store.note(str(number)) for number in range(4)] == ["here"] * 4


def test_the_write_ahead_log_waits_for_whoever_holds_the_file(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    holder = sqlite3.connect(file, check_same_thread=False)
    holder.execute("CREATE TABLE held (x)")
    holder.execute("BEGIN EXCLUSIVE")
    with (
        closing(sqlite3.connect(file, timeout=0)) as other,
        pytest.raises(sqlite3.OperationalError),
    ):
        other.execute("PRAGMA journal_mode=WAL")
    letting_go = threading.Timer(0.3, holder.rollback)
    letting_go.start()
    use_write_ahead_log(file)
    letting_go.join()
    holder.close()
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_claims_are_exclusive_between_processes(file: Path) -> None:
    async with open_store(address(file)) as one, open_store(address(file)) as other:
        for number in range(10):
            claim = DailyQuestion(number, TODAY, "overfitting")
            won = await asyncio.gather(
                *(store.claim_daily_question(claim) for store in (one, other, one, other))
            )
            assert sorted(won) == [False, False, False, True]


async def test_starts_at_once_leave_one_of_them(file: Path) -> None:
    async with open_store(address(file)) as one, open_store(address(file)) as other:
        starts = [replace(CHANNEL, hour=hour) for hour in range(8)]
        await asyncio.gather(
            *(store.start_study(start) for start in starts for store in (one, other))
        )
        (kept,) = await one.study_channels()
    assert kept in starts


async def test_sqlite_is_set_up_to_be_shared(file: Path) -> None:
    async with open_store(address(file)):
        pass
    engine = create_store_engine(make_url(address(file)))
    async with engine.connect() as connection:
        settings = [
            (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        ]
    await engine.dispose()
    assert settings == ["wal", 1, 10_000]


async def test_a_migration_that_fails_leaves_nothing_behind(file: Path) -> None:
    with sqlite3.connect(file) as raw:
        raw.execute("CREATE TABLE notes (something INTEGER)")
    raw.close()
    with pytest.raises(StoreUnavailableError, match="notes already exists"):
        async with open_store(address(file)):
            pass
    raw = sqlite3.connect(file)
    tables = [name for (name,) in raw.execute("SELECT name FROM sqlite_master")]
    raw.close()
    assert tables == ["notes"]


async def test_a_newer_database_is_one_clear_error(file: Path) -> None:
    async with open_store(address(file)) as store:
        await store.start_study(CHANNEL)
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(StoreTooNewError, match=r"newer version.*step 9999.*knows steps up to 0001"):
        async with open_store(address(file)):
            pass
    with sqlite3.connect(file) as raw:
        assert raw.execute("SELECT count(*) FROM study_channels").fetchone() == (1,)
    raw.close()


async def test_a_file_that_is_no_database_is_one_clear_error(file: Path) -> None:
    file.write_text("这不是数据库" * 200)  # noqa: ASYNC240 - nothing else runs
    with pytest.raises(StoreUnavailableError, match="file is not a database"):
        async with open_store(address(file)):
            pass


async def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailableError, match="does not open"):
        async with open_store(f"sqlite:///{tmp_path}/file/x.sqlite3"):
            pass


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite+aiosqlite://"])
async def test_an_address_that_keeps_nothing_is_refused(url: str) -> None:
    with pytest.raises(StoreAddressError, match="nothing would be kept"):
        async with open_store(url):
            pass


@pytest.mark.parametrize("url", ["", "xueban.sqlite3", "nonsense://x/y", "sqlite+pysqlite:///x"])
async def test_an_address_of_no_use_is_refused(url: str) -> None:
    with pytest.raises(StoreAddressError):
        async with open_store(url):
            pass


async def test_a_missing_driver_is_named_and_no_password_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)  # as if it were not installed
    with pytest.raises(StoreAddressError, match="asyncpg") as caught:
        async with open_store("postgresql://tutor:secret@localhost/xueban"):
            pass
    assert "secret" not in str(caught.value)


async def test_a_database_that_fails_later_is_the_stores_own_error(file: Path) -> None:
    async with open_store(address(file)) as store:
        raw = sqlite3.connect(file)
        raw.execute("DROP TABLE notes")
        raw.close()
        with pytest.raises(StoreUnavailableError, match="no such table: notes"):
            await store.note("key")


async def test_a_moment_without_a_zone_is_refused(file: Path) -> None:
    async with open_store(address(file)) as store:
        with pytest.raises(StoreUnavailableError, match="time zone"):
            await store.start_study(replace(CHANNEL, started_at=datetime(2026, 1, 1)))  # noqa: DTZ001 - that is the case under test
        assert await store.study_channels() == ()

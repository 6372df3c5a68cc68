"""An engine for a database address, with what SQLite needs to be shared and to be safe."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

if TYPE_CHECKING:
    from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection

BUSY_TIMEOUT_MS = 10_000
"""How long SQLite waits for another writer."""


def create_store_engine(address: URL) -> AsyncEngine:
    """An engine for ``address``; it connects at the first use.

    On SQLite every connection has foreign keys and a busy timeout, and the execution option
    ``sqlite_begin="IMMEDIATE"`` makes a transaction take the write lock at its start, so that
    what it read still holds when it writes.
    """
    engine = create_async_engine(address, pool_pre_ping=address.get_backend_name() != "sqlite")
    if address.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "begin", _begin)
    return engine


def use_write_ahead_log(file: Path) -> None:
    """Give a SQLite ``file`` its write-ahead log, for good; the file is made if need be. Blocks.

    SQLite does not wait for others here, whatever the busy timeout says: of several programs
    that open a new file at once all but one would fail. So this waits, up to that timeout.

    Raises:
        sqlite3.OperationalError: the file cannot be opened, or others keep it locked.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    with closing(sqlite3.connect(file)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                locked = error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                if not locked or time.monotonic() > deadline:
                    raise
                time.sleep(_LOOK_AGAIN_S)
            else:
                return


_LOOK_AGAIN_S = 0.02


def _prepare(connection: "AsyncAdapt_aiosqlite_connection", _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver's own BEGIN leaves reads and DDL outside
    cursor = connection.cursor()
    for setting in (f"busy_timeout={BUSY_TIMEOUT_MS}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin(connection: Connection) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")

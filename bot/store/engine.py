"""An engine for a database address, with what SQLite needs to be shared and to be safe."""

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

    On SQLite every connection has a write-ahead log, foreign keys and a busy timeout, and the
    execution option ``sqlite_begin="IMMEDIATE"`` makes a transaction take the write lock at its
    start, so that what it read still holds when it writes.
    """
    engine = create_async_engine(address, pool_pre_ping=address.get_backend_name() != "sqlite")
    if address.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _prepare(connection: "AsyncAdapt_aiosqlite_connection", _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver's own BEGIN leaves reads and DDL outside
    cursor = connection.cursor()
    for setting in (f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin(connection: Connection) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")

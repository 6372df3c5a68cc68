"""Bring a database to the tables of this version, and make a new step while developing.

``python -m bot.store.migrate "add quiz rounds"`` writes the next step into
`bot/store/migrations/versions/`, as far as Alembic can tell from the models; read it and mend it.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, make_url

from bot.store.engine import create_store_engine
from bot.store.errors import StoreTooNewError

_STEPS = Path(__file__).with_name("migrations")


async def migrate(address: URL) -> None:
    """Take the steps that the database at ``address`` still lacks; none is a quick look.

    All of them are one transaction, and on SQLite a second process waits for the first.

    Raises:
        StoreTooNewError: the database has taken steps that this version doesn't know.
    """
    engine = create_store_engine(address)
    try:
        async with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = _config(connection)
    steps = ScriptDirectory.from_config(config)
    taken = set(MigrationContext.configure(connection).get_current_heads())
    unknown = taken - {step.revision for step in steps.walk_revisions()}
    if unknown:
        raise StoreTooNewError(
            f"{StoreTooNewError.__doc__} (It is at step {', '.join(sorted(unknown))}; "
            f"this version knows steps up to {', '.join(steps.get_heads())}.)"
        )
    if taken != set(steps.get_heads()):
        command.upgrade(config, "head")


def _config(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(slug)s")
    return config


async def _write_step(message: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        address = make_url(f"sqlite+aiosqlite:///{folder}/empty.sqlite3")
        await migrate(address)
        engine = create_store_engine(address)
        try:
            async with engine.connect() as connection:
                await connection.run_sync(_compare_and_write, message)
        finally:
            await engine.dispose()


def _compare_and_write(connection: Connection, message: str) -> None:
    config = _config(connection)
    steps = sum(1 for _ in ScriptDirectory.from_config(config).walk_revisions())
    command.revision(config, message, autogenerate=True, rev_id=f"{steps + 1:04}")


if __name__ == "__main__":
    asyncio.run(_write_step(" ".join(sys.argv[1:]) or "next step"))

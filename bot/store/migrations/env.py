"""What Alembic runs to migrate: the steps, on the connection that was handed in."""

from typing import TYPE_CHECKING, cast

from alembic import context

from bot.store.tables import Base

if TYPE_CHECKING:
    from sqlalchemy import Connection

connection = cast("Connection", context.config.attributes["connection"])
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

"""Run the migrations on SQLite and on PostgreSQL alike."""

from typing import Any

import sqlalchemy as sa
from alembic import context
from sqlalchemy.engine import Connection

from clinic.areas import load_models
from clinic.core import db, idempotency, types  # noqa: F401 the first save of a form has a table of its own

load_models()


def render_item(kind: str, item: Any, _context: Any) -> str | bool:
    """Write plain types into revisions, which never import the application."""
    if kind != "type":
        return False
    if isinstance(item, types.UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, types.Quantity):
        return f"sa.BigInteger().with_variant(sa.Numeric(18, {item.places}), 'postgresql')"
    return False


def compare_type(
    _context: Any, _inspected: Any, _metadata: Any, inspected_type: Any, metadata_type: Any
) -> bool | None:
    """Our own types are judged by what they become on the database at hand."""
    if isinstance(metadata_type, types.Quantity | types.UTCDateTime):
        dialect = context.get_context().dialect
        made = metadata_type.load_dialect_impl(dialect)
        return type(made)._type_affinity is not type(inspected_type)._type_affinity  # noqa: SLF001
    return None


def run(connection: Connection) -> None:
    """Migrate one connection, with SQLite's foreign keys off while a table is rebuilt and checked afterwards."""
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    connection.rollback()
    context.configure(
        connection=connection,
        target_metadata=db.Base.metadata,
        render_as_batch=False,
        render_item=render_item,
        compare_type=compare_type,
        transactional_ddl=True,
        user_module_prefix="sa.",
    )
    with context.begin_transaction():
        context.run_migrations()
        if is_sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
            raise RuntimeError(f"A migration left a broken reference: {tuple(broken)}")


engine = sa.create_engine(context.config.attributes["url"], poolclass=sa.pool.NullPool)
if engine.dialect.name == "sqlite":
    # The driver's own transactions would commit before each CREATE; ours hold the whole migration.
    sa.event.listen(engine, "connect", lambda connection, _record: setattr(connection, "isolation_level", None))
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
with engine.connect() as found:
    run(found)
engine.dispose()

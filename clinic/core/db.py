"""The database: one engine, one session per piece of work, one commit at its edge."""

import fcntl
import sqlite3
import threading
import time
import uuid
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, cast

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    ORMExecuteState,
    Session,
    SessionTransaction,
    declared_attr,
    mapped_column,
    with_loader_criteria,
)
from sqlalchemy.pool import ConnectionPoolEntry
from werkzeug.local import LocalProxy

from clinic.core.ids import new_id
from clinic.core.types import UTCDateTime

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class ScopeMissing(RuntimeError):
    """A clinic's records were asked for before it was settled whose they are."""


class Base(DeclarativeBase):
    """Every table: one UUID as its key, named constraints, instants in UTC."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UTCDateTime(), uuid.UUID: sa.Uuid(), str: sa.Text()}

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, sort_order=-10)

    def __init__(self, **values: Any) -> None:
        """Make a row with its key, so that its audit line can name it before it is flushed."""
        self.id = values.pop("id", None) or new_id()
        for name, value in values.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no {name}.")
            setattr(self, name, value)


# --- whose records ---------------------------------------------------------------------------------------------------

_clinic_id: ContextVar[uuid.UUID | None] = ContextVar("clinic_id", default=None)


def current_clinic_id() -> uuid.UUID:
    """The clinic that this piece of work is for."""
    clinic_id = _clinic_id.get()
    if clinic_id is None:
        raise ScopeMissing("No clinic is settled for this piece of work.")
    return clinic_id


def settled_clinic_id() -> uuid.UUID | None:
    """The clinic of this piece of work, or None before it is settled."""
    return _clinic_id.get()


def enter_clinic(clinic_id: uuid.UUID | None) -> None:
    """Settle the clinic for the rest of this request."""
    _clinic_id.set(clinic_id)


@contextmanager
def in_clinic(clinic_id: uuid.UUID) -> Iterator[None]:
    """Work for one clinic: for commands, jobs and tests."""
    token = _clinic_id.set(clinic_id)
    try:
        yield
    finally:
        _clinic_id.reset(token)


class ClinicScoped:
    """A row that belongs to one clinic; every query through the session sees only the current clinic's rows."""

    @declared_attr
    @classmethod
    def clinic_id(cls) -> Mapped[uuid.UUID]:
        return mapped_column(sa.ForeignKey("clinic.id"), default=current_clinic_id, sort_order=-9)


def _keep_to_the_clinic(state: ORMExecuteState) -> None:
    if state.is_column_load or state.execution_options.get("unscoped", False):
        return
    if not (state.is_select or state.is_update or state.is_delete):
        return
    clinic_id = _clinic_id.get()
    if clinic_id is None:
        if any(issubclass(mapper.class_, ClinicScoped) for mapper in state.all_mappers):
            raise ScopeMissing(f"{state.all_mappers[0].class_.__name__} was asked for without a clinic.")
        return
    state.statement = state.statement.options(
        with_loader_criteria(ClinicScoped, lambda cls: cls.clinic_id == clinic_id, include_aliases=True)
    )


# --- the engine ------------------------------------------------------------------------------------------------------


# How long a save waits for another one, on both databases; a device waits ten seconds for its answer.
PATIENCE_SECONDS = 8


class WriteGate:
    """Lets one writer at a time through to SQLite, first come first served, and none waits without end.

    SQLite's own waiting polls with sleeps and starves; a blocking file lock in front of BEGIN IMMEDIATE does not. It
    knows no limit of time, so a thread of its own stands in that queue, for one writer of this process after the other:
    a process that was stopped while it held the gate must not hold the writers of all the others.
    """

    def __init__(self, database: Path) -> None:
        database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = database.with_name(database.name + ".lock").open("a", encoding="utf-8")
        self._threads = threading.Lock()
        self._asked = threading.Condition()
        self._is_asking = self._is_wanted = False

    def enter(self) -> None:
        """Wait for one's turn. Raises OperationalError when it does not come in time."""
        until = time.monotonic() + PATIENCE_SECONDS
        if self._threads.acquire(timeout=PATIENCE_SECONDS):
            if self._take_the_file(timedelta(seconds=until - time.monotonic())):
                return
            self._threads.release()
        raise sa.exc.OperationalError(
            "BEGIN IMMEDIATE", None, sqlite3.OperationalError("another writer holds the gate")
        )

    def leave(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._threads.release()

    def _take_the_file(self, patience: timedelta) -> bool:
        """Whether the file became ours in time; one thread at a time is here."""
        with self._asked:
            if not self._is_asking:
                try:
                    fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    self._is_asking = True
                    threading.Thread(target=self._ask, name="write gate", daemon=True).start()
                else:
                    return True
            self._is_wanted = True
            self._asked.wait_for(lambda: not self._is_asking, patience.total_seconds())
            self._is_wanted = False
            return not self._is_asking

    def _ask(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        with self._asked:
            self._is_asking = False
            if not self._is_wanted:  # whoever wanted it has given up
                fcntl.flock(self._file, fcntl.LOCK_UN)
            self._asked.notify()


class SQLiteConnection(sqlite3.Connection):
    """A connection that can close what was read from it in part.

    SQLite keeps a transaction's snapshot for as long as one of its statements has rows left, past COMMIT and ROLLBACK.
    A result that a traceback still holds would give it to the connection's next work, whose BEGIN IMMEDIATE then fails
    at once (SQLITE_BUSY_SNAPSHOT), or which reads what is no longer so.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._cursors: weakref.WeakSet[sqlite3.Cursor] = weakref.WeakSet()

    def cursor(self, *arguments: Any, **settings: Any) -> Any:
        made = super().cursor(*arguments, **settings)
        self._cursors.add(made)
        return made

    def close_cursors(self) -> None:
        """End every statement, whoever still holds it."""
        for cursor in list(self._cursors):
            cursor.close()
        self._cursors.clear()


def create_engine(url: str) -> Engine:
    """An engine with this product's settings; `sqlite:///…` or `postgresql+psycopg://…`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(url, parsed.database)
    engine = sa.create_engine(url, pool_pre_ping=True, pool_recycle=300)
    event.listen(engine, "connect", _settle_postgres)
    return engine


def _settle_postgres(connection: Any, record: ConnectionPoolEntry) -> None:  # noqa: ARG001 signature of the event
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET timezone TO 'UTC'")
        cursor.execute("SET idle_in_transaction_session_timeout TO '60s'")
        cursor.execute(f"SET lock_timeout TO '{PATIENCE_SECONDS}s'")
        cursor.execute("SET statement_timeout TO '30s'")
    connection.autocommit = False


def _sqlite_engine(url: str, database: str | None) -> Engine:
    engine = sa.create_engine(url, connect_args={"timeout": PATIENCE_SECONDS, "factory": SQLiteConnection})
    gate = WriteGate(Path(database)) if database and database != ":memory:" else None

    @event.listens_for(engine, "connect")
    def settle(connection: Any, record: ConnectionPoolEntry) -> None:  # noqa: ARG001 signature of the event
        connection.isolation_level = None  # BEGIN is ours: the driver's own comes too late
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            "trusted_schema=OFF",
            f"busy_timeout={PATIENCE_SECONDS * 1000}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if not connection.get_execution_options().get("write", False):
            connection.exec_driver_sql("BEGIN")
            return
        if gate is not None:
            gate.enter()
            connection.info["gate"] = gate
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "checkin")
    def leave_the_gate(connection: Any, record: ConnectionPoolEntry) -> None:
        if isinstance(connection, SQLiteConnection):
            connection.close_cursors()
        held = record.info.pop("gate", None)
        if held is not None:
            held.leave()

    return engine


# --- the session -----------------------------------------------------------------------------------------------------

_session: ContextVar[Session | None] = ContextVar("session", default=None)
_engines: dict[str, Engine] = {}
_current_engine: list[Engine] = []


def init(url: str) -> Engine:
    """Choose the database of this process."""
    engine = _engines.get(url)
    if engine is None:
        engine = _engines[url] = create_engine(url)
    _current_engine[:] = [engine]
    return engine


def engine() -> Engine:
    """The engine of the database that `init` chose."""
    if not _current_engine:
        raise RuntimeError("No database is chosen: call db.init(url) first.")
    return _current_engine[0]


MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def alembic_config(url: str) -> AlembicConfig:
    """Alembic's settings for a database; the migrations stand at the top of the project."""
    found = AlembicConfig()
    found.set_main_option("script_location", str(MIGRATIONS))
    found.set_main_option("path_separator", "os")
    found.set_main_option("prepend_sys_path", str(MIGRATIONS.parent))
    found.attributes["url"] = url
    return found


def upgrade(url: str, revision: str = "head") -> None:
    """Bring a database up to a revision."""
    command.upgrade(alembic_config(url), revision)


def _current_session() -> Session:
    found = _session.get()
    if found is None:
        raise RuntimeError("Work with the database stands inside unit_of_work().")
    return found


session: Session = cast("Session", LocalProxy(_current_session))
"""The session of the current piece of work."""


def make_session(bind: Engine | Connection) -> Session:
    """A session with the clinic's scope on every query."""
    made = Session(bind=bind, expire_on_commit=False)
    event.listen(made, "do_orm_execute", _keep_to_the_clinic)
    return made


@contextmanager
def unit_of_work(*, write: bool = True) -> Iterator[SessionTransaction]:
    """One transaction: committed when the block ends, rolled back when it raises or calls `rollback()`.

    On SQLite a `write` takes its place in the queue of writers before it reads, so that what it read still holds.
    Inside another piece of work it is a savepoint of that one.
    """
    outer = _session.get()
    if outer is not None:
        with outer.begin_nested() as savepoint:
            yield savepoint
        return
    made = make_session(engine().execution_options(write=True) if write else engine())
    token = _session.set(made)
    try:
        with made.begin() as transaction:
            yield transaction
    finally:
        made.close()
        _session.reset(token)


@contextmanager
def using_session(made: Session) -> Iterator[Session]:
    """Work in a session that somebody else opened: for tests."""
    token = _session.set(made)
    try:
        yield made
    finally:
        _session.reset(token)

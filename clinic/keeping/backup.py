"""Make a backup while the clinic works, and bring one back into an empty database.

A backup is one file: the rows of one instant, compressed, and encrypted to a public key (the age format), so that the
machine that makes it cannot open it again. Nothing of it touches a disk in the clear.
"""

import io
import os
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pyrage
import sqlalchemy as sa
from alembic.migration import MigrationContext
from sqlalchemy.engine import Engine

from clinic.audit import operations as audit
from clinic.audit import verify
from clinic.audit.chain_rules import Broken
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.keeping import guards, rows
from clinic.keeping.rows import BadBackup


def make(file: Path, recipients: Iterable[pyrage.x25519.Recipient], *, at: datetime) -> None:
    """Write a backup of everything to a file, which gets its name when it is whole.

    Its line stands in the trail before the first row is read: whoever began one has had the record in hands.
    """
    with db.unit_of_work():
        audit.record(AuditAction.BACKUP_MADE, actor_id=None, at=at, file=file.name)
    draft = file.with_name(f"{file.name}.part")
    with one_state():
        content = rows.lines(db.session, revision=revision_of(db.session.connection()), made_at=at)
        try:
            _write(draft, content, recipients)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    draft.replace(file)


@contextmanager
def one_state() -> Iterator[None]:
    """Read one state of the database, whatever is saved meanwhile, for as long as it takes."""
    with db.unit_of_work(write=False):
        if db.engine().dialect.name == "postgresql":
            connection = db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            connection.exec_driver_sql("SET LOCAL statement_timeout TO 0")
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout TO 0")
        yield


def _write(draft: Path, content: Iterable[bytes], recipients: Iterable[pyrage.x25519.Recipient]) -> None:
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:  # noqa: PTH123 pathlib cannot set the mode at birth
        pyrage.encrypt_io(io.BufferedReader(_Reader(_compressed(content))), target, list(recipients))
        target.flush()
        os.fsync(target.fileno())


def restore(file: Path, identities: Iterable[pyrage.x25519.Identity], engine: Engine) -> dict[str, int]:
    """Put a backup into an empty database with the same migrations: all of it, or nothing and BadBackup.

    Gives the number of rows of each table, which are those that the backup says.
    """
    revision = revision_of_empty(engine)
    try:
        with guards.loading(engine) as connection:
            sink = _Writer(rows.load(connection, revision))
            with file.open("rb") as source:
                pyrage.decrypt_io(source, sink, list(identities))
            return sink.finish()
    except pyrage.DecryptError as problem:
        raise BadBackup(f"{file} cannot be opened with this key, or is damaged.") from problem
    except (ValueError, KeyError, TypeError, OSError, zlib.error) as problem:
        raise problem if isinstance(problem, BadBackup) else BadBackup(f"{file} is damaged.") from problem


def prove(act: AuditAction = AuditAction.BACKUP_RESTORED, *, at: datetime) -> list[Broken]:
    """Walk the trail that came back, and write into it that it did; gives what is broken."""
    with db.unit_of_work(write=False):
        found = verify.faults(db.session)
    with db.unit_of_work():
        audit.record(act, actor_id=None, at=at)
    return found


def revision_of_empty(engine: Engine) -> str:
    """The revision of a database without any rows; raises BadBackup for one that has some."""
    with engine.connect() as connection:
        revision = revision_of(connection)
        if any(connection.execute(sa.select(table.c.id).limit(1)).first() for table in rows.tables()):
            raise BadBackup("This database is not empty. A backup or an export is brought into an empty one.")
        return revision


def revision_of(connection: sa.Connection) -> str:
    """The last migration that a database has gone through; raises BadBackup where there was none."""
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None:
        raise BadBackup("This database has no tables. Run clinic db upgrade first.")
    return found


# --- streams ---------------------------------------------------------------------------------------------------------


def _compressed(content: Iterable[bytes]) -> Iterator[bytes]:
    squeeze = zlib.compressobj()
    for line in content:
        if made := squeeze.compress(line):
            yield made
    yield squeeze.flush()


class _Reader(io.RawIOBase):
    """What a generator gives, as a file to read from."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        super().__init__()
        self._parts, self._rest = parts, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = part
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


class _Writer(io.RawIOBase):
    """A file to write to, whose lines a generator takes."""

    def __init__(self, lines: Generator[dict[str, int], bytes, None]) -> None:
        super().__init__()
        self._lines, self._rest, self._expand = lines, b"", zlib.decompressobj()
        self._counts = next(lines)

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        *whole, self._rest = (self._rest + self._expand.decompress(bytes(part))).split(b"\n")
        for line in whole:
            self._counts = self._lines.send(line)
        return len(part)

    def finish(self) -> dict[str, int]:
        """The number of rows of each table. Raises BadBackup where the end has not come."""
        if not self._counts.pop("end", 0) or self._rest or not self._expand.eof:
            raise BadBackup("This backup is cut off.")
        return self._counts

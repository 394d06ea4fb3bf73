"""What the trail tells of the rows: a digest of each row that a transaction wrote, under the seal of its line.

Whoever changes a row of the record behind the application's back cannot make the trail tell the new digest.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from clinic.core.db import Base

UNTOLD: Final = {
    "audit_entry": "sealed by its own link",
    "audit_link": "sealed by itself",
    "audit_chain": "proved by its links",
    "idempotency_key": "technical, and taken away after a while",
    "login_failure": "technical, and taken away after minutes",
    "login_session": "changes with every request",
    "invitation": "taken away after a while",
    "authenticator": "changes with every code",
    "recovery_code": "changes with every code",
    "used_challenge": "technical, and taken away after a while",
    "passkey_proof": "technical, and taken away after a while",
    "calendar_feed": "changes with every reading by a phone",
    "outbox_message": "changes with every try to send it",
    "outbox_attempt": "changes with every try to send it",
    "month_plan": "a proposal that is being worked out",
    "planned_session": "a proposal that is being worked out",
    "clock_offset": "worked out from the time zone",
}
"""Tables whose rows the trail does not tell of, each with its reason."""

_LEFT_OUT: Final = {"staff": frozenset({"password_hash"})}  # renewed at a sign-in, which changes nothing else
_TOUCHED: Final = "rows that were written"
_GONE: Final = "rows that were taken away"
_AT_ONCE: Final = 500
_LENGTH: Final = 32

Told = dict[str, dict[str, str | None]]
"""By table and key the digest of a row; None for one that was taken away."""


@event.listens_for(Session, "after_flush")
def _note(session: Session, _context: Any) -> None:
    rows = [row for row in (*session.new, *session.dirty, *session.deleted) if row.__tablename__ not in UNTOLD]
    if rows:
        touch(session, ((row.__tablename__, row.id) for row in rows))
        gone = session.info.setdefault(_GONE, set())
        gone.update((row.__tablename__, row.id.hex) for row in session.deleted)


def touch(session: Session, rows: Iterable[tuple[str, uuid.UUID]]) -> None:
    """Have the trail tell of these rows with the next commit."""
    session.info.setdefault(_TOUCHED, set()).update(rows)


def taken(session: Session) -> str | None:
    """What to tell of the rows that this transaction has written, as canonical text; None where there are none."""
    by_table: dict[str, list[uuid.UUID]] = {}
    for name, key in session.info.pop(_TOUCHED, ()):
        by_table.setdefault(name, []).append(key)
    gone = session.info.pop(_GONE, set())
    told: Told = {}
    for name, keys in by_table.items():
        for key, value in _digests(session, Base.metadata.tables[name], keys).items():
            if value is not None or (name, key) in gone:  # what a savepoint took back was never there
                told.setdefault(name, {})[key] = value
    return json.dumps(told, sort_keys=True, separators=(",", ":")) if told else None


def _digests(session: Session, table: sa.Table, keys: list[uuid.UUID]) -> dict[str, str | None]:
    """As the database has the rows now, so that both databases and every later reading tell the same."""
    found: dict[str, str | None] = {key.hex: None for key in keys}
    for start in range(0, len(keys), _AT_ONCE):
        for row in session.execute(sa.select(table).where(table.c.id.in_(keys[start : start + _AT_ONCE]))):
            found[row.id.hex] = digest(table, row)
    return found


def digest(table: sa.Table, row: sa.Row[Any]) -> str:
    """The digest of a row. What is empty or false is left out, so that a column which came later changes nothing."""
    left_out = _LEFT_OUT.get(table.name, frozenset())
    said = {
        column.name: _plain(value)
        for column, value in zip(table.columns, row, strict=True)
        if value is not None and value is not False and column.name not in left_out
    }
    text = json.dumps([table.name, said], sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case set() | frozenset():
            return sorted(value)
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return _single(value)


def _single(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case None | bool() | int() | str():
            return value
        case Decimal():
            return format(value.normalize(), "f")
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case date() | time():
            return value.isoformat()
        case uuid.UUID():
            return value.hex
        case bytes():
            return hashlib.sha256(value).hexdigest()
    raise TypeError(f"The trail cannot tell of a {type(value).__name__}.")


# --- verifying -------------------------------------------------------------------------------------------------------


def tables() -> list[sa.Table]:
    """The tables whose rows the trail tells of."""
    return [table for table in Base.metadata.sorted_tables if table.name not in UNTOLD]


def differing(session: Session, told: Iterable[Told]) -> Iterator[tuple[str, uuid.UUID, str]]:
    """Table, key and fault of every row that is not as a chain told last: `told` has for each chain what it told."""
    last = list(told)
    for table in tables():
        known: dict[str, set[str | None]] = {}
        for chain in last:
            for key, value in chain.get(table.name, {}).items():
                known.setdefault(key, set()).add(value)
        at_once = 20 if any(isinstance(column.type, sa.LargeBinary) for column in table.columns) else _AT_ONCE
        with session.execute(sa.select(table).order_by(table.c.id).execution_options(yield_per=at_once)) as rows:
            for row in rows:
                values = known.pop(row.id.hex, None)
                if values is None:
                    yield table.name, row.id, "the trail does not know it"
                elif digest(table, row) not in values:
                    yield table.name, row.id, "it was changed"
        for key, values in known.items():
            if None not in values:
                yield table.name, uuid.UUID(key), "it is gone"

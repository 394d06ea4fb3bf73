"""Rows as lines of text and back, the same on every database: the format chairtime-backup/1.

Each line is JSON: the head, then for each table its name and columns, one array per row, and its number of rows; at
last "end". What JSON does not know carries its kind: `{"num": "0.500"}`, `{"at": "2025-11-18T09:00:00.000000Z"}`.
"""

import base64
import json
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.core.db import Base
from clinic.core.types import Amounts, Names, Quantity, UTCDateTime, WholeNumbers

FORMAT: Final = "chairtime-backup/1"
_AT_ONCE: Final = 500


class BadBackup(ValueError):
    """A file that is no backup of this format, is damaged or cut off, or does not fit this installation."""


def _utc(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _number(value: Decimal | int) -> str | int:
    return format(value, "f") if isinstance(value, Decimal) else value


def _unwritten(value: str | int) -> Decimal | int:
    return Decimal(value) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class _Kind:
    """What JSON does not know: its Python type, how it is written and how it is read."""

    type: type
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


# A datetime is a date too, so it stands first.
_KINDS: Final = {
    "num": _Kind(Decimal, lambda value: format(value, "f"), Decimal),
    "at": _Kind(datetime, _utc, datetime.fromisoformat),
    "day": _Kind(date, date.isoformat, date.fromisoformat),
    "time": _Kind(time, time.isoformat, time.fromisoformat),
    "id": _Kind(uuid.UUID, str, uuid.UUID),
    "bytes": _Kind(bytes, lambda value: base64.b64encode(value).decode(), base64.b64decode),
    "set": _Kind(frozenset, sorted, frozenset),
    "row": _Kind(
        tuple, lambda values: [_number(value) for value in values], lambda values: tuple(map(_unwritten, values))
    ),
    "json": _Kind(dict, dict, dict),
    "list": _Kind(list, list, list),
}


def _written(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | str):
        return value
    for name, kind in _KINDS.items():
        if isinstance(value, kind.type):
            return {name: kind.write(value)}
    raise TypeError(f"A backup cannot hold a {type(value).__name__}.")


def _read(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((name, written),) = value.items()
    return _KINDS[name].read(written)


def plain(value: Any) -> Any:
    """A value as JSON knows it, without its kind, which the column tells."""
    written = _written(value)
    return next(iter(written.values())) if isinstance(written, dict) else written


_OF_OURS: Final = {
    UTCDateTime: "at",
    Quantity: "num",
    WholeNumbers: "row",
    Amounts: "row",
    Names: "set",
    sa.JSON: "json",
}


def kind_of(column: sa.Column[Any]) -> str:
    """The kind of a column's values: one of those above, or "text", "whole" or "yes or no"."""
    for of_ours, name in _OF_OURS.items():
        if isinstance(column.type, of_ours):
            return name
    python = column.type.python_type
    found = next((name for name, kind in _KINDS.items() if issubclass(python, kind.type)), None)
    return found or {bool: "yes or no", int: "whole"}.get(python, "text")


def read_as(kind: str, value: Any) -> Any:
    """What `plain` wrote, by the kind of its column."""
    if value is None or kind == "json" or kind not in _KINDS:
        return value
    return _KINDS[kind].read(value)


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def tables() -> list[sa.Table]:
    """Every table, those that others name first."""
    return Base.metadata.sorted_tables


def lines(session: Session, *, revision: str, made_at: datetime) -> Iterator[bytes]:
    """The whole database as lines, some rows at a time. The session must see one state of it throughout."""
    yield _line({"format": FORMAT, "revision": revision, "made_at": _written(made_at)})
    for table in tables():
        yield _line({"table": table.name, "columns": [column.name for column in table.columns]})
        asked = sa.select(table).order_by(table.c.id).execution_options(yield_per=_AT_ONCE)
        number = 0
        with session.execute(asked) as rows:
            for number, row in enumerate(rows, 1):  # noqa: B007 counted
                yield _line([_written(value) for value in row])
        yield _line({"rows": number})
    yield _line("end")


def load(connection: sa.Connection, revision: str) -> Generator[dict[str, int], bytes, None]:
    """A generator that takes lines by `send` and puts their rows into an empty database.

    It gives the numbers of rows by table so far. Raises BadBackup where a line is not what must come next.
    """
    counts: dict[str, int] = {}
    head = json.loads((yield counts))
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise BadBackup("This is no backup of Chairtime.")
    if head["revision"] != revision:
        raise BadBackup(
            f"This backup was made at revision {head['revision']}, and this installation stands at {revision}. "
            "Restore it with the version of Chairtime that made it, then upgrade."
        )
    for table in tables():
        named = json.loads((yield counts))
        columns = [column.name for column in table.columns]
        if named != {"table": table.name, "columns": columns}:
            raise BadBackup(f"The table {table.name} was to come next.")
        counts[table.name] = yield from _load_table(connection, table, columns, counts)
    if json.loads((yield counts)) != "end":
        raise BadBackup("The end was to come next.")
    counts["end"] = 1
    yield counts


def _load_table(
    connection: sa.Connection, table: sa.Table, columns: list[str], counts: dict[str, int]
) -> Generator[dict[str, int], bytes, int]:
    number, waiting = 0, []
    while isinstance(found := json.loads((yield counts)), list):
        waiting.append(dict(zip(columns, map(_read, found), strict=True)))
        if len(waiting) == _AT_ONCE:
            number += put(connection, table, waiting)
            waiting = []
    number += put(connection, table, waiting)
    if found != {"rows": number}:
        raise BadBackup(f"The table {table.name} has {number} rows here and other ones in the backup.")
    return number


def put(connection: sa.Connection, table: sa.Table, waiting: Iterable[dict[str, Any]]) -> int:
    """Insert rows as they are; gives how many."""
    rows = list(waiting)
    # JSON knows a null of its own, which is not the column's: a value that is missing is left out.
    missing = [column.name for column in table.columns if isinstance(column.type, sa.JSON) and column.nullable]
    alike: dict[frozenset[str], list[dict[str, Any]]] = {}
    for row in rows:
        alike.setdefault(frozenset(name for name in missing if row.get(name) is None), []).append(row)
    for left_out, portion in alike.items():
        connection.execute(sa.insert(table), [{key: row[key] for key in row if key not in left_out} for row in portion])
    return len(rows)

"""Rows as such: written where only one of two people can, and as plain values, all of them."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.core import db
from clinic.core.errors import Conflict

Row = TypeVar("Row", bound=db.Base)


def add_row(row: db.Base, *, clash: str = "Somebody else changed this entry meanwhile. Open the page again.") -> None:
    """Write a row; raises Conflict with the words of `clash` when somebody else has taken its place meanwhile."""
    try:
        with db.session.begin_nested():
            db.session.add(row)
            db.session.flush()  # the database judges who was first
    except IntegrityError as taken:
        raise Conflict(clash) from taken


_OWN: Final = frozenset({"id", "recorded_at", "recorded_by_id", "supersedes_id", "correction_reason", "is_void"})


def following(row: Row, *, reason: str, by_id: uuid.UUID, at: datetime, **changed: object) -> Row:
    """Return the row that supersedes a row of the record: with its values but what `changed`, and why. It is not added.

    A value that is `changed` is not read, so that a paper can be withdrawn without loading it.
    """
    kept = {
        column.key: getattr(row, column.key)
        for column in sa.inspect(type(row)).column_attrs
        if column.key not in _OWN and column.key not in changed
    }
    made = {**kept, **changed, "recorded_at": at, "recorded_by_id": by_id}
    return type(row)(**made, supersedes_id=row.id, correction_reason=reason)


def columns(row: db.Base) -> dict[str, object]:
    """Return every column of a row by its name, without those that were `ADDED` later and say nothing in it."""
    found = {each.key: (each.columns[0], getattr(row, each.key)) for each in sa.inspect(type(row)).column_attrs}
    return {
        key: value
        for key, (column, value) in found.items()
        if not (column.info.get("is_added") and (value is None or value is False))
    }


def all_columns(rows: Iterable[db.Base]) -> list[dict[str, object]]:
    """Return rows as plain values in the order of their ids, which is that of their making."""
    return [columns(row) for row in sorted(rows, key=lambda row: row.id)]

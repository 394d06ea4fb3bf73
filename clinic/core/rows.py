"""Rows as such: written where only one of two people can, and as plain values, all of them."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.core import db
from clinic.core.errors import Conflict


def add_row(row: db.Base, *, clash: str = "Somebody else changed this entry meanwhile. Open the page again.") -> None:
    """Write a row; raises Conflict with the words of `clash` when somebody else has taken its place meanwhile."""
    try:
        with db.session.begin_nested():
            db.session.add(row)
            db.session.flush()  # the database judges who was first
    except IntegrityError as taken:
        raise Conflict(clash) from taken


def columns(row: db.Base) -> dict[str, object]:
    """Return every column of a row by its name."""
    return {column.key: getattr(row, column.key) for column in sa.inspect(type(row)).column_attrs}


def all_columns(rows: Iterable[db.Base]) -> list[dict[str, object]]:
    """Return rows as plain values in the order of their ids, which is that of their making."""
    return [columns(row) for row in sorted(rows, key=lambda row: row.id)]

"""What hangs on rows, each kind fetched by one small statement.

The ORM's own loader options do the same, but each statement that they send carries the options of all the others: on a
page with twenty kinds of rows that takes longer than the database.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.interfaces import ORMOption

from clinic.core import db


def fill(parents: Iterable[Any], attribute: InstrumentedAttribute[Any], *options: ORMOption) -> list[Any]:
    """Load a collection of each of the parents, fresh and in its own order, and return all its rows."""
    found: dict[Any, list[Any]] = {parent.id: [] for parent in parents}
    if not found:
        return []
    (column,) = attribute.property.remote_side
    key = attribute.property.mapper.get_property_by_column(column).key
    rows = db.session.scalars(
        sa.select(attribute.property.mapper.class_)
        .where(column.in_(found))
        .order_by(*attribute.property.order_by or ())
        .options(*options)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        found[getattr(row, key)].append(row)
    for parent in parents:
        set_committed_value(parent, attribute.key, found[parent.id])
    return list(rows)


def point(target: type[Any], *references: tuple[Iterable[Any], InstrumentedAttribute[Any]], options: Any = ()) -> None:
    """Load the rows of one kind that other rows refer to, each once: pairs of those rows and the attribute."""
    wanted = [
        (row, attribute.key, getattr(row, f"{attribute.key}_id")) for rows, attribute in references for row in rows
    ]
    if ids := {found for _, _, found in wanted} - {None}:
        rows = db.session.scalars(sa.select(target).where(target.id.in_(ids)).options(*options))
        known = {each.id: each for each in rows}
    else:
        known = {}
    for row, key, found in wanted:
        set_committed_value(row, key, known.get(found))

"""Have the trail tell of rows that it knows nothing of: those from before it did, and those that an import brought."""

import uuid
from datetime import datetime

import sqlalchemy as sa

from clinic.audit import operations, row_digests, verify
from clinic.audit.models import AuditLink
from clinic.audit.rules import AuditAction
from clinic.core import db

_AT_ONCE = 500


def has_digests(engine: sa.Engine) -> bool:
    """Whether the trail of this database tells of rows."""
    inspected = sa.inspect(engine)
    name = AuditLink.__tablename__
    return inspected.has_table(name) and any(column["name"] == "rows" for column in inspected.get_columns(name))


def adopt_rows(*, at: datetime) -> int:
    """Tell of every row that no chain has told of; gives how many.

    For the migration that brings the digests, and for an import into an empty installation. Nothing else adopts: a row
    that was put in by hand stays unknown, and `clinic audit verify --rows` names it.
    """
    told: dict[uuid.UUID, row_digests.Told] = {}
    with db.unit_of_work(write=False):
        verify.faults(db.session, told=told)
        known = {(name, key) for chain in told.values() for name, keys in chain.items() for key in keys}
        rows = [
            (table.name, key)
            for table in row_digests.tables()
            for key in db.session.execute(sa.select(table.c.id)).scalars()
            if (table.name, key.hex) not in known
        ]
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        with db.unit_of_work():
            operations.record(AuditAction.ROWS_ADOPTED, actor_id=None, at=at, rows=len(some))
            row_digests.touch(db.session, some)
    return len(rows)

"""How rows of the chart are written."""

from sqlalchemy.exc import IntegrityError

from clinic.core import db
from clinic.core.errors import Conflict


def add_row(row: db.Base) -> None:
    """Write a row of the chart. Raises Conflict when somebody else has superseded the same entry meanwhile."""
    try:
        with db.session.begin_nested():
            db.session.add(row)
            db.session.flush()  # a row is superseded once, which the database judges
    except IntegrityError as clash:
        raise Conflict("Somebody else changed this entry meanwhile. Open the page again.") from clash

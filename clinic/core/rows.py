"""How a row is written that only one of two people can write."""

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

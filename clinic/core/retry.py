"""Work that the database gave up although nobody was wrong: it is done again, at most three times.

Two transactions that wait for each other are a fault of neither; the server ends one of them and keeps nothing of it. A
connection may break while a server restarts. Whoever repeats must know that nothing was kept, or that repeating does no
harm: a read, or a save with its key.
"""

import random
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from sqlalchemy.exc import DBAPIError, OperationalError

from clinic.core import db

# Milliseconds before the second and the third try, at least and at most: two that met must not meet again. Together
# they outlast a short restart of the server.
_PAUSES = ((50, 150), (400, 1200))
_DEADLOCK, _SERIALIZATION = "40P01", "40001"
# A process that was stopped in the middle of its work: the server has ended the transaction.
_IDLE_TOO_LONG = "25P03"


def pauses() -> Iterator[timedelta]:
    """How long to wait before each further try."""
    return (timedelta(milliseconds=random.randint(*bounds)) for bounds in _PAUSES)  # noqa: S311 no secret, only uneven


def in_transaction(act: Callable[[], object]) -> None:
    """Do an act in a transaction of its own, again where nothing of it was kept."""
    for pause in pauses():
        try:
            with db.unit_of_work():
                act()
        except DBAPIError as error:
            if not was_given_up(error):
                raise
            wait(pause)
        else:
            return
    with db.unit_of_work():
        act()


def wait(pause: timedelta) -> None:
    """Let the others finish; to be called with no transaction open."""
    time.sleep(pause.total_seconds())


def was_given_up(error: DBAPIError) -> bool:
    """Whether the server certainly kept nothing: a deadlock, a clash, work left lying, no connection to begin with."""
    is_unconnected = isinstance(error, OperationalError) and error.statement is None and not was_cut_off(error)
    return getattr(error.orig, "sqlstate", None) in {_DEADLOCK, _SERIALIZATION, _IDLE_TOO_LONG} or (
        is_unconnected and hasattr(error.orig, "sqlstate")
    )


def was_cut_off(error: DBAPIError) -> bool:
    """Whether the connection broke, so that nobody knows whether a commit under way was kept."""
    return error.connection_invalidated

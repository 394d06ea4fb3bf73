"""What a page costs: the statements that it sends to the database."""

import gc
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from clinic.core import db


@pytest.fixture
def count_queries(database):
    """`with count_queries() as sent:` gathers the SELECT statements of the block."""

    @contextmanager
    def counting():
        sent = []

        def note(_connection, _cursor, statement, *_rest):
            if statement.lstrip().upper().startswith("SELECT"):
                sent.append(statement)

        # What an earlier page left is known to the session until it is collected, and saves a statement by chance.
        gc.collect()
        gc.disable()
        event.listen(db.engine(), "before_cursor_execute", note)
        try:
            yield sent
        finally:
            gc.enable()
            event.remove(db.engine(), "before_cursor_execute", note)

    return counting

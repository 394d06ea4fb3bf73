"""What a page costs: the statements that it sends to the database."""

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

        event.listen(db.engine(), "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(db.engine(), "before_cursor_execute", note)

    return counting

"""What tests of bedside pages share: a clock that moves, somebody signed in, a session in front of them."""

import pytest

from clinic.core import clock, db
from clinic.core.permissions import Role
from clinic.sessions import operations, queries
from tests.factories.accounts import PASSWORD
from tests.factories.sessions import minute


@pytest.fixture
def at_minute():
    """Moves the clock to so many minutes after the planned start; it stands there until moved again."""
    standing = []

    def move(minutes):
        if standing:
            standing.pop().__exit__(None, None, None)
        standing.append(clock.standing_at(minute(int(minutes))))
        standing[-1].__enter__()

    yield move
    if standing:
        standing.pop().__exit__(None, None, None)


@pytest.fixture
def nurses_browser(client, nurse, at_minute):
    """A browser with the nurse signed in, ten minutes after the planned start."""
    at_minute(10)
    client.sign_in(nurse)
    return client


@pytest.fixture
def checker(make_staff):
    """A second nurse who can prove who she is."""
    return make_staff(Role.NURSE, given_name="Tia", family_name="Duarte", credentials="RN", password=PASSWORD)


def fresh(infusion):
    """The session as the database has it now."""
    return queries.flowsheet(infusion.id)


@pytest.fixture
def observe(nurse):
    """Records vitals of a session, at an instant, by the nurse unless said otherwise."""

    def record(infusion, observed_at, *, by=nurse, at=None, **reading):
        with db.unit_of_work():
            return operations.record_observation(
                infusion, reading, observed_at=observed_at, by=by, at=at or observed_at
            )

    return record

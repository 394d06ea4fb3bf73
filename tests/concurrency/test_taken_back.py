"""Two desks take the same thing back: one does, the other is told that it is done."""

from datetime import date

import pytest
import sqlalchemy as sa

from clinic.accounts.models import Site, Staff
from clinic.core import db
from clinic.scheduling import operations_hours, operations_people, operations_pumps, operations_rooms
from clinic.scheduling.models import Chair
from tests.concurrency.test_booking import Room, one_of, race
from tests.factories.scheduling import DESK_OPENS, HOUR, NINE

DESKS = 4
SPAN = {"starts_at": NINE, "ends_at": NINE + HOUR}


def close_chair(room, by):
    chair = db.session.get_one(Chair, room.chair())
    return operations_rooms.close_chair(chair, **SPAN, reason="service", **by)


def close_days(_room, by):
    site, day = db.session.scalars(sa.select(Site)).one(), date(2025, 12, 25)
    return operations_hours.close_days(site, from_on=day, until_on=day, reason="holiday", **by)


def add_presence(room, by):
    site = db.session.scalars(sa.select(Site)).one()
    return operations_people.add_presence(site, room.make("physician"), **SPAN, **by)


def take_out_of_service(_room, by):
    pump = operations_pumps.add_pump("P1", "SN1", **by)
    return operations_pumps.take_out_of_service(pump, **SPAN, reason="service", **by)


TAKE_BACK = {
    close_chair: lambda row, by: operations_rooms.reopen_chair(row, reason="done", **by),
    close_days: lambda row, by: operations_hours.reopen_days(row, reason="error", **by),
    add_presence: lambda row, by: operations_people.remove_presence(row, **by),
    take_out_of_service: lambda row, by: operations_pumps.put_back_in_service(row, reason="done", **by),
}


@pytest.fixture
def room(committed_db, request):
    """A clinic in a database of its own."""
    return Room(request)


@pytest.mark.parametrize("make", TAKE_BACK)
def test_the_second_desk_is_told_that_it_is_done(clinic, room, make):
    with room:
        row = make(room, {"by": room.scheduler, "at": DESK_OPENS})
        table, key, by = type(row), row.id, room.scheduler.id

    def act():
        TAKE_BACK[make](db.session.get_one(table, key), {"by": db.session.get_one(Staff, by), "at": DESK_OPENS})

    assert race(clinic, [act] * DESKS) == one_of(DESKS)

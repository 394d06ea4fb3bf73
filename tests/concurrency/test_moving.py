"""Plans that are accepted at once: a place is given away once, a plan is carried out whole or not at all."""

import pytest
import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.scheduling.happening import ChairOut
from clinic.scheduling.models import Appointment, Chair
from clinic.scheduling.operations import Slot
from clinic.scheduling.operations_moves import Move
from clinic.scheduling.operations_replan import carry_out
from clinic.scheduling.rules import AppointmentStatus
from tests.concurrency.test_booking import Room, one_of, race
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE

PLANS = 6


@pytest.fixture
def room(committed_db, request):
    """A clinic in a database of its own."""
    return Room(request)


def plan(room, *moves, closes=None):
    """An act: carry out a plan. A move is an appointment, a chair, a start and a nurse, by their keys."""
    by = room.scheduler.id

    def act():
        wanted = []
        for key, chair_id, start, nurse_id in moves:
            each, nurse = db.session.get_one(Appointment, key), nurse_id and db.session.get_one(Staff, nurse_id)
            slot = Slot(each.session_number, db.session.get_one(Chair, chair_id), start, start + HOUR, nurse)
            wanted.append(Move(each, slot, "race"))
        chair = closes and db.session.get_one(Chair, closes)
        fact = chair and ChairOut(chair, NINE, NINE + DAY, "service")
        carry_out(wanted, fact, by=db.session.get_one(Staff, by), at=DESK_OPENS)

    return act


def booked(room, **slot):
    made = room.make("make_booked")(room.make("make_active_course")(room.patient()), hours=1, **slot)
    return made.id, made.chair_id


def states(clinic):
    with db.in_clinic(clinic.id), db.unit_of_work(write=False):
        rows = db.session.execute(sa.select(Appointment.status, sa.func.count()).group_by(Appointment.status))
        return {status: count for status, count in rows}  # noqa: C416 rows are no pairs


def test_one_of_the_plans_that_want_a_place_is_carried_out(clinic, room):
    """Each wants the same place with its first move, and a place of its own with its second."""
    with room:
        wanted = room.chair()
        pairs = [(booked(room), booked(room)) for _ in range(PLANS)]
        acts = [
            plan(room, (one[0], wanted, NINE + DAY, None), (other[0], other[1], NINE + 2 * DAY, None))
            for one, other in pairs
        ]
    assert race(clinic, acts) == one_of(PLANS)
    assert states(clinic) == {AppointmentStatus.BOOKED: 2 * PLANS, AppointmentStatus.CANCELLED: 2}


def test_plans_that_change_nurses_and_chairs_crosswise_do_not_block_each_other(clinic, room):
    with room:
        nurse = room.nurse.id
        one, other = booked(room), booked(room)
        chairs = sorted([one[1], other[1]])
        there = plan(room, (one[0], one[1], NINE, nurse), (other[0], chairs[0], NINE + DAY, nurse))
        back = plan(room, (other[0], other[1], NINE, nurse), (one[0], chairs[1], NINE + DAY, nurse))
        bookings = [room.booking(room.course(), (1, chair, NINE + 3 * DAY, nurse)) for chair in chairs]
    outcomes = race(clinic, [there, back, *bookings])
    assert set(outcomes) <= {"done", "refused"}
    assert outcomes.count("done") == 3


def test_plans_that_close_a_chair_and_bookings_in_it_do_not_block_each_other(clinic, room):
    """The plan gives to the nurse and closes the chair; the booking wants that chair, and then the nurse."""
    acts = []
    with room:
        nurse = room.nurse.id
        for _ in range(PLANS):
            each, chair = booked(room), room.chair()
            acts.append(plan(room, (each[0], each[1], NINE, nurse), closes=chair))
            acts.append(room.booking(room.course(), (1, chair, NINE + 3 * DAY, nurse)))
    assert race(clinic, acts) == ["done"] * 2 * PLANS

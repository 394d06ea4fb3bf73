"""Many desks at once: a place is given away once, whoever is faster, and nobody is stuck."""

import threading
import time
from datetime import date

import pytest
import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.courses.models import Course
from clinic.scheduling import operations, operations_limits
from clinic.scheduling.limit_rules import Most
from clinic.scheduling.models import Appointment, Chair, ChairClosure
from clinic.scheduling.operations import Slot
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE

DESKS = 12


class Room:
    """Makes what is raced for; what stands in `with room:` is committed when the block ends."""

    def __init__(self, request):
        self.make = request.getfixturevalue
        self.clinic, self.scheduler, self.nurse = (self.make(name) for name in ("clinic", "scheduler", "nurse"))

    def __enter__(self):
        self._unit = db.unit_of_work()
        self._unit.__enter__()
        for name in ("clinic", "scheduler", "nurse", "physician", "signing_physician"):
            db.session.add(self.make(name))
        return self

    def __exit__(self, *raised):
        self._unit.__exit__(*raised)

    def chair(self):
        return self.make("make_chair")().id

    def patient(self):
        return self.make("make_patient")(allergies=())

    def course(self, patient=None):
        return self.make("make_active_course")(patient or self.patient()).id

    def booking(self, course_id, *wishes):
        """An act: book these sessions of a course. A wish is number, chair, start and perhaps nurse, by their keys."""
        by = self.scheduler.id

        def act():
            slots = [_slot(*wish) for wish in wishes]
            course = db.session.get_one(Course, course_id)
            operations.book(course, slots, by=db.session.get_one(Staff, by), at=DESK_OPENS)

        return act

    def closing(self, chair_id):
        """An act: close a chair for an hour."""
        by = self.scheduler.id

        def act():
            operations.close_chair(
                db.session.get_one(Chair, chair_id),
                starts_at=NINE,
                ends_at=NINE + HOUR,
                reason="service",
                by=db.session.get_one(Staff, by),
                at=DESK_OPENS,
            )

        return act


def _slot(number, chair_id, start, nurse_id=None):
    nurse = db.session.get_one(Staff, nurse_id) if nurse_id else None
    return Slot(number, db.session.get_one(Chair, chair_id), start, start + HOUR, nurse)


@pytest.fixture
def room(committed_db, request):
    """A clinic in a database of its own."""
    return Room(request)


class Desk(threading.Thread):
    """A desk with a connection of its own. It waits for the others, acts, and remembers what came of it."""

    def __init__(self, clinic_id, barrier, act):
        super().__init__()
        self._clinic_id, self._barrier, self._act = clinic_id, barrier, act
        self.outcome = None

    def run(self):
        try:
            self._barrier.wait()
            with db.in_clinic(self._clinic_id), db.unit_of_work():
                self._act()
            self.outcome = "done"
        except RuleBroken:
            self.outcome = "refused"
        except Exception as fault:  # noqa: BLE001 what went wrong is told by the test
            self.outcome = repr(fault)


def race(clinic, acts):
    """Let every desk act at once; gives the sorted outcomes."""
    barrier = threading.Barrier(len(acts))
    desks = [Desk(clinic.id, barrier, act) for act in acts]
    for desk in desks:
        desk.start()
    for desk in desks:
        desk.join(60)
    return sorted(str(desk.outcome) for desk in desks)


def held(clinic):
    with db.in_clinic(clinic.id), db.unit_of_work(write=False):
        return db.session.scalar(sa.select(sa.func.count(Appointment.id)))


def one_of(count):
    return ["done"] + ["refused"] * (count - 1)


@pytest.fixture
def chair_race(room):
    """Twelve patients want one chair at one time."""
    with room:
        chair = room.chair()
        return [room.booking(room.course(), (1, chair, NINE)) for _ in range(DESKS)]


@pytest.fixture
def nurse_race(room, limit_nurses):
    """Twelve patients in twelve chairs want one nurse, who may have two."""
    with room:
        limit_nurses(2)
        return [room.booking(room.course(), (1, room.chair(), NINE, room.nurse.id)) for _ in range(DESKS)]


def test_a_chair_is_given_once(clinic, chair_race):
    assert race(clinic, chair_race) == one_of(DESKS)
    assert held(clinic) == 1


def test_a_patient_is_booked_once_at_a_time(clinic, room):
    with room:
        patient = room.patient()
        acts = [room.booking(room.course(patient), (1, room.chair(), NINE)) for _ in range(DESKS)]
    assert race(clinic, acts) == one_of(DESKS)


def test_a_nurse_gets_two_patients_and_no_third(clinic, nurse_race):
    assert race(clinic, nurse_race) == ["done"] * 2 + ["refused"] * (DESKS - 2)
    assert held(clinic) == 2


def test_a_nurse_gets_two_patients_in_a_phase_and_no_third(clinic, nurse_race, room):
    with db.in_clinic(clinic.id), room:
        most = Most(infusion=2)
        operations_limits.set_nurse_limits(date(2025, 11, 18), most, by=room.scheduler, at=DESK_OPENS)
    assert race(clinic, nurse_race) == ["done"] * 2 + ["refused"] * (DESKS - 2)


def test_a_session_is_booked_once(clinic, room):
    """Twelve desks book session 1 of one course, each on another day: no place collides, only the session does."""
    with room:
        course, chair = room.course(), room.chair()
    acts = [room.booking(course, (1, chair, NINE + day * DAY)) for day in range(DESKS)]
    assert race(clinic, acts) == one_of(DESKS)


def test_whole_courses_that_collide_half_way_leave_one(clinic, room):
    with room:
        common = room.chair()
        pairs = [(room.course(), room.chair()) for _ in range(4)]
    acts = [
        room.booking(course, *((n, common if n == 3 else own, NINE + n * DAY) for n in range(1, 7)))
        for course, own in pairs
    ]
    assert race(clinic, acts) == one_of(4)
    assert held(clinic) == 6


def test_desks_that_want_each_others_chairs_do_not_block_each_other(clinic, room):
    """Each desk names the chairs in its own order, and nothing overlaps: all are served, none is stuck."""
    with room:
        chairs = [room.chair() for _ in range(4)]
        courses = [room.course() for _ in range(8)]
    acts = []
    for desk, course in enumerate(courses):
        order = chairs if desk % 2 else chairs[::-1]
        wishes = [(n, chair, NINE + (n * 8 + desk) * HOUR) for n, chair in enumerate(order, start=1)]
        acts.append(room.booking(course, *wishes))
    assert race(clinic, acts) == ["done"] * 8
    assert held(clinic) == 32


def test_a_chair_is_not_closed_over_a_booking(clinic, room):
    """Either the booking or the closure stands, never both."""
    acts = []
    with room:
        for _ in range(5):
            chair = room.chair()
            acts += [room.booking(room.course(), (1, chair, NINE)), room.closing(chair)]
    assert race(clinic, acts) == ["done"] * 5 + ["refused"] * 5
    with db.in_clinic(clinic.id), db.unit_of_work(write=False):
        both = sa.select(Appointment.id).join(ChairClosure, ChairClosure.chair_id == Appointment.chair_id)
        assert db.session.scalars(both).all() == []


def test_a_desk_waits_for_the_one_that_is_at_it(clinic, nurse_race):
    """The second desk is held until the first has committed, so that it counts what the first one did."""
    first, second, third = nurse_race[:3]
    alone = threading.Barrier(1)
    with db.in_clinic(clinic.id):
        unit = db.unit_of_work()
        unit.__enter__()
        first()
        second()
        desk = Desk(clinic.id, alone, third)
        desk.start()
        time.sleep(0.4)
        waited = desk.outcome is None
        unit.__exit__(None, None, None)
    desk.join(30)
    assert waited
    assert desk.outcome == "refused"


# --- what keeps it so ------------------------------------------------------------------------------------------------

GUARDS = {
    "sqlite": {
        "chair": ["DROP TRIGGER no_overlap_for_chair_insert"],
        "nurse": ["DROP TRIGGER nurse_has_room_insert"],
    },
    "postgresql": {
        "chair": ["ALTER TABLE appointment DROP CONSTRAINT no_overlap_for_chair"],
        "nurse": ["DROP TRIGGER nurse_has_room_insert ON appointment"],
    },
}


def without_guard(what):
    with db.unit_of_work():
        for statement in GUARDS[db.engine().dialect.name][what]:
            db.session.execute(sa.text(statement))


def test_without_its_constraint_the_chair_is_given_to_all(clinic, chair_race):
    """The race above can be lost: it is the database that keeps the chair."""
    without_guard("chair")
    assert race(clinic, chair_race) == ["done"] * DESKS
    assert held(clinic) == DESKS


def test_without_its_trigger_the_nurse_gets_them_all(clinic, nurse_race):
    without_guard("nurse")
    assert race(clinic, nurse_race) == ["done"] * DESKS

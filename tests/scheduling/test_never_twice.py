"""Whatever the desk does in whatever order: nothing overlaps that must not, and all that fits is taken."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.core import db
from clinic.scheduling import operations
from clinic.scheduling.models import Appointment
from clinic.scheduling.operations import Slot, SlotsTaken
from clinic.scheduling.rules import HOLDING, AppointmentStatus, Stretch, most_at_once
from tests.factories.scheduling import DESK_OPENS, NINE

QUARTER = timedelta(minutes=15)
CHAIRS, PATIENTS, PER_NURSE = 5, 6, 2


@dataclass(frozen=True)
class Wish:
    chair: int
    nurse: int | None
    start: int
    length: int


wishes = st.builds(
    Wish,
    chair=st.integers(0, CHAIRS - 1),
    nurse=st.sampled_from([0, 0, 1, None]),
    start=st.integers(0, 9),
    length=st.integers(1, 6),
)
# Mostly bookings, so that the room fills.
one_act = st.tuples(
    st.sampled_from(["book", "book", "book", "move", "cancel"]), st.integers(0, PATIENTS * 5 - 1), wishes
)
acts = st.lists(one_act, min_size=6, max_size=16)


@pytest.fixture
def room(make_chair, make_patient, make_active_course, limit_nurses, request):
    """Chairs, nurses with a limit of two patients each, and a course for each patient."""
    limit_nurses(PER_NURSE)
    db.session.flush()
    courses = [make_active_course(make_patient(allergies=())) for _ in range(PATIENTS)]
    nurses = [request.getfixturevalue("nurse"), request.getfixturevalue("second_nurse")]
    return [make_chair() for _ in range(CHAIRS)], nurses, courses


def slot_of(wish, number, chairs, nurses):
    start = NINE + wish.start * QUARTER
    nurse = None if wish.nurse is None else nurses[wish.nurse]
    return Slot(number, chairs[wish.chair], start, start + wish.length * QUARTER, nurse)


def fits(slot, patient_id, standing):
    """The same judgement, made quarter by quarter by counting."""
    for quarter in range((slot.ends_at - slot.starts_at) // QUARTER):
        instant = slot.starts_at + quarter * QUARTER
        there = [each for each in standing if each.starts_at <= instant < each.ends_at]
        if any(each.chair_id == slot.chair.id or each.patient_id == patient_id for each in there):
            return False
        if slot.nurse and sum(each.nurse_id == slot.nurse.id for each in there) >= PER_NURSE:
            return False
    return True


def outcome(act, *which, **who):
    """What came of it: the appointments made, or None where the time was taken."""
    try:
        return act(*which, **who)
    except SlotsTaken:
        return None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=acts)
def test_nothing_overlaps_and_all_that_fits_is_taken(room, scheduler, acts):
    chairs, nurses, courses = room
    everything = db.session.begin_nested()
    standing = []
    for number, (act, which, wish) in enumerate(acts, start=1):
        slot = slot_of(wish, number, chairs, nurses)
        if act == "book":
            course = courses[which % PATIENTS]
            made = outcome(operations.book, course, [slot], by=scheduler, at=DESK_OPENS)
            assert (made is not None) == fits(slot, course.patient_id, standing)
            standing += made or []
        elif standing and act == "move":
            check_move(standing, standing[which % len(standing)], slot, scheduler)
        elif standing:
            operations.cancel(standing.pop(which % len(standing)), reason="x", by=scheduler, at=DESK_OPENS)
    check_what_the_database_holds(standing)
    everything.rollback()


def check_move(standing, old, slot, scheduler):
    if (old.starts_at, old.ends_at, old.chair_id) == (slot.starts_at, slot.ends_at, slot.chair.id):
        return  # a move to where it stands is no move
    slot = Slot(old.session_number, slot.chair, slot.starts_at, slot.ends_at, slot.nurse)
    others = [each for each in standing if each is not old]
    new = outcome(operations.move, old, slot, reason="x", by=scheduler, at=DESK_OPENS)
    assert (new is not None) == fits(slot, old.patient_id, others)
    if new is not None:
        standing.remove(old)
        standing.append(new)
    else:
        assert old.status is AppointmentStatus.BOOKED


def check_what_the_database_holds(standing):
    held = db.session.scalars(sa.select(Appointment).where(Appointment.status.in_(HOLDING))).all()
    assert {each.id for each in held} == {each.id for each in standing}
    whole_day = Stretch(NINE, NINE + 40 * QUARTER)
    for name, most in (("chair_id", 1), ("patient_id", 1), ("nurse_id", PER_NURSE)):
        for key in {getattr(each, name) for each in held} - {None}:
            mine = [Stretch(each.starts_at, each.ends_at) for each in held if getattr(each, name) == key]
            assert most_at_once(mine, whole_day) <= most

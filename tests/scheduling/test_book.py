"""Booking takes all of the wished times or none."""

import pytest
import sqlalchemy as sa

from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.courses import operations as courses
from clinic.courses.rules import CourseDecision
from clinic.scheduling import operations, operations_pumps, queries
from clinic.scheduling.models import Appointment
from clinic.scheduling.operations import SlotsTaken
from clinic.scheduling.rules import AppointmentStatus
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE


def book(course, *slots, by, at=DESK_OPENS):
    with db.unit_of_work():
        return operations.book(course, slots, by=by, at=at)


def count(model):
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def test_a_course_is_booked_at_once(make_course, make_slot, scheduler):
    slots = [make_slot(number, starts_at=NINE + number * DAY) for number in (1, 2, 3)]
    made = book(make_course(), *slots, by=scheduler)
    assert [each.session_number for each in made] == [1, 2, 3]
    assert all(each.status is AppointmentStatus.BOOKED for each in made)


def test_each_booking_leaves_its_line(make_course, make_slot, scheduler):
    (made,) = book(make_course(), make_slot(), by=scheduler)
    lines = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == AuditAction.APPOINTMENT_BOOKED)).all()
    assert [(line.subject_id, line.actor_id, line.patient_id) for line in lines] == [
        (made.id, scheduler.id, made.patient_id)
    ]


def test_touching_times_both_fit(make_course, make_booked, make_chair):
    chair = make_chair()
    first = make_booked(chair=chair)
    after = make_booked(chair=chair, starts_at=first.ends_at)
    before = make_booked(chair=chair, starts_at=NINE - HOUR, hours=1)
    assert {first.chair_id, after.chair_id, before.chair_id} == {chair.id}


@pytest.mark.parametrize("minutes", [-179, -1, 0, 1, 179])
def test_a_taken_chair_is_refused_with_who_and_when(make_course, make_slot, make_booked, scheduler, minutes):
    standing = make_booked()
    slot = make_slot(chair=standing.chair, starts_at=NINE + minutes * HOUR / 60)
    with pytest.raises(SlotsTaken) as refusal:
        book(make_course(), slot, by=scheduler)
    (clash,) = refusal.value.clashes
    assert clash.text == f"Chair {standing.chair.name} is taken at that time."
    assert [(each.what, each.starts_at) for each in clash.standing] == [("ALMEIDA, Rosa", NINE)]


def test_a_patient_is_in_one_place_only(make_patient, make_course, make_slot, make_booked, scheduler):
    patient = make_patient(allergies=())
    make_booked(make_course(patient))
    with pytest.raises(SlotsTaken) as refusal:
        book(make_course(patient), make_slot(), by=scheduler)
    assert refusal.value.clashes[0].constraint == "no_overlap_for_patient"


def test_a_nurse_has_no_more_patients_than_allowed(make_course, make_slot, make_booked, limit_nurses, nurse):
    limit_nurses(2)
    for _ in range(2):
        make_booked(nurse=nurse)
    with pytest.raises(SlotsTaken) as refusal:
        book(make_course(), make_slot(nurse=nurse, starts_at=NINE + HOUR), by=nurse)
    (clash,) = refusal.value.clashes
    assert clash.text == "N. Quill RN has as many patients at that time as the clinic allows."
    assert len(clash.standing) == 2


def test_a_nurse_without_a_limit_has_room(make_booked, nurse):
    assert [make_booked(nurse=nurse).nurse_id for _ in range(4)] == [nurse.id] * 4


def test_patients_of_a_nurse_one_after_the_other_are_not_at_once(limit_nurses, make_booked, make_course, nurse):
    """Two short ones inside a long one never come to three."""
    limit_nurses(2)
    make_booked(nurse=nurse, hours=1)
    make_booked(nurse=nurse, starts_at=NINE + 2 * HOUR, hours=1)
    assert make_booked(nurse=nurse, hours=3).nurse_id == nurse.id


def test_a_collision_books_nothing(make_course, make_slot, make_booked, scheduler):
    standing = make_booked(starts_at=NINE + 2 * DAY)
    course = make_course()
    slots = [make_slot(n, chair=standing.chair, starts_at=NINE + n * DAY) for n in (1, 2, 3)]
    with pytest.raises(SlotsTaken, match="session 2"):
        book(course, *slots, by=scheduler)
    assert queries.of_course(course.id) == []
    assert count(Appointment) == 1


def test_every_collision_is_told_at_once(make_course, make_slot, make_booked, scheduler):
    taken = [make_booked(starts_at=NINE + day * DAY) for day in (1, 3)]
    slots = [make_slot(n, chair=each.chair, starts_at=each.starts_at) for n, each in enumerate(taken, start=1)]
    with pytest.raises(SlotsTaken, match="sessions 1 and 2"):
        book(make_course(), *slots, by=scheduler)


def test_wishes_of_one_course_collide_with_each_other(make_course, make_slot, scheduler):
    with pytest.raises(SlotsTaken) as refusal:
        book(make_course(), make_slot(1), make_slot(2, starts_at=NINE + HOUR), by=scheduler)
    assert [each.what for each in refusal.value.clashes[0].standing] == ["ALMEIDA, Rosa"]


def test_a_closed_chair_is_refused_with_the_reason(make_course, make_slot, make_chair, scheduler):
    chair = make_chair()
    operations.close_chair(
        chair, starts_at=NINE - HOUR, ends_at=NINE + HOUR, reason="service", by=scheduler, at=DESK_OPENS
    )
    with pytest.raises(SlotsTaken) as refusal:
        book(make_course(), make_slot(chair=chair), by=scheduler)
    assert [each.what for each in refusal.value.clashes[0].standing] == ["closed: service"]


def test_a_session_has_one_time(make_course, make_slot, make_booked, scheduler):
    course = make_course()
    make_booked(course)
    with pytest.raises(RuleBroken, match="A time is booked already for session 1"):
        book(course, make_slot(1, starts_at=NINE + DAY), by=scheduler)


def test_whom_another_desk_was_faster_for_is_asked_no_new_order(make_course, make_slot, make_booked, scheduler):
    course = make_course()
    for number in range(1, 7):
        make_booked(course, number, starts_at=NINE + number * DAY)
    with pytest.raises(RuleBroken, match="A time is booked already for session 6"):
        book(course, make_slot(6, starts_at=NINE + 9 * DAY), by=scheduler)


def test_what_has_passed_is_not_booked(make_course, make_slot, scheduler):
    with pytest.raises(RuleBroken, match="passed"):
        book(make_course(), make_slot(starts_at=DESK_OPENS - HOUR), by=scheduler)


def test_a_retired_chair_is_not_booked(make_course, make_slot, make_chair, scheduler):
    chair = make_chair()
    chair.is_retired = True
    with pytest.raises(RuleBroken, match="no longer in use"):
        book(make_course(), make_slot(chair=chair), by=scheduler)


def retire_elsewhere(row):
    """Another desk retires it while this one holds what it read before."""
    retired = sa.update(type(row)).where(type(row).id == row.id).values(is_retired=True)
    db.session.execute(retired, execution_options={"synchronize_session": False})


def test_what_is_retired_while_a_booking_waits_is_not_booked(make_course, make_slot, make_booked, scheduler):
    there, slot = make_booked(), make_slot(2, starts_at=NINE + DAY)
    pump = operations_pumps.add_pump("P1", "SN-1", by=scheduler, at=DESK_OPENS)
    retire_elsewhere(slot.chair), retire_elsewhere(pump)
    with pytest.raises(RuleBroken, match=r"Chair .* no longer in use"):
        book(there.course, slot, by=scheduler)
    with pytest.raises(RuleBroken, match=r"Chair .* no longer in use"):
        operations.move(there, slot, reason="x", by=scheduler, at=DESK_OPENS)
    with pytest.raises(RuleBroken, match=r"Pump .* no longer in use"):
        book(there.course, make_slot(2, starts_at=NINE + DAY, pump=pump), by=scheduler)
    with pytest.raises(RuleBroken, match=r"Pump .* no longer in use"):
        operations.assign_pump(there, pump, by=scheduler, at=DESK_OPENS)


def test_a_course_without_a_signed_order_is_not_booked(make_course, make_slot, scheduler):
    with pytest.raises(RuleBroken, match="not active"):
        book(make_course(sign=False), make_slot(), by=scheduler)


def test_a_course_on_hold_is_not_booked(make_course, make_slot, scheduler, physician):
    course = make_course()
    courses.review(course, CourseDecision.HOLD, "Infection.", by=physician, at=DESK_OPENS)
    with pytest.raises(RuleBroken, match="not active"):
        book(course, make_slot(), by=scheduler)


def test_nothing_is_booked_under_an_order_whose_time_is_over(make_course, make_slot, scheduler):
    course = make_course(valid_until=DESK_OPENS.date())
    operations.book(course, [make_slot()], by=scheduler, at=DESK_OPENS)
    with pytest.raises(RuleBroken, match="valid until 18-Nov-2025"):
        operations.book(course, [make_slot(2, starts_at=NINE + DAY)], by=scheduler, at=DESK_OPENS + DAY)


def test_no_more_sessions_are_booked_than_the_order_allows(make_course, make_slot, scheduler):
    course = make_course(sessions_allowed=2)
    slots = [make_slot(number, starts_at=NINE + number * DAY) for number in (1, 2, 3)]
    with pytest.raises(RuleBroken, match="The order allows 2 sessions; 0 have"):
        operations.book(course, slots, by=scheduler, at=DESK_OPENS)
    operations.book(course, slots[:2], by=scheduler, at=DESK_OPENS)
    with pytest.raises(RuleBroken, match="2 have a time"):
        operations.book(course, slots[2:], by=scheduler, at=DESK_OPENS)

"""Moving is a cancelling and a new booking that know each other."""

import pytest

from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.scheduling import operations, queries
from clinic.scheduling.operations import SlotsTaken
from clinic.scheduling.rules import AppointmentStatus
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE


def test_a_moved_appointment_leaves_its_old_place(make_booked, make_slot, scheduler):
    old = make_booked()
    new = operations.move(
        old, make_slot(chair=old.chair, starts_at=NINE + HOUR), reason="Train late", by=scheduler, at=DESK_OPENS
    )
    assert (old.status, old.status_reason) == (AppointmentStatus.CANCELLED, "Train late")
    assert (new.status, new.moved_from_id, new.session_number) == (AppointmentStatus.BOOKED, old.id, 1)


def test_a_refused_move_leaves_the_old_place_held(make_booked, make_slot, scheduler):
    old, other = make_booked(), make_booked(starts_at=NINE + DAY)
    with pytest.raises(SlotsTaken):
        operations.move(
            old, make_slot(chair=other.chair, starts_at=NINE + DAY), reason="x", by=scheduler, at=DESK_OPENS
        )
    assert old.status is AppointmentStatus.BOOKED
    assert queries.of_course(old.course_id) == [old]


def test_a_move_to_where_it_stands_is_no_move(make_booked, make_slot, scheduler):
    old = make_booked()
    with pytest.raises(RuleBroken, match="already"):
        operations.move(old, make_slot(chair=old.chair), reason="x", by=scheduler, at=DESK_OPENS)


def test_an_arrived_patient_is_not_moved(make_booked, make_slot, scheduler):
    old = make_booked()
    operations.change_status(old, AppointmentStatus.ARRIVED, by=scheduler, at=NINE)
    with pytest.raises(RuleBroken, match="booked"):
        operations.move(old, make_slot(starts_at=NINE + DAY), reason="x", by=scheduler, at=NINE)


def test_a_cancelled_time_is_free_again(make_booked, scheduler):
    old = make_booked()
    operations.cancel(old, reason="Patient is ill", by=scheduler, at=DESK_OPENS)
    assert make_booked(chair=old.chair).status is AppointmentStatus.BOOKED


@pytest.mark.parametrize("reason", ["", "  "])
def test_cancelling_says_why(make_booked, scheduler, reason):
    with pytest.raises(RuleBroken, match="Say why"):
        operations.cancel(make_booked(), reason=reason, by=scheduler, at=DESK_OPENS)


def test_nobody_is_missing_before_the_time(make_booked, scheduler):
    with pytest.raises(RuleBroken, match="not come yet"):
        operations.mark_no_show(make_booked(), reason="x", by=scheduler, at=DESK_OPENS)


def test_a_missed_session_can_be_booked_again(make_booked, scheduler):
    missed = make_booked()
    operations.mark_no_show(missed, reason="No call", by=scheduler, at=NINE + HOUR)
    again = make_booked(missed.course, starts_at=NINE + DAY)
    assert again.session_number == missed.session_number


def test_a_nurse_takes_an_appointment_over(make_booked, scheduler, nurse):
    appointment = make_booked()
    operations.assign_nurse(appointment, nurse, by=scheduler, at=DESK_OPENS)
    assert appointment.nurse_id == nurse.id


def test_a_full_nurse_takes_nobody_over(limit_nurses, make_booked, scheduler, nurse):
    limit_nurses(1)
    make_booked(nurse=nurse)
    appointment = make_booked()
    with pytest.raises(RuleBroken, match="Quill RN has as many patients"):
        operations.assign_nurse(appointment, nurse, by=scheduler, at=DESK_OPENS)
    assert appointment.nurse_id is None


def test_a_limit_that_was_lowered_stops_nobody_at_the_door(limit_nurses, make_booked, scheduler, nurse):
    """An appointment is judged when it takes its place, not when the patient arrives."""
    both = [make_booked(nurse=nurse) for _ in range(2)]
    limit_nurses(1)
    db.session.flush()
    for each in both:
        operations.change_status(each, AppointmentStatus.ARRIVED, by=scheduler, at=NINE)
    assert {each.status for each in both} == {AppointmentStatus.ARRIVED}


def test_a_move_is_taken_back(make_booked, make_slot, scheduler):
    old = make_booked()
    new = operations.move(old, make_slot(starts_at=NINE + DAY), reason="x", by=scheduler, at=DESK_OPENS)
    back = operations.undo(new, by=scheduler, at=DESK_OPENS)
    assert (back.starts_at, back.chair_id, back.status) == (NINE, old.chair_id, AppointmentStatus.BOOKED)
    assert new.status is AppointmentStatus.CANCELLED


def test_a_cancelling_is_taken_back(make_booked, scheduler):
    old = make_booked()
    operations.cancel(old, reason="x", by=scheduler, at=DESK_OPENS)
    assert operations.undo(old, by=scheduler, at=DESK_OPENS).starts_at == NINE


def test_a_place_that_somebody_took_does_not_come_back(make_booked, scheduler):
    old = make_booked()
    operations.cancel(old, reason="x", by=scheduler, at=DESK_OPENS)
    make_booked(chair=old.chair)
    with pytest.raises(SlotsTaken):
        operations.undo(old, by=scheduler, at=DESK_OPENS)


def test_an_untouched_appointment_has_nothing_to_take_back(make_booked, scheduler):
    with pytest.raises(RuleBroken, match="nothing to take back"):
        operations.undo(make_booked(), by=scheduler, at=DESK_OPENS)

"""Arrived was tapped on the wrong patient: the booked time stands again, as long as nothing was recorded."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.notes import queries as notes
from clinic.notes.operations import draft_note
from clinic.notifications.models import OutboxMessage
from clinic.outcomes.operations import record_outcome
from clinic.outcomes.rules import Instrument, Occasion
from clinic.reminders import operations as reminders
from clinic.scheduling import operations as scheduling
from clinic.scheduling import queries as schedule
from clinic.scheduling.rules import AppointmentStatus
from clinic.sessions import operations
from clinic.sessions.rules import SessionStatus
from tests.factories.sessions import ARRIVED, minute


def test_the_booked_time_stands_again(make_infusion, nurse):
    infusion = make_infusion()
    was = infusion.appointment
    again = operations.undo_arrival(infusion, by=nurse, at=minute(0))
    assert infusion.status is SessionStatus.NOT_DONE
    assert (was.status, again.status) == (AppointmentStatus.CANCELLED, AppointmentStatus.BOOKED)
    for name in (
        "patient_id",
        "course_id",
        "session_number",
        "chair_id",
        "nurse_id",
        "pump_id",
        "starts_at",
        "ends_at",
    ):
        assert getattr(again, name) == getattr(was, name)
    assert schedule.moved_to(was) is again


def test_the_right_patient_arrives_afterwards(make_infusion, nurse):
    again = operations.undo_arrival(make_infusion(), by=nurse, at=minute(0))
    infusion = operations.arrive(again, arrived_at=minute(5), by=nurse, at=minute(5))
    assert infusion.status is SessionStatus.PRECHECKING


def test_the_patient_is_told_nothing(make_infusion, clinic, nurse):
    clinic.mails_tell_changes = True
    infusion = make_infusion()
    infusion.appointment.starts_at += timedelta(minutes=30)  # came early
    db.session.flush()
    before = db.session.scalars(sa.select(OutboxMessage.id)).all()
    again = operations.undo_arrival(infusion, by=nurse, at=ARRIVED)
    told = set(db.session.scalars(sa.select(OutboxMessage.about_id).where(OutboxMessage.id.not_in(before))))
    assert again.id not in told  # and of the old one there is nothing to tell, for its time stands elsewhere


@pytest.mark.parametrize("record", ["check", "vitals", "weight", "answers", "note"])
def test_what_was_recorded_keeps_the_visit(make_infusion, make_weight, observe, nurse, record):
    infusion = make_infusion()
    if record == "check":
        item = infusion.order_version.terms.checks[0]
        operations.answer_identity(infusion, item, infusion.patient.born_on.year, by=nurse, at=minute(0))
    elif record == "vitals":
        observe(infusion, minute(0), sbp=120, dbp=80)
    elif record == "answers":
        one = infusion.course, Instrument.PEG, [1, 2, 3]
        record_outcome(
            *one, occasion=Occasion.BEFORE_SESSION, answered_at=minute(0), infusion=infusion, by=nurse, at=minute(0)
        )
    elif record == "note":
        draft_note(infusion, "Came in well.", by=nurse, at=minute(0))
    else:
        operations.use_weight(infusion, make_weight(infusion.patient), by=nurse, at=minute(0))
    with pytest.raises(RuleBroken, match="Something was recorded"):
        operations.undo_arrival(infusion, by=nurse, at=minute(1))


def test_a_nurse_takes_it_back_from_the_page_that_closes_the_visit(nurses_browser, make_infusion, at_minute):
    infusion = make_infusion()
    at_minute(1)
    assert "Wrong patient?" in nurses_browser.get(f"/sessions/{infusion.id}/not-done").text
    answer = nurses_browser.post(f"/appointments/{infusion.appointment_id}/not-arrived")
    page = nurses_browser.get(answer.location).text
    assert "is booked as before" in page
    assert f"{answer.location.rpartition('/')[2]}/arrive" in page
    assert "Not done" not in nurses_browser.get("/today").text


def test_the_board_forgets_it_also_once_the_booked_time_is_given_up(nurses_browser, make_infusion, nurse, at_minute):
    again = operations.undo_arrival(make_infusion(), by=nurse, at=minute(0))
    scheduling.cancel(again, reason="Ill", by=nurse, at=minute(1))
    at_minute(2)
    assert "Not done" not in nurses_browser.get("/today").text


def test_what_is_in_the_way_by_now_is_said(make_infusion, make_appointment, limit_nurses, nurse):
    infusion = make_infusion()
    make_appointment(starts_at=infusion.appointment.starts_at)
    limit_nurses(1)
    with pytest.raises(RuleBroken, match="has as many patients at that time"):
        operations.undo_arrival(infusion, by=nurse, at=minute(0))


def test_the_patient_is_not_reminded_twice(make_infusion, clinic, agrees, make_reminder_time, nurse):
    infusion = make_infusion()
    infusion.appointment.starts_at += timedelta(hours=1)
    agrees(infusion.patient)
    moment = ARRIVED - timedelta(hours=1)
    make_reminder_time(0, moment.astimezone(ZoneInfo(clinic.zone)).time())
    infusion.appointment.booked_at = moment - timedelta(days=2)
    operations.undo_arrival(infusion, by=nurse, at=ARRIVED)
    assert reminders.plan_reminders(clinic, at=minute(1)) == 0


def test_the_desk_takes_it_back_beside_the_week(client, scheduler, make_infusion, at_minute):
    infusion = make_infusion()
    at_minute(1)
    client.sign_in(scheduler)
    assert "Not here after all" in client.get(f"/calendar/appointments/{infusion.appointment_id}").text
    assert client.post(f"/appointments/{infusion.appointment_id}/not-arrived").status_code == 303
    assert infusion.status is SessionStatus.NOT_DONE


def test_the_course_does_not_tell_of_it(make_infusion, nurse):
    infusion = make_infusion()
    assert notes.sessions_of_course(infusion.course_id) == [infusion]
    operations.undo_arrival(infusion, by=nurse, at=minute(0))
    assert notes.sessions_of_course(infusion.course_id) == []


def test_a_second_tap_changes_nothing(nurses_browser, make_infusion, at_minute):
    infusion = make_infusion()
    at_minute(1)
    for _ in range(2):
        answer = nurses_browser.post(f"/appointments/{infusion.appointment_id}/not-arrived")
    assert "closed already" in nurses_browser.get(answer.location).text
    assert schedule.moved_to(infusion.appointment).status is AppointmentStatus.BOOKED

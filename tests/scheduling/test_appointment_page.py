"""Moving, cancelling and the rest on the appointment's own panel."""

import re

import pytest

from clinic.core import clock, db
from clinic.scheduling import operations, queries
from clinic.scheduling.rules import AppointmentStatus
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE


@pytest.fixture
def desk(client, scheduler):
    with clock.standing_at(DESK_OPENS):
        client.sign_in(scheduler)
        yield client


def post(desk, appointment, verb, **typed):
    known = {"patient_id": str(appointment.patient_id), "version": str(appointment.version)}
    return desk.post(f"/calendar/appointments/{appointment.id}/{verb}", data=known | typed)


def move_to(where, day="20-Nov-2025", time="10:30", **more):
    return {"day": day, "clock": time, "chair": str(where.id), "nurse": "", "reason": "Train late"} | more


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.get_data(as_text=True)))


def test_the_panel_shows_the_appointment_beside_its_week(desk, make_booked):
    answer = desk.get(f"/calendar/appointments/{make_booked().id}")
    assert "ALMEIDA, Rosa" in words(answer)
    assert "Course 1, Dr L. Marsh: session 1 of 6" in words(answer)
    assert 'aria-current="true"' in answer.get_data(as_text=True)


def test_it_moves_with_its_length(desk, make_booked, make_chair):
    old, chair = make_booked(), make_chair()
    answer = post(desk, old, "move", **move_to(chair))
    assert (answer.status_code, answer.location) == (303, "/calendar?week=2025-11-20")
    new = queries.of_course(old.course_id)[-1]
    assert (new.starts_at, new.ends_at) == (NINE + DAY + 1.5 * HOUR, NINE + DAY + 4.5 * HOUR)
    assert new.chair_id == chair.id


def test_a_refused_move_says_who_is_there_and_keeps_the_words(desk, make_booked):
    old, other = make_booked(), make_booked(starts_at=NINE + DAY)
    answer = post(desk, old, "move", **move_to(other.chair))
    assert answer.status_code == 422
    assert "is taken at that time: ALMEIDA, Rosa, 09:00 to 12:00." in words(answer)
    assert 'value="Train late"' in answer.get_data(as_text=True)
    assert old.status is AppointmentStatus.BOOKED


def test_a_move_to_no_place_says_what_to_choose_and_nothing_else(desk, make_booked):
    answer = post(desk, make_booked(), "move", why="Patient asked")
    assert answer.status_code == 422
    assert "Choose one of the free places, then press again." in words(answer)
    assert "Enter a" not in words(answer)


@pytest.mark.parametrize("missing", ["day", "clock", "chair", "reason"])
def test_a_move_needs_all_of_it(desk, make_booked, make_chair, missing):
    old = make_booked()
    assert post(desk, old, "move", **move_to(make_chair(), **{missing: ""})).status_code == 422
    assert old.status is AppointmentStatus.BOOKED


def test_an_appointment_that_changed_meanwhile_shows_both_versions(desk, make_booked, make_chair, nurse, scheduler):
    drawn = make_booked()
    version = drawn.version
    operations.assign_nurse(drawn, nurse, by=scheduler, at=DESK_OPENS)
    answer = post(desk, drawn, "move", **move_to(make_chair()), version=str(version))
    assert answer.status_code == 409
    said = words(answer)
    assert "Somebody else changed this appointment" in said
    assert "N. Quill RN" in said
    assert "Train late" in said


def test_a_form_without_its_version_changes_nothing(desk, make_booked):
    booked = make_booked()
    assert post(desk, booked, "cancel", version="", **{"cancel-reason": "x"}).status_code == 409


def test_cancelling_frees_the_session(desk, make_booked):
    booked = make_booked()
    assert post(desk, booked, "cancel", **{"cancel-reason": "Patient is ill"}).status_code == 303
    assert (booked.status, booked.status_reason) == (AppointmentStatus.CANCELLED, "Patient is ill")


def test_cancelling_without_a_reason_is_refused(desk, make_booked):
    booked = make_booked()
    answer = post(desk, booked, "cancel", **{"cancel-reason": ""})
    assert answer.status_code == 422
    assert "Say why" in words(answer)


def test_did_not_attend_is_offered_once_the_time_has_come(desk, client, make_booked, scheduler):
    booked = make_booked()
    assert "Did not attend" not in words(desk.get(f"/calendar/appointments/{booked.id}"))
    with clock.standing_at(NINE + HOUR):
        client.sign_in(scheduler)
        assert "Did not attend" in words(client.get(f"/calendar/appointments/{booked.id}"))
        assert post(client, booked, "no-show", **{"miss-reason": "No call"}).status_code == 303
    assert booked.status is AppointmentStatus.NO_SHOW


def test_a_nurse_is_assigned(desk, make_booked, nurse):
    booked = make_booked()
    assert post(desk, booked, "nurse", nurse_id=str(nurse.id)).status_code == 303
    assert booked.nurse_id == nurse.id


def test_a_full_nurse_is_refused_in_words(desk, limit_nurses, make_booked, nurse):
    limit_nurses(1)
    make_booked(nurse=nurse)
    answer = post(desk, make_booked(), "nurse", nurse_id=str(nurse.id))
    assert answer.status_code == 422
    assert "Quill RN has as many patients at that time" in words(answer)


def test_somebody_who_is_no_nurse_cannot_be_chosen(desk, make_booked, scheduler):
    assert post(desk, make_booked(), "nurse", nurse_id=str(scheduler.id)).status_code == 422


@pytest.mark.parametrize(("verb", "typed"), [("cancel", {"cancel-reason": "x"}), ("nurse", {"nurse_id": ""})])
def test_what_has_begun_is_left_to_the_bedside(desk, make_booked, scheduler, verb, typed):
    booked = make_booked()
    operations.change_status(booked, AppointmentStatus.ARRIVED, by=scheduler, at=NINE)
    answer = post(desk, booked, verb, **typed)
    assert answer.status_code == 422
    assert booked.status is AppointmentStatus.ARRIVED
    assert "Only a booked appointment can be changed here." in words(answer)
    assert "calendar/appointments/" not in "".join(re.findall(r"<form[^>]*>", answer.get_data(as_text=True)))


def test_a_moved_appointment_says_where_it_came_from(desk, make_booked, make_slot, scheduler):
    old = make_booked()
    with db.unit_of_work():
        new = operations.move(old, make_slot(starts_at=NINE + DAY), reason="Train late", by=scheduler, at=DESK_OPENS)
    assert "Moved from Wed 19-Nov-2025 09:00" in words(desk.get(f"/calendar/appointments/{new.id}"))


def test_a_move_can_be_undone_from_the_corner(desk, make_booked, make_chair):
    old = make_booked()
    week = desk.get(post(desk, old, "move", **move_to(make_chair())).location).get_data(as_text=True)
    (address,) = re.findall(r'action="(/calendar/appointments/[^"]*/undo)"', week)
    assert desk.post(address).status_code == 303
    assert [each.starts_at for each in queries.of_course(old.course_id) if each.status == "booked"] == [NINE]


def test_an_undo_that_comes_too_late_says_so(desk, make_booked, scheduler):
    old = make_booked()
    operations.cancel(old, reason="x", by=scheduler, at=DESK_OPENS)
    make_booked(chair=old.chair)
    week = desk.get(desk.post(f"/calendar/appointments/{old.id}/undo").location)
    assert f"Not undone. Chair {old.chair.name} is taken at that time" in words(week)


def test_a_moved_appointment_leads_to_where_it_stands_now(desk, make_booked, make_chair):
    old = make_booked()
    version = old.version
    post(desk, old, "move", **move_to(make_chair()))
    (new,) = [each for each in queries.of_course(old.course_id) if each.status == "booked"]
    shown = desk.get(f"/calendar/appointments/{old.id}").get_data(as_text=True)
    assert f'href="/calendar/appointments/{new.id}"' in shown
    late = post(desk, old, "cancel", version=version, **{"cancel-reason": "x"}).get_data(as_text=True)
    assert "moved to" in late
    assert f'href="/calendar/appointments/{new.id}"' in late

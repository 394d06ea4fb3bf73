"""Moving one session: the free places that are offered, the rest of its course, and taking all of it back."""

import json
import re

import pytest
import sqlalchemy as sa
from sqlalchemy.orm.exc import StaleDataError

from clinic.audit.models import AuditEntry
from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.scheduling import operations, queries
from clinic.scheduling.models import Appointment
from clinic.scheduling.operations import SlotsTaken
from clinic.scheduling.operations_moves import Move, accept_plan, move_all, undo_together
from clinic.scheduling.rules import AppointmentStatus
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE


@pytest.fixture
def desk(client, scheduler):
    with clock.standing_at(DESK_OPENS):
        client.sign_in(scheduler)
        yield client


@pytest.fixture
def booked_course(make_course, make_slot, make_chair, scheduler):
    """Sessions 1 to 4 of a course of six, 2 to 7 days apart: Wed, Fri, Wed and Fri at 09:00 in one chair."""
    course, chair = make_course(), make_chair()
    slots = [make_slot(n, chair=chair, starts_at=NINE + day * DAY) for n, day in ((1, 0), (2, 2), (3, 7), (4, 9))]
    return operations.book(course, slots, by=scheduler, at=DESK_OPENS)


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.get_data(as_text=True)))


def post(desk, appointment, data, verb="move"):
    known = {"patient_id": str(appointment.patient_id), "version": str(appointment.version)}
    return desk.post(f"/calendar/appointments/{appointment.id}/{verb}", data=known | data)


def offered(answer):
    return re.findall(r'name="to" value="([^"]+)"', answer.get_data(as_text=True))


def to(appointment, day, time="09:00"):
    return {"to": f"{day}|{time}|{appointment.chair_id}|", "why": "Patient asked"}


def where(course_id):
    held = [each for each in queries.of_course(course_id) if each.status is AppointmentStatus.BOOKED]
    return {each.session_number: (each.starts_at - NINE) // DAY for each in held}


def test_the_places_offered_change_little_and_keep_the_spacing(desk, booked_course):
    second = booked_course[1]
    values = offered(desk.get(f"/calendar/appointments/{second.id}"))
    # From two days after the first to two days before the third, on days when the clinic is open.
    assert [value.rsplit("|", 2)[0] for value in values] == [
        "21-Nov-2025|12:00",
        "24-Nov-2025|09:00",
        "24-Nov-2025|12:00",
    ]


def test_every_place_that_is_offered_is_free(desk, booked_course, make_booked):
    second = booked_course[1]
    make_booked(chair=second.chair, starts_at=NINE + 5 * DAY)
    for value in offered(desk.get(f"/calendar/appointments/{second.id}")):
        assert not value.startswith("24-Nov-2025|09:00")
    value = offered(desk.get(f"/calendar/appointments/{second.id}"))[0]
    assert post(desk, second, {"to": value, "why": "Patient asked"}).status_code == 303


def test_a_move_that_breaks_the_spacing_asks_first(desk, booked_course):
    answer = post(desk, booked_course[1], to(booked_course[1], "25-Nov-2025"))
    assert answer.status_code == 422
    assert "Session 3 is closer than the order" in words(answer)
    assert where(booked_course[0].course_id) == {1: 0, 2: 2, 3: 7, 4: 9}


def test_the_rest_of_the_course_follows(desk, booked_course):
    second = booked_course[1]
    answer = post(desk, second, to(second, "25-Nov-2025"))
    again = {"follow": re.findall(r'name="follow" value="([^"]+)"', answer.get_data(as_text=True)), "rest": "follow"}
    said = post(desk, second, to(second, "25-Nov-2025") | again)
    assert said.status_code == 303
    days = where(second.course_id)
    assert days[2] == 6
    assert all(2 <= days[n + 1] - days[n] <= 7 for n in (1, 2, 3))


def test_one_can_be_moved_alone_all_the_same(desk, booked_course):
    answer = post(desk, booked_course[1], to(booked_course[1], "25-Nov-2025") | {"rest": "leave"})
    assert answer.status_code == 303
    assert where(booked_course[0].course_id) == {1: 0, 2: 6, 3: 7, 4: 9}


def test_a_session_that_changed_meanwhile_stops_those_that_follow(desk, booked_course, scheduler):
    second, third = booked_course[1:3]
    stale = f"{third.id}|{third.version + 1}|27-Nov-2025|09:00|{third.chair_id}|"
    answer = post(desk, second, to(second, "25-Nov-2025") | {"rest": "follow", "follow": stale})
    assert answer.status_code == 422
    assert where(second.course_id) == {1: 0, 2: 2, 3: 7, 4: 9}


def test_dropping_on_the_week_moves_to_the_nearest_time(desk, booked_course, make_booked):
    second = booked_course[1]
    make_booked(chair=second.chair, starts_at=NINE + 5 * DAY)
    places = json.loads(desk.get(f"/calendar/appointments/{second.id}/places?week=2025-11-24").data)
    (there,) = [each for each in places if (each["day"], each["chair"]) == ("2025-11-24", str(second.chair_id))]
    assert there["clock"] == "12:00"
    known = {"patient_id": str(second.patient_id), "version": str(second.version), "appointment": str(second.id)}
    assert desk.post("/calendar/drop", data=known | {"to": there["to"], "why": "Moved on the week"}).status_code == 303
    assert where(second.course_id)[2] == 5


def test_appointments_change_places_and_back(booked_course, make_booked, make_slot, scheduler):
    one, other = booked_course[0], make_booked(starts_at=NINE)
    moves = [
        Move(one, make_slot(1, chair=other.chair), "swap"),
        Move(other, make_slot(1, chair=one.chair), "swap"),
    ]
    moved = move_all(moves, by=scheduler, at=DESK_OPENS)
    assert [each.chair_id for each in moved] == [other.chair_id, one.chair_id]
    back = undo_together(moved[0], by=scheduler, at=DESK_OPENS + HOUR)
    assert {each.chair_id for each in back} == {one.chair_id, other.chair_id}


def test_all_move_or_none(booked_course, make_booked, make_slot, scheduler):
    taken = make_booked(starts_at=NINE + 30 * DAY)
    moves = [
        Move(booked_course[2], make_slot(3, starts_at=NINE + 29 * DAY), "x"),
        Move(booked_course[3], make_slot(4, chair=taken.chair, starts_at=taken.starts_at), "x"),
    ]
    with pytest.raises(SlotsTaken):
        move_all(moves, by=scheduler, at=DESK_OPENS)
    assert where(booked_course[0].course_id) == {1: 0, 2: 2, 3: 7, 4: 9}


def test_a_patient_who_has_arrived_stops_the_whole_plan(booked_course, make_slot, scheduler):
    operations.change_status(booked_course[0], AppointmentStatus.ARRIVED, by=scheduler, at=NINE)
    moves = [Move(each, make_slot(each.session_number, starts_at=NINE + 40 * DAY), "x") for each in booked_course[:2]]
    with pytest.raises(RuleBroken, match="arrived"):
        move_all(moves, by=scheduler, at=NINE)


def test_undoing_a_cancelling_moves_nobody_else(booked_course, make_slot, scheduler):
    """They moved together; then one of them was cancelled, and only that is taken back."""
    moves = [Move(each, make_slot(each.session_number, starts_at=each.starts_at + HOUR), "x") for each in booked_course]
    moved = move_all(moves, by=scheduler, at=DESK_OPENS)
    operations.cancel(moved[0], reason="Ill", by=scheduler, at=DESK_OPENS + HOUR)
    (again,) = undo_together(moved[0], by=scheduler, at=DESK_OPENS + HOUR)
    assert again.starts_at == moved[0].starts_at
    assert {each.status for each in moved[1:]} == {AppointmentStatus.BOOKED}


def test_a_plan_does_not_undo_what_another_desk_changed_meanwhile(booked_course, make_slot, scheduler):
    one = booked_course[0]
    changed = sa.update(Appointment).where(Appointment.id == one.id).values(version=one.version + 1)
    db.session.execute(changed, execution_options={"synchronize_session": False})
    with pytest.raises(StaleDataError):
        move_all([Move(one, make_slot(1, starts_at=NINE + HOUR), "x")], by=scheduler, at=DESK_OPENS)


def test_a_full_nurse_takes_over_whom_the_same_plan_makes_room_for(
    limit_nurses, make_booked, make_slot, scheduler, nurse
):
    limit_nurses(1)
    full, waits = make_booked(nurse=nurse), make_booked()
    moves = [
        Move(waits, make_slot(chair=waits.chair, nurse=nurse), "another nurse"),
        Move(full, make_slot(chair=full.chair, starts_at=NINE + 4 * HOUR, nurse=nurse), "makes room"),
    ]
    (moved,) = accept_plan(moves, by=scheduler, at=DESK_OPENS)
    assert (waits.nurse_id, moved.nurse_id, moved.starts_at) == (nurse.id, nurse.id, NINE + 4 * HOUR)


@pytest.fixture
def full_nurses(limit_nurses, nurse, second_nurse):
    """Two nurses with one patient at once at most."""
    limit_nurses(1)
    return nurse, second_nurse


def test_two_full_nurses_change_patients(full_nurses, make_booked, make_slot, scheduler):
    nurse, second_nurse = full_nurses
    one, other = make_booked(nurse=nurse), make_booked(nurse=second_nurse)
    moves = [
        Move(one, make_slot(chair=one.chair, nurse=second_nurse), "x"),
        Move(other, make_slot(chair=other.chair, nurse=nurse), "x"),
    ]
    accept_plan(moves, by=scheduler, at=DESK_OPENS)
    assert (one.nurse_id, other.nurse_id) == (second_nurse.id, nurse.id)
    lines = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.subject_id == one.id))
    assert f'"was_nurse_id":"{nurse.id}"' in "".join(line.body for line in lines).replace(" ", "")

"""The pages about the clinic itself: hours, closed days, clinicians, pumps, rules; what would break is shown first."""

import functools
import re

import pytest
import sqlalchemy as sa

from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.scheduling import operations, operations_people, operations_pumps, operations_shifts, queries, queries_rooms
from clinic.scheduling.models import Shift
from clinic.scheduling.rules import BookingRule
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE

HOURS = {"weekdays": ["1", "2", "3", "4", "5"], "from_time": "10:00", "until_time": "17:00", "valid_from": "1-Nov-2025"}
CLOSED = {"close-from_on": "19-Nov-2025", "close-until_on": "19-Nov-2025", "close-reason": "Snow"}


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.get_data(as_text=True)))


def seen(answer):
    return re.search(r'name="(?:[a-z]+-)?seen"[^>]*value="(\w+)"', answer.get_data(as_text=True))[1]


@pytest.fixture
def as_person(client, request):
    """Signs a person in, by fixture, when the desk opens."""
    with clock.standing_at(DESK_OPENS):

        def sign_in(name):
            client.sign_in(request.getfixturevalue(name))
            return client

        yield sign_in


def test_hours_are_shown_before_they_are_saved(as_person, site, make_booked):
    make_booked()
    admin, typed = as_person("admin"), {**HOURS, "site": str(site.id)}
    answer = admin.post("/clinic/hours/set", data=typed)
    assert answer.status_code == 422
    assert "Wed 19-Nov-2025 09:00 to 12:00, chair" in words(answer)
    assert queries_rooms.opening_hours() == []
    assert admin.post("/clinic/hours/set", data={**typed, "seen": seen(answer)}).status_code == 303
    assert "Monday 10:00 to 17:00" in words(admin.get("/clinic/hours"))


def test_an_administrator_is_shown_no_name(as_person, site, make_booked):
    name = make_booked().patient.family_name
    answer = as_person("admin").post("/clinic/hours/set", data={**HOURS, "site": str(site.id)})
    assert name.casefold() not in words(answer).casefold()


def test_a_closed_day_is_closed_and_opened_again(as_person, site):
    admin = as_person("admin")
    assert admin.post("/clinic/hours/close", data={**CLOSED, "close-site": str(site.id)}).status_code == 303
    assert "Wed 19-Nov-2025 all day Snow" in words(admin.get("/clinic/hours"))
    (row,) = queries_rooms.closed_days()
    admin.post(f"/clinic/hours/closed/{row.id}/reopen", data={"reason": "It melted"})
    assert queries_rooms.closed_days() == []


@pytest.mark.parametrize("typed", [{"weekdays": []}, {"until_time": ""}, {"until_time": "09:00"}, {"valid_from": "x"}])
def test_hours_that_cannot_be_are_refused(as_person, site, typed):
    answer = as_person("admin").post("/clinic/hours/set", data={**HOURS, "site": str(site.id), **typed})
    assert answer.status_code == 422
    assert queries_rooms.opening_hours() == []


def test_the_desk_reads_hours_and_sets_none(as_person, site):
    desk = as_person("scheduler")
    assert "Set hours" not in words(desk.get("/clinic/hours"))
    assert desk.post("/clinic/hours/set", data={**HOURS, "site": str(site.id)}).status_code == 403


def test_a_clinician_is_added_and_removed_when_seen(as_person, site, physician, make_booked):
    desk, day = as_person("scheduler"), {"days": ["2025-11-19"], "from_time": "08:00", "until_time": "17:00"}
    typed = {"staff_id": str(physician.id), "site": str(site.id), **day}
    assert desk.post("/clinic/clinicians/add?week=2025-11-19", data=typed).status_code == 303
    make_booked()
    (row,) = queries_rooms.presences(NINE, NINE + HOUR)
    answer = desk.post(f"/clinic/clinicians/{row.id}/remove", data={})
    assert "would be left without a clinician" in words(answer)
    assert desk.post(f"/clinic/clinicians/{row.id}/remove", data={"seen": seen(answer)}).status_code == 303
    assert queries_rooms.presences(NINE, NINE + HOUR) == []


def test_a_pump_is_added_taken_out_put_back_and_retired(as_person):
    desk = as_person("scheduler")
    desk.post("/clinic/pumps/add", data={"name": "P1", "serial": "SN-1"})
    assert "is here already" in words(desk.post("/clinic/pumps/add", data={"name": "P1", "serial": "SN-2"}))
    (pump,) = queries_rooms.pumps()
    out = {"pump": str(pump.id), "from_day": "19-Nov-2025", "from_time": "08:00", "reason": "Service"}
    out |= {"until_day": "20-Nov-2025", "until_time": "08:00"}
    assert desk.post("/clinic/pumps/out", data={f"out-{name}": value for name, value in out.items()}).status_code == 303
    (closure,) = queries_rooms.pump_closures(DESK_OPENS)
    assert desk.post(f"/clinic/pumps/closures/{closure.id}/end", data={"reason": "Done"}).status_code == 303
    assert queries_rooms.pump_closures(DESK_OPENS) == []
    desk.post(f"/clinic/pumps/{pump.id}/retire")
    assert queries_rooms.pumps() == []


def test_an_appointment_holds_a_pump_and_takes_it_along(as_person, make_booked, make_slot, scheduler):
    desk, booked = as_person("scheduler"), make_booked()
    pump = operations_pumps.add_pump("P1", "SN-1", by=scheduler, at=DESK_OPENS)
    keys = {"patient_id": str(booked.patient_id), "version": str(booked.version), "pump_id": str(pump.id)}
    assert desk.post(f"/calendar/appointments/{booked.id}/pump", data=keys).status_code == 303
    assert "Pump P1" in words(desk.get(f"/calendar/appointments/{booked.id}"))
    moved = operations.move(booked, make_slot(starts_at=NINE + HOUR), reason="x", by=scheduler, at=DESK_OPENS)
    assert moved.pump_id == pump.id


def test_a_pump_that_is_held_is_refused(as_person, make_booked, make_active_course, make_patient, scheduler):
    pump = operations_pumps.add_pump("P1", "SN-1", by=scheduler, at=DESK_OPENS)
    make_booked(pump=pump)
    other = make_booked(make_active_course(make_patient(allergies=())))
    keys = {"patient_id": str(other.patient_id), "version": str(other.version), "pump_id": str(pump.id)}
    answer = as_person("scheduler").post(f"/calendar/appointments/{other.id}/pump", data=keys)
    assert "Pump P1 is taken at that time." in words(answer)


def test_what_may_be_overridden_is_the_clinics(as_person):
    admin = as_person("admin")
    rule = {"rule-rule": "site_is_open", "rule-is_allowed": "yes", "rule-reason": "Long visits"}
    assert admin.post("/clinic/rules/override", data=rule).status_code == 303
    assert queries_rooms.overridable() == {BookingRule.SITE_IS_OPEN}
    assert "Outside opening hours allowed Long visits" in words(admin.get("/clinic/rules"))
    assert admin.post("/clinic/rules/override", data={**rule, "rule-reason": " "}).status_code == 422


def test_limits_are_shown_by_date_and_asked_twice(as_person, make_booked, make_active_course, make_patient, nurse):
    other = make_active_course(make_patient(allergies=()))
    admin, typed = (
        as_person("admin"),
        {"limits-valid_from": "19-Nov-2025", "limits-infusion": "1", "limits-at_once": "3"},
    )
    make_booked(nurse=nurse)
    make_booked(other, nurse=nurse, starts_at=NINE + HOUR)
    page = admin.post("/clinic/rules/limits", data=typed)
    assert "1 appointment would stand outside" in words(page)
    assert admin.post("/clinic/rules/limits", data={**typed, "limits-seen": seen(page)}).status_code == 303
    assert "3 no limit no limit 1 no limit" in words(admin.get("/clinic/rules"))
    assert 'value="1"' in re.search(r'<input[^>]*name="limits-infusion"[^>]*>', admin.get("/clinic/rules").text)[0]
    assert admin.post("/clinic/rules/limits", data={"limits-at_once": "0"}).status_code == 422


def test_the_second_who_sets_limits_overwrites_nothing(as_person):
    admin, day = as_person("admin"), {"limits-valid_from": "19-Nov-2025"}
    page = admin.get("/clinic/rules").get_data(as_text=True)
    drawn = {"limits-drawn": re.search(r'name="limits-drawn"[^>]* value="([^"]+)"', page)[1]}
    assert admin.post("/clinic/rules/limits", data={**day, **drawn, "limits-at_once": "3"}).status_code == 303
    second = admin.post("/clinic/rules/limits", data={**day, **drawn, "limits-at_once": "5"})
    assert second.status_code == 409
    assert "3 5 " in words(second)
    assert [row.at_once for row in queries_rooms.nurse_limits()] == [3]


def test_a_chair_is_changed_and_retired(as_person, make_chair):
    desk, chair = as_person("scheduler"), make_chair("Window")
    typed = {"room": "Blue", "has_bed": "y", "cleaning_min": "15"}
    assert desk.post(f"/calendar/chairs/{chair.id}/change", data=typed).status_code == 303
    assert "room Blue, a bed, cleaning 15 min" in words(desk.get("/calendar/chairs"))
    assert desk.post(f"/calendar/chairs/{chair.id}/retire").status_code == 303
    assert queries.chairs() == []


def test_a_chair_with_appointments_is_not_retired(as_person, make_booked):
    chair = make_booked().chair
    answer = as_person("scheduler").post(f"/calendar/chairs/{chair.id}/retire")
    assert "1 appointment stands in this chair" in words(answer)
    assert not chair.is_retired


def test_a_shift_gets_breaks_and_limits(as_person, make_shift, nurse, scheduler):
    desk, shift = as_person("scheduler"), make_shift(nurse)
    page = f"/calendar/shifts/{shift.id}"
    desk.post(f"{page}/break", data={"break-from_time": "12:00", "break-until_time": "12:30"})
    desk.post(f"{page}/limits", data={"patients_at_once": "2", "starts_per_quarter": "1"})
    db.session.refresh(shift)
    assert (len(shift.breaks), shift.patients_at_once, shift.starts_per_quarter) == (1, 2, 1)
    assert "12:00 to 12:30" in words(desk.get(page))
    assert desk.post(f"{page}/break", data={"break-from_time": "19:00", "break-until_time": "20:00"}).status_code == 422
    operations_shifts.remove_break(shift.breaks[0], by=scheduler, at=DESK_OPENS)


def test_a_shift_is_removed_once_its_patients_were_seen(as_person, make_shift, make_booked, nurse):
    desk, shift = as_person("scheduler"), make_shift(nurse)
    make_booked(nurse=nurse)
    answer = desk.post(f"/calendar/shifts/{shift.id}/remove", data={})
    assert "would stand outside" in words(answer)
    assert desk.post(f"/calendar/shifts/{shift.id}/remove", data={"seen": seen(answer)}).status_code == 303
    assert queries.shifts_between(NINE, NINE + HOUR) == []


@pytest.fixture
def rows(make_chair, make_shift, nurse):
    """What two people may edit at once: the page that shows it, where it is sent, one of its fields, the row."""
    chair, shift = make_chair(), make_shift(nurse)
    return {
        "chair": (f"/calendar/chairs/{chair.id}", "/change", "cleaning_min", chair),
        "shift": (f"/calendar/shifts/{shift.id}", "/limits", "patients_at_once", shift),
    }


@pytest.mark.parametrize("which", ["chair", "shift"])
def test_the_second_of_two_who_edit_overwrites_nothing(as_person, rows, which):
    person, (page, act, name, row) = as_person("scheduler"), rows[which]
    drawn = re.search(r'name="drawn"[^>]* value="([^"]+)"', person.get(page).get_data(as_text=True))[1]
    assert person.post(page + act, data={name: "3", "drawn": drawn}).status_code == 303
    second = person.post(page + act, data={name: "5", "drawn": drawn})
    assert second.status_code == 409
    assert "3 5 " in words(second)
    db.session.refresh(row)
    assert getattr(row, name) == 3


def test_limits_of_a_shift_that_is_gone_are_refused(make_shift, nurse):
    shift = make_shift(nurse)
    db.session.execute(sa.delete(Shift), execution_options={"synchronize_session": False})
    limits = {"patients_at_once": 1, "starts_per_quarter": None}
    with pytest.raises(RuleBroken, match="removed meanwhile"):
        operations_shifts.set_shift_limits(shift, **limits, by=nurse, at=DESK_OPENS)


def test_a_week_that_is_entered_half_way_says_who_is_left(as_person, make_shift, make_booked, second_nurse, nurse):
    """Nothing is asked of an empty week; from the first shift on whoever has none is not on duty."""
    desk, page = as_person("scheduler"), "/calendar/shifts?week=2025-11-17"
    make_booked(nurse=second_nurse)
    assert "From the first shift on they do, for the whole week." in words(desk.get(page))
    make_shift(nurse)
    assert "not on duty for all of it: Wed 19-Nov-2025 09:00 to 12:00, chair 1: ALMEIDA" in words(desk.get(page))
    make_shift(second_nurse)
    assert "ALMEIDA" not in words(desk.get(page))


def test_days_without_a_clinician_are_shown(as_person, make_booked, site, physician, scheduler):
    desk, page = as_person("scheduler"), "/clinic/clinicians?week=2025-11-17"
    make_booked()
    add = functools.partial(operations_people.add_presence, site, physician, by=scheduler, at=DESK_OPENS)
    add(starts_at=NINE + DAY, ends_at=NINE + DAY + HOUR)
    assert "on site for all of these: Wed 19-Nov-2025 09:00 to 12:00" in words(desk.get(page))
    add(starts_at=NINE, ends_at=NINE + 3 * HOUR)
    assert "on site for all of these" not in words(desk.get(page))

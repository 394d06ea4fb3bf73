"""Who would take another time stands on a list; a time that is given up goes to whom it suits best, in one tap."""

import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from clinic.accounts import operations as accounts
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.courses.operations import review
from clinic.courses.rules import CourseDecision
from clinic.scheduling import operations, operations_pumps, operations_waiting, queries_waiting
from clinic.scheduling.operations_moves import undo_together
from clinic.scheduling.operations_waiting import Wishes
from clinic.scheduling.rules import AppointmentStatus, DayPart, Stretch, WaitingStatus
from clinic.scheduling.waiting_list import offers
from clinic.scheduling.waiting_rules import Candidate, can_come, fitting
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE

ZONE = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("wishes", "can"),
    [
        ({}, True),
        ({"notice_hours": 29}, True),
        ({"notice_hours": 30}, False),
        ({"weekdays": (3,)}, True),
        ({"weekdays": (1, 2)}, False),
        ({"part": DayPart.MORNING}, True),
        ({"part": DayPart.AFTERNOON}, False),
        ({"from_on": date(2025, 11, 20)}, False),
        ({"until_on": date(2025, 11, 18)}, False),
    ],
)
def test_a_patient_can_come_on_these_days_at_that_notice(wishes, can):
    """09:00 on Wednesday 19-Nov-2025, told 29 hours before."""
    wish = Wishes(**{"notice_hours": 0, "weekdays": None, **wishes})
    assert can_come(wish, NINE, at=DESK_OPENS, zone=ZONE) is can


def candidate(key, *, minutes=60, waits=0, now_at=None, note=None):
    return Candidate(key, minutes, DESK_OPENS - waits * DAY, now_at, note)


def test_whom_the_order_suits_and_who_waits_longest_comes_first():
    people = [
        candidate("too long", minutes=61),
        candidate("no length", minutes=None),
        candidate("closer than the order's", waits=9, note="closer"),
        candidate("has one soon", now_at=NINE + DAY, waits=5),
        candidate("has one late", now_at=NINE + 9 * DAY),
        candidate("new", waits=1),
        candidate("long", waits=3),
    ]
    best = [each.key for each in fitting(people, Stretch(NINE, NINE + HOUR))]
    assert best == ["long", "new", "has one late", "has one soon", "closer than the order's"]


@pytest.fixture
def put(scheduler):
    """Puts session 1 of a course on the list."""

    def act(course, number=1, at=DESK_OPENS - HOUR, **wishes):
        return operations_waiting.put_on_the_list(
            course, number, Wishes(**{"notice_hours": 0, **wishes}), by=scheduler, at=at
        )

    return act


def test_a_session_waits_once(put, make_course, scheduler):
    course = make_course()
    entry = put(course)
    with pytest.raises(RuleBroken, match="already"):
        put(course)
    operations_waiting.take_off_the_list(entry, reason="Comes as booked", by=scheduler, at=DESK_OPENS)
    assert put(course).status is WaitingStatus.WAITING


@pytest.fixture
def others(make_active_course, make_patient):
    """Courses of other patients."""
    return [make_active_course(make_patient(family_name=name, allergies=())) for name in ("Berg", "Chen")]


@pytest.fixture
def desk(client, scheduler):
    with clock.standing_at(DESK_OPENS):
        client.sign_in(scheduler)
        yield client


def cancel(desk, booked):
    keys = {"patient_id": str(booked.patient_id), "version": str(booked.version), "cancel-reason": "Ill"}
    return desk.post(f"/calendar/appointments/{booked.id}/cancel", data=keys)


def test_a_cancelled_time_is_booked_from_the_list_in_one_tap(desk, make_booked, others, put):
    free = make_booked()
    held = make_booked(others[0], starts_at=NINE + 5 * DAY)
    entry = put(others[0])
    answer = cancel(desk, free)
    assert answer.location.endswith(f"/calendar/appointments/{free.id}")
    page = desk.get(answer.location).get_data(as_text=True)
    (act,) = re.findall(r'action="([^"]+/give/[^"]+)"', page)
    desk.post(act)
    moved = queries_waiting.appointment_of(others[0].id, 1)
    assert (moved.starts_at, moved.chair_id, moved.moved_from_id) == (NINE, free.chair_id, held.id)
    assert (entry.status, entry.appointment_id) == (WaitingStatus.PLACED, moved.id)
    assert held.status is AppointmentStatus.CANCELLED


def test_a_time_that_somebody_took_is_not_given_twice(desk, make_booked, others, put):
    free = make_booked()
    make_booked(others[0], starts_at=NINE + 5 * DAY)
    entry = put(others[0])
    cancel(desk, free)
    make_booked(others[1], chair=free.chair)
    answer = desk.post(f"/calendar/appointments/{free.id}/give/{entry.id}", follow_redirects=True)
    assert "Not booked." in answer.get_data(as_text=True)
    assert entry.status is WaitingStatus.WAITING


def test_a_wish_is_typed_and_taken_off_with_a_reason(desk, make_booked):
    held = make_booked()
    course = held.course
    typed = {"patient_id": str(course.patient_id), "session": "1", "weekdays": ["1", "3"], "part": "morning"}
    typed |= {"from_on": "20-Nov-2025", "notice_hours": "24"}
    assert desk.post(f"/calendar/waiting/course/{course.id}/add", data=typed).status_code == 303
    for page in ("/calendar/waiting", f"/calendar/appointments/{held.id}"):
        assert "Mon, Wed, mornings, from 20-Nov-2025, told 24 h before" in desk.get(page).text
    (entry,) = queries_waiting.waiting()
    desk.post(f"/calendar/waiting/{entry.id}/remove", data={"reason": ""})
    assert queries_waiting.waiting() == [entry]
    desk.post(f"/calendar/waiting/{entry.id}/remove", data={"reason": "Comes as booked"})
    assert queries_waiting.waiting() == []


@pytest.mark.parametrize("typed", [{"notice_hours": ""}, {"session": "0"}, {"until_on": "1-Nov-2025"}])
def test_a_wish_that_cannot_be_is_refused(desk, make_course, typed):
    course = make_course()
    usual = {"patient_id": str(course.patient_id), "session": "1", "notice_hours": "24", "from_on": "20-Nov-2025"}
    assert desk.post(f"/calendar/waiting/course/{course.id}/add", data={**usual, **typed}).status_code == 422
    assert queries_waiting.waiting() == []


def test_a_time_at_another_site_is_offered_to_nobody(desk, make_booked, others, put, make_chair, admin):  # noqa: PLR0917 fixtures
    make_booked(others[0], starts_at=NINE + 5 * DAY)
    here, away = make_booked(), make_chair()
    away.site_id = accounts.add_site("East house", by=admin, at=DESK_OPENS).id
    there = make_booked(here.course, 2, chair=away, starts_at=NINE + 2 * DAY)
    entry = put(others[0])
    for free in (here, there):
        cancel(desk, free)
    assert [each.entry for each in offers(here, at=DESK_OPENS)] == [entry]
    assert offers(there, at=DESK_OPENS) == []


def test_two_desks_give_one_entry_once(make_booked, others, put, scheduler, make_slot):
    make_booked(others[0], starts_at=NINE + timedelta(days=5))
    entry = put(others[0])
    operations_waiting.give_time(entry, make_slot(1), by=scheduler, at=DESK_OPENS)
    with pytest.raises(RuleBroken, match="not on the waiting list any more"):
        operations_waiting.give_time(entry, make_slot(1, starts_at=NINE + DAY), by=scheduler, at=DESK_OPENS)


def test_a_pump_stays_with_whom_it_was_given_to(desk, make_booked, others, put, scheduler):
    """The pump of the free time belonged to the other patient's treatment; one's own comes along."""
    pump, own = (operations_pumps.add_pump(name, name, by=scheduler, at=DESK_OPENS) for name in ("P1", "P2"))
    free, held = make_booked(pump=pump), make_booked(others[0], starts_at=NINE + 5 * DAY, pump=own)
    entry = put(others[0])
    cancel(desk, free)
    desk.post(f"/calendar/appointments/{free.id}/give/{entry.id}")
    assert held.status is AppointmentStatus.CANCELLED
    assert queries_waiting.appointment_of(others[0].id, 1).pump_id == own.id


@pytest.mark.parametrize("number", [0, 7, 400])
def test_only_sessions_of_the_course_wait(put, make_course, number):
    with pytest.raises(RuleBroken, match=r"choose 1 to 6"):
        put(make_course(), number)


@pytest.mark.parametrize(
    ("decision", "status"),
    [(CourseDecision.DISCONTINUE, WaitingStatus.WITHDRAWN), (CourseDecision.HOLD, WaitingStatus.WAITING)],
)
def test_wishes_end_with_their_course(put, make_course, signing_physician, decision, status):
    course = make_course()
    entry = put(course)
    review(course, decision, "As agreed.", by=signing_physician, at=DESK_OPENS)
    assert entry.status is status
    assert entry.ended_reason == (None if status is WaitingStatus.WAITING else "The course is over.")
    assert queries_waiting.waiting() == []


def test_a_session_that_is_booked_waits_no_longer(make_course, make_booked, put):
    entry = put(make_course())
    made = make_booked(entry.course)
    assert (entry.status, entry.appointment_id) == (WaitingStatus.PLACED, made.id)


def test_a_cancelling_that_is_taken_back_leaves_the_wish(make_booked, put, scheduler):
    held = make_booked()
    entry = put(held.course)
    operations.cancel(held, reason="Error", by=scheduler, at=DESK_OPENS)
    undo_together(held, by=scheduler, at=DESK_OPENS)
    assert entry.status is WaitingStatus.WAITING


def test_a_time_from_the_list_that_is_taken_back_waits_again(make_booked, put, make_slot, scheduler):
    held = make_booked()
    entry = put(held.course)
    given = operations_waiting.give_time(entry, make_slot(1, starts_at=NINE + DAY), by=scheduler, at=DESK_OPENS)
    undo_together(given, by=scheduler, at=DESK_OPENS + HOUR)
    assert (entry.status, entry.appointment_id, entry.ended_at) == (WaitingStatus.WAITING, None, None)
    assert queries_waiting.waiting() == [entry]


def test_a_session_that_has_begun_is_not_listed(make_booked, put, scheduler):
    held = make_booked()
    put(held.course)
    operations.change_status(held, AppointmentStatus.ARRIVED, by=scheduler, at=NINE)
    assert queries_waiting.waiting() == []


def test_a_course_that_is_not_active_waits_for_nothing(put, make_course):
    with pytest.raises(RuleBroken, match="not active"):
        put(make_course(sign=False))

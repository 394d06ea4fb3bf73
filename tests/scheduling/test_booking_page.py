"""The panel "Book a course", from the pattern to the booked sessions."""

import re
from datetime import date

import pytest

from clinic.core import clock
from clinic.courses import operations as courses
from clinic.courses.rules import CourseDecision
from clinic.protocols.spacing_rules import SpacingKind
from clinic.scheduling import operations, queries
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE

LENGTHS = {"precheck_slot_min": 30, "recovery_slot_min": 40, "turnaround_min": 10}


@pytest.fixture
def desk(client, scheduler):
    with clock.standing_at(DESK_OPENS):
        client.sign_in(scheduler)
        yield client


@pytest.fixture
def timed_course(make_course, make_protocol_version, make_draft):
    """A course of three sessions of 3 h 20 min, 2 to 7 days apart."""
    version = make_protocol_version(draft=make_draft(sessions_planned=3, **LENGTHS))
    return make_course(protocol_version=version)


def rows(chair, *days, time="09:00", nurse=None):
    """What the desk types: a row per day, from session 1 on."""
    typed = {}
    for number, day in enumerate(days, start=1):
        typed |= {f"day_{number}": day, f"clock_{number}": time, f"chair_{number}": str(chair.id)}
        typed |= {f"nurse_{number}": str(nurse.id) if nurse else ""}
    return typed


def post(desk, course, **typed):
    return desk.post(f"/calendar/book?course={course.id}", data={"patient_id": str(course.patient_id), **typed})


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.get_data(as_text=True)))


def test_the_panel_says_what_the_order_asks_for(desk, timed_course):
    said = words(desk.get(f"/calendar/book?course={timed_course.id}"))
    assert "Course 1, Dr L. Marsh: 3 sessions of 3 h 20 min, 2 to 7 days apart, until 31-May-2026" in said


def test_nothing_is_booked_before_the_desk_accepts(desk, timed_course, make_chair, nurse):
    make_chair()
    assert "Book 3 sessions" in words(desk.get(f"/calendar/book?course={timed_course.id}"))
    assert queries.of_course(timed_course.id) == []


def test_a_pattern_fills_the_rows(desk, timed_course, make_chair):
    pattern = {"course": timed_course.id, "first": "19-Nov-2025", "clock": "09:00", "apart": "7"}
    pattern |= {"chair": make_chair().id, "nurse": ""}
    answer = desk.get("/calendar/book", query_string=pattern)
    text = answer.get_data(as_text=True)
    assert [re.search(f'name="day_{n}"[^>]* value="([^"]*)"', text)[1] for n in (1, 2, 3)] == [
        "19-Nov-2025",
        "26-Nov-2025",
        "03-Dec-2025",
    ]
    assert "Book 3 sessions" in words(answer)
    assert 'class="ev ghost"' in text


def test_the_pattern_says_what_it_could_not_read(desk, timed_course):
    answer = desk.get(f"/calendar/book?course={timed_course.id}&first=03/04/2025&clock=9&apart=0")
    assert answer.status_code == 200
    assert "Enter a date such as 18-Nov-2025" in words(answer)


def test_booking_books_them_all(desk, timed_course, make_chair):
    answer = post(desk, timed_course, **rows(make_chair(), "19-Nov-2025", "26-Nov-2025", "3 dec 2025"))
    assert (answer.status_code, answer.location) == (303, "/calendar?week=2025-11-19")
    made = queries.of_course(timed_course.id)
    assert [each.starts_at for each in made] == [NINE, NINE + 7 * DAY, NINE + 14 * DAY]
    assert {each.ends_at - each.starts_at for each in made} == {HOUR * 10 / 3}


def test_nine_stays_nine_when_the_clocks_change(desk, timed_course, make_chair):
    post(desk, timed_course, **rows(make_chair(), "06-Mar-2026", "09-Mar-2026"))
    assert [each.starts_at.hour for each in queries.of_course(timed_course.id)] == [14, 13]


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (("08-Mar-2026", "02:30"), "02:30 did not exist on 08-Mar-2026"),
        (("01-Nov-2026", "01:30"), "01:30 comes twice on 01-Nov-2026"),
        (("31-Dec-9999", "23:00"), "Enter a date of this century"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused_kindly(desk, timed_course, make_chair, moment, said):
    day, time = moment
    answer = post(desk, timed_course, **rows(make_chair(), day, time=time))
    assert answer.status_code == 422
    assert said in words(answer)


def test_a_collision_books_nothing_and_keeps_what_was_typed(desk, timed_course, make_booked, make_patient, make_course):
    other = make_course(make_patient(family_name="Kim", given_name="Jae", allergies=()))
    taken = make_booked(other, starts_at=NINE + 7 * DAY)
    answer = post(desk, timed_course, **rows(taken.chair, "19-Nov-2025", "26-Nov-2025"))
    assert answer.status_code == 422
    assert queries.of_course(timed_course.id) == []
    said = words(answer)
    assert "Nothing is booked yet. Choose another time for session 2." in said
    assert f"Chair {taken.chair.name} is taken at that time: KIM, Jae, 09:00 to 12:00." in said
    assert 'value="26-Nov-2025"' in answer.get_data(as_text=True)


def test_a_spacing_outside_the_order_is_noted_and_booked(desk, timed_course, make_chair):
    typed = rows(make_chair(), "19-Nov-2025", "20-Nov-2025", "08-Dec-2025")
    said = words(post(desk, timed_course, act="look", **typed))
    assert "1 day after" in said
    assert "closer than the order" in said
    assert "18 days after" in said
    assert "more than the order" in said
    assert post(desk, timed_course, **typed).status_code == 303


def test_looking_at_the_dates_books_nothing(desk, timed_course, make_chair):
    assert post(desk, timed_course, act="look", **rows(make_chair(), "19-Nov-2025")).status_code == 422
    assert queries.of_course(timed_course.id) == []


def test_a_nurse_who_is_not_on_duty_is_noted(desk, timed_course, make_chair, make_shift, nurse):
    make_shift(nurse)
    said = words(post(desk, timed_course, act="look", **rows(make_chair(), "19-Nov-2025", "21-Nov-2025", nurse=nurse)))
    assert said.count("Quill RN is not on duty for all of it") == 1


def test_an_order_without_lengths_lets_the_desk_type_one(desk, make_course, make_chair):
    course, chair = make_course(), make_chair()
    assert "Enter a value from 5 to 1,440" in words(post(desk, course, **rows(chair, "19-Nov-2025")))
    assert post(desk, course, length="150", **rows(chair, "19-Nov-2025")).status_code == 303
    (made,) = queries.of_course(course.id)
    assert made.ends_at - made.starts_at == HOUR * 5 / 2


def test_a_half_filled_row_says_what_is_missing(desk, timed_course):
    said = words(post(desk, timed_course, day_2="26-Nov-2025"))
    assert "Enter a time such as 14:05" in said
    assert "Choose a chair" in said


def test_an_empty_form_books_nothing(desk, timed_course):
    answer = post(desk, timed_course)
    assert answer.status_code == 422
    assert "Choose at least one time." in words(answer)


def test_somebody_was_faster(desk, timed_course, make_chair, make_booked):
    """Another desk gave session 1 a time after this form was drawn: what was typed for it stays on the page."""
    make_booked(timed_course, starts_at=NINE + DAY)
    answer = post(desk, timed_course, **rows(make_chair(), "24-Nov-2025", "26-Nov-2025"))
    assert answer.status_code == 422
    assert "A time is booked already for session 1" in words(answer)
    assert 'value="24-Nov-2025"' in answer.get_data(as_text=True)


def test_a_course_on_hold_says_why_it_cannot_be_booked(desk, timed_course, make_chair, physician):
    courses.review(timed_course, CourseDecision.HOLD, "Infection.", by=physician, at=DESK_OPENS)
    answer = post(desk, timed_course, **rows(make_chair(), "24-Nov-2025"))
    assert answer.status_code == 422
    assert "This course is not active" in words(answer)


def test_a_form_of_another_patient_is_refused(desk, timed_course, make_course, make_chair):
    answer = post(desk, timed_course, patient_id=str(make_course().patient_id), **rows(make_chair(), "24-Nov-2025"))
    assert answer.status_code == 409


def test_sending_twice_books_once(desk, timed_course, make_chair):
    typed = rows(make_chair(), "19-Nov-2025", "26-Nov-2025") | {"idempotency_key": "the same key again"}
    answers = [post(desk, timed_course, **typed) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len(queries.of_course(timed_course.id)) == 2


@pytest.mark.parametrize("course", ["x", "01a2047b-3cc3-7fe6-9c9c-feaa0b05ec6d"])
def test_an_unknown_course_is_not_found(desk, course):
    assert desk.get(f"/calendar/book?course={course}").status_code == 404


def test_booking_without_a_course_leads_to_the_list(desk):
    assert desk.get("/calendar/book").location == "/calendar"


def test_a_fully_booked_course_has_nothing_to_book(desk, timed_course, make_slot, scheduler):
    slots = [make_slot(n, starts_at=NINE + n * DAY) for n in (1, 2, 3)]
    operations.book(timed_course, slots, by=scheduler, at=DESK_OPENS)
    assert "Every session has its time" in words(desk.get(f"/calendar/book?course={timed_course.id}"))


# --- the order's own spacing -----------------------------------------------------------------------------------------


@pytest.fixture
def make_spaced(make_course, make_protocol_version, make_draft):
    """Makes a course of three sessions whose order says how they follow each other."""

    def make(**spacing):
        apart = {"apart_min_days": None, "apart_max_days": None}
        draft = make_draft(sessions_planned=3, **LENGTHS, **(apart | spacing))
        return make_course(protocol_version=make_protocol_version(draft=draft))

    return make


def pattern_days(desk, course, chair, first):
    pattern = {"course": course.id, "first": first, "clock": "09:00", "apart": "", "chair": chair.id, "nurse": ""}
    text = desk.get("/calendar/book", query_string=pattern).get_data(as_text=True)
    return re.findall(r'name="day_\d"[^>]* value="([^"]*)"', text)


@pytest.mark.parametrize(
    ("spacing", "days"),
    [
        ({"spacing": SpacingKind.WEEKDAYS, "weekdays": (3, 5)}, ["19-Nov-2025", "21-Nov-2025", "26-Nov-2025"]),
        ({"spacing": SpacingKind.INTERVAL, "every_days": 28}, ["19-Nov-2025", "17-Dec-2025", "14-Jan-2026"]),
        ({"spacing": SpacingKind.DECREASING, "gaps_days": (7, 14)}, ["19-Nov-2025", "26-Nov-2025", "10-Dec-2025"]),
        ({"spacing": SpacingKind.BLOCK}, ["19-Nov-2025", "20-Nov-2025", "21-Nov-2025"]),
    ],
)
def test_the_rows_are_filled_as_the_order_says(desk, make_spaced, make_chair, spacing, days):
    assert pattern_days(desk, make_spaced(**spacing), make_chair(), "19-Nov-2025") == days


def test_consecutive_clinic_days_are_days_with_somebody_on_duty(desk, make_spaced, make_chair, make_shift, nurse):
    for days in (0, 1, 5):  # the shift of the factory is on Wednesday, 19 November
        make_shift(nurse, starts_at=NINE + days * DAY, ends_at=NINE + days * DAY + HOUR)
    course = make_spaced(spacing=SpacingKind.CONSECUTIVE)
    assert pattern_days(desk, course, make_chair(), "19-Nov-2025") == ["19-Nov-2025", "20-Nov-2025", "24-Nov-2025"]


def test_as_needed_fills_the_first_row_alone(desk, make_spaced, make_chair):
    course = make_spaced(spacing=SpacingKind.AS_NEEDED, apart_min_days=14)
    assert pattern_days(desk, course, make_chair(), "19-Nov-2025")[0] == "19-Nov-2025"


def test_without_any_spacing_the_desk_is_asked_for_the_days_apart(desk, timed_course):
    answer = desk.get(f"/calendar/book?course={timed_course.id}&first=19-Nov-2025&clock=09:00&chair=&nurse=&apart=")
    assert "Enter the days apart" in words(answer)


def test_a_day_outside_its_window_is_noted(desk, make_spaced, make_chair):
    course = make_spaced(spacing=SpacingKind.INTERVAL, every_days=7, early_days=1, late_days=1)
    said = words(post(desk, course, act="look", **rows(make_chair(), "19-Nov-2025", "27-Nov-2025", "02-Dec-2025")))
    assert said.count("expected") == 1
    assert "early: expected 04-Dec-2025, 03-Dec-2025 to 05-Dec-2025" in said


def test_a_first_day_off_the_fixed_weekdays_is_noted(desk, make_spaced, make_chair):
    course = make_spaced(spacing=SpacingKind.WEEKDAYS, weekdays=(1, 4))
    said = words(post(desk, course, act="look", **rows(make_chair(), "19-Nov-2025", "20-Nov-2025")))
    assert said.count("not on Mon, Thu") == 1


def test_the_panel_says_when_the_next_session_is_expected(desk, make_spaced, make_booked):
    course = make_spaced(spacing=SpacingKind.INTERVAL, every_days=28, late_days=3)
    make_booked(course, starts_at=NINE)
    said = words(desk.get(f"/calendar/book?course={course.id}"))
    assert "every 28 days, up to 3 days late" in said
    assert "Session 2 expected 17-Dec-2025, 17-Dec-2025 to 20-Dec-2025" in said


def test_the_panel_says_that_the_order_has_ended(desk, make_course):
    course = make_course(valid_until=date(2025, 11, 17))
    page = desk.get(f"/calendar/book?course={course.id}").text
    assert "No session can be booked." in page
    assert "valid until 17-Nov-2025" in page

"""What each decision does to a course, its order and its booked sessions, and how two people decide at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from clinic.accounts.models import Staff
from clinic.core import clock, db
from clinic.core.errors import Conflict, RuleBroken
from clinic.courses import queries as courses
from clinic.courses.rules import Bookings, CourseDecision, CourseStatus, bookings_after, status_after
from clinic.notes.decisions import decide, seen, still_booked
from clinic.scheduling import operations as scheduling
from clinic.scheduling.rules import AppointmentStatus
from clinic.sessions import operations as sessions
from tests.factories.notes import DAY, LATER
from tests.factories.sessions import ARRIVED

D, S = CourseDecision, CourseStatus
TABLE = {
    (D.CONTINUE, S.ACTIVE): S.ACTIVE,
    (D.ADJUST, S.ACTIVE): S.ACTIVE,
    (D.ADJUST, S.ON_HOLD): S.ON_HOLD,
    (D.HOLD, S.ACTIVE): S.ON_HOLD,
    (D.RESUME, S.ON_HOLD): S.ACTIVE,
    (D.DISCONTINUE, S.ACTIVE): S.REVOKED,
    (D.DISCONTINUE, S.ON_HOLD): S.REVOKED,
    (D.COMPLETE, S.ACTIVE): S.COMPLETED,
}


@pytest.mark.parametrize("status", CourseStatus)
@pytest.mark.parametrize("decision", CourseDecision)
def test_a_decision_leads_where_the_table_says_and_nowhere_else(decision, status):
    assert status_after(decision, status) is TABLE.get((decision, status))


@pytest.mark.parametrize("decision", CourseDecision)
def test_only_a_hold_leaves_the_bookings_to_the_physician(decision):
    ends = decision in {D.DISCONTINUE, D.COMPLETE}
    assert bookings_after(decision) is (None if decision is D.HOLD else Bookings.FREE if ends else Bookings.KEEP)


@pytest.fixture
def course(make_plain_course):
    return make_plain_course()


@pytest.fixture
def given(course, give_session, nurse):
    """The course with its first session given."""
    give_session(course, 1, by=nurse)
    return course


@pytest.fixture
def booked(course, make_appointment):
    return make_appointment(course, number=1, starts_at=LATER + 3 * DAY)


@pytest.fixture
def decided(course, signing_physician):
    """Decides about the course: `decided(D.HOLD, bookings=Bookings.FREE)`."""

    def make(decision, *, bookings=None, **values):
        with db.unit_of_work():
            return decide(course, decision, "Why.", bookings=bookings, by=signing_physician, at=LATER, **values)

    return make


@pytest.mark.parametrize("decision", [D.DISCONTINUE, D.COMPLETE])
def test_ending_a_course_frees_its_places_and_tells_the_desk_no_reason(given, make_appointment, decided, decision):
    booked = make_appointment(given, number=2, starts_at=LATER + 3 * DAY)
    decided(decision)
    assert booked.status is AppointmentStatus.CANCELLED
    assert "Why." not in booked.status_reason


def test_a_course_in_which_nothing_was_given_is_not_completed(course, decided):
    with pytest.raises(RuleBroken, match="Discontinue it instead"):
        decided(D.COMPLETE)
    assert course.status is S.ACTIVE


def test_a_course_is_not_completed_while_a_session_is_under_way(course, make_appointment, decided, nurse):
    with db.unit_of_work():
        sessions.arrive(make_appointment(course, starts_at=ARRIVED), arrived_at=ARRIVED, by=nurse, at=ARRIVED)
    with pytest.raises(RuleBroken, match="under way"):
        decided(D.COMPLETE)


def test_the_page_tells_of_missed_sessions_and_how_far_the_course_came(
    client, given, make_appointment, nurse, signing_physician
):
    missed = make_appointment(given, number=2, starts_at=ARRIVED + DAY)
    scheduling.mark_no_show(missed, reason="Did not call.", by=nurse, at=ARRIVED + 2 * DAY)
    client.sign_in(signing_physician)
    with clock.standing_at(LATER + 2 * DAY):
        page = client.get(f"/courses/{given.id}?decision=complete").get_data(as_text=True)
    assert "Did not attend: 19-Nov" in page
    assert "<b>1 of 6 planned sessions were given.</b>" in page


@pytest.mark.parametrize("decision", [D.CONTINUE, D.ADJUST])
def test_going_on_keeps_the_places(booked, decided, decision):
    decided(decision, bookings=Bookings.FREE)
    assert booked.status is AppointmentStatus.BOOKED


@pytest.mark.parametrize("bookings", Bookings)
def test_a_hold_keeps_or_frees_as_the_physician_says(booked, decided, bookings):
    decided(D.HOLD, bookings=bookings)
    assert (booked.status is AppointmentStatus.CANCELLED) is (bookings is Bookings.FREE)


def test_a_hold_asks_about_the_booked_sessions(booked, decided, course):
    with pytest.raises(RuleBroken, match="keep their places"):
        decided(D.HOLD)
    assert course.status is S.ACTIVE


def test_without_bookings_a_hold_asks_nothing(decided, course):
    decided(D.HOLD)
    assert course.status is S.ON_HOLD


def test_bookings_that_changed_meanwhile_are_a_conflict(course, booked, decided, make_appointment):
    drawn = seen(course, still_booked(course.id, ()))
    make_appointment(course, number=2, starts_at=LATER + 5 * DAY)
    with pytest.raises(Conflict, match="booked sessions"):
        decided(D.DISCONTINUE, drawn=drawn)
    assert booked.status is AppointmentStatus.BOOKED


def test_another_decision_meanwhile_is_a_conflict_also_when_it_changed_nothing(course, decided):
    drawn = seen(course, [])
    decided(D.CONTINUE, drawn=drawn)
    with pytest.raises(Conflict):
        decided(D.DISCONTINUE, drawn=drawn)
    assert course.status is S.ACTIVE


def test_the_page_says_what_becomes_of_each_booking_before(client, course, booked, signing_physician):
    client.sign_in(signing_physician)
    with clock.standing_at(LATER):
        page = client.get(f"/courses/{course.id}?decision=discontinue").get_data(as_text=True)
        held = client.get(f"/courses/{course.id}?decision=hold").get_data(as_text=True)
    assert "21-Nov" in page[page.index("These bookings are cancelled") :]
    assert "Keep their places" in held
    assert "checked" not in held


def test_a_refused_decision_changes_nothing_and_keeps_the_words(client, course, booked, signing_physician):
    client.sign_in(signing_physician)
    with clock.standing_at(LATER):
        answer = client.post(f"/courses/{course.id}/reviews", data={"decision": "hold", "text": "Blood pressure."})
    assert answer.status_code == 422
    assert "Blood pressure.</textarea>" in answer.get_data(as_text=True)
    assert booked.status is AppointmentStatus.BOOKED


@pytest.fixture
def people(committed_db, clinic, nurse, signing_physician, other_physician):
    """Those who were made in an earlier piece of work and take part in this one."""
    return [clinic, nurse, signing_physician, other_physician]


def test_of_two_who_decide_at_once_one_does(people, request):
    with db.unit_of_work():
        db.session.add_all(people)
        course_id = request.getfixturevalue("make_plain_course")().id
    together, clinic_id = Barrier(2, timeout=20), people[0].id

    def one(staff_id):
        together.wait()
        try:
            with db.in_clinic(clinic_id), db.unit_of_work():
                course = courses.review_page(course_id)
                decide(
                    course, D.CONTINUE, "Why.", bookings=None, by=db.session.get(Staff, staff_id), at=LATER, drawn="",
                )  # fmt: skip
        except Conflict:
            return "refused"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        outcome = sorted(pool.map(one, [person.id for person in people[2:]]))
    assert outcome == ["done", "refused"]

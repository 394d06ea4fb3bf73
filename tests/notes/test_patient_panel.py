"""The course in hand on the patient's page."""

import pytest

from clinic.core import clock, db
from tests.factories.notes import DAY, LATER


@pytest.fixture
def chart(client, nurse):
    """Reads a patient's page as the nurse, the day after the second session."""
    client.sign_in(nurse)

    def read(patient):
        with clock.standing_at(LATER + 2 * DAY):
            return client.get(f"/patients/{patient.id}").get_data(as_text=True)

    return read


def test_sessions_stand_side_by_side_with_pain_before_and_after(chart, make_course_of):
    course = make_course_of(2)
    assert chart(course.patient).count(">7 to 4<") == 2


def test_a_booked_session_leads_to_its_appointment(chart, make_course_of, make_appointment):
    course = make_course_of(1)
    appointment = make_appointment(course, number=2, starts_at=LATER + 3 * DAY)
    assert f'class="fut" href="/calendar/appointments/{appointment.id}"' in chart(course.patient)


def test_a_session_under_way_shows_its_state(chart, make_running):
    infusion = make_running()
    assert "Infusing" in chart(infusion.patient)


def test_a_course_that_is_a_draft_has_no_strip(chart, make_course):
    assert "sessdots" not in chart(make_course(sign=False).patient)


def test_the_desk_sees_no_pain(client, scheduler, make_course_of):
    course = make_course_of(1)
    client.sign_in(scheduler)
    assert "7 to 4" not in client.get(f"/patients/{course.patient_id}").get_data(as_text=True)


def test_many_sessions_cost_no_more_reads_than_two(chart, make_course_of, count_queries):
    few, many = make_course_of(2), make_course_of(9)
    sent = []
    for course in (few, many):
        chart(course.patient)
        db.session.expire_all()
        with count_queries() as queries:
            chart(course.patient)
        sent.append(len(queries))
    assert sent[0] == sent[1]


def test_the_people_around_a_patient_are_named(client, nurse, make_course_of):
    course = make_course_of(1)
    client.sign_in(nurse)
    page = client.get(f"/patients/{course.patient_id}").text
    assert "<dt>Escort, last time</dt><dd>Ivan Petrov</dd>" in page
    assert f"<dt>Physician</dt><dd>{course.physician.name}</dd>" in page
    assert "<dt>Last letter to</dt><dd>not known</dd>" in page

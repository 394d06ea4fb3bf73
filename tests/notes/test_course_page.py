"""The review of a course as each role sees it."""

from datetime import timedelta

from clinic.core import clock
from tests.factories.sessions import minute

SOON = minute(200)


def test_shows_sessions_as_columns(client, make_course_of, signing_physician):
    course = make_course_of(2)
    client.sign_in(signing_physician)
    with clock.standing_at(SOON + timedelta(days=1)):
        page = client.get(f"/courses/{course.id}")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "Lidocaine course 1" in text
    assert text.count(">164<") + text.count("164</span>") >= 2


def test_costs_the_same_for_many_sessions(client, make_course_of, signing_physician, count_queries):
    few, many = make_course_of(2), make_course_of(20)
    client.sign_in(signing_physician)
    with clock.standing_at(SOON + timedelta(days=20)):
        client.get(f"/courses/{few.id}")
        with count_queries() as sent_few:
            client.get(f"/courses/{few.id}")
        with count_queries() as sent_many:
            assert client.get(f"/courses/{many.id}").status_code == 200
    assert len(sent_many) == len(sent_few)
    assert len(sent_many) < 60

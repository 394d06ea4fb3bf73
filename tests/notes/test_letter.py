"""The letter to the referrer: read from the record, signed by a physician, printed as it was signed."""

import re
from datetime import timedelta

import pytest

from clinic.core import clock, db, pdf
from clinic.courses import operations as courses
from clinic.courses.rules import CourseDecision
from clinic.notes import queries
from clinic.notes.models import Letter
from tests.factories.accounts import PASSWORD
from tests.factories.notes import DAY, LATER

WHEN = LATER + 2 * DAY


@pytest.fixture
def browser(client, signing_physician):
    client.sign_in(signing_physician)
    with clock.standing_at(WHEN):
        yield client


@pytest.fixture
def course(make_course_of):
    return make_course_of(2)


def text(answer):
    return answer.get_data(as_text=True)


def page(browser, course):
    return text(browser.get(f"/courses/{course.id}/letters"))


def sign(browser, course, *, seen=None, **values):
    mark = seen or re.search(r'name="seen" value="(\w+)"', page(browser, course)).group(1)
    data = {
        "patient_id": course.patient_id,
        "seen": mark,
        "addressee": "Dr Ann Hall\nMill Lane 3",
        "password": PASSWORD,
    }
    return browser.post(f"/courses/{course.id}/letters", data=data | values)


def test_the_letter_is_read_from_the_record(browser, course):
    shown = page(browser, course)
    assert "2 of 3 planned, 18-Nov-2025" in shown
    assert "13.6\u00a0mg" in shown
    assert "7 to 4" in shown


def test_a_signed_letter_is_printed_with_its_addressee_words_and_signature(browser, course, signing_physician):
    assert sign(browser, course, text="She would like to go on.").status_code == 303
    (letter,) = queries.letters_of_course(course.id)
    sheet = text(browser.get(f"/letters/{letter.id}/print"))
    for said in ("Dr Ann Hall", "Mill Lane 3", "7 to 4", "She would like to go on.", signing_physician.name):
        assert said in sheet
    code = re.search(r"record ((?:[0-9a-f]{4} ?){3})", sheet).group(1)
    assert "Unchanged since that print." in text(browser.get("/prints", query_string={"code": code}))


def test_a_letter_keeps_what_the_record_said_then(browser, course, signing_physician):
    sign(browser, course)
    (letter,) = queries.letters_of_course(course.id)
    with db.unit_of_work():
        decided = {"by": signing_physician, "at": WHEN, "is_dose_given": True}
        courses.review(course, CourseDecision.CONTINUE, "Sleeps better.", **decided)
    assert "Sleeps better." in page(browser, course)
    assert "Sleeps better." not in text(browser.get(f"/letters/{letter.id}/print"))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"addressee": " "}, "Say to whom the letter goes"),
        ({"password": "not the password"}, "password"),
        ({"seen": "0" * 64}, "The record changed since you opened this page."),
    ],
)
def test_nothing_is_signed_without_addressee_password_or_the_letter_that_was_read(browser, course, values, said):
    answer = sign(browser, course, text="Kept words.", **values)
    assert answer.status_code == 422
    assert said in text(answer)
    assert "Kept words." in text(answer)
    assert not db.session.query(Letter).count()


def test_a_nurse_reads_letters_and_signs_none(client, course, writing_nurse):
    client.sign_in(writing_nurse)
    with clock.standing_at(WHEN + timedelta(minutes=1)):
        assert "Sign letter" not in page(client, course)
        assert client.post(f"/courses/{course.id}/letters", data={}).status_code == 403


def test_a_letter_is_a_pdf_too(browser, course):
    sign(browser, course)
    (letter,) = queries.letters_of_course(course.id)
    answer = browser.get(f"/letters/{letter.id}/print?form=a4")
    assert (answer.status_code == 200) is pdf.can_be_made()

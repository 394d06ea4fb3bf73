"""Courses and notes on paper: their code, their line in the trail, and who signed a session."""

import json
import re

import pytest
import sqlalchemy as sa

from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.courses import operations as courses
from clinic.courses.rules import CourseDecision
from clinic.notes import operations, queries
from tests.factories.accounts import PASSWORD
from tests.factories.notes import DAY, LATER


@pytest.fixture
def browser(client, signing_physician):
    client.sign_in(signing_physician)
    with clock.standing_at(LATER + 2 * DAY):
        yield client


def code_on(page):
    return re.search(r"record ((?:[0-9a-f]{4} ?){3})", page).group(1).strip()


def text(answer):
    return answer.get_data(as_text=True)


def checked(browser, code):
    return text(browser.get("/prints", query_string={"code": code}))


def decide(course, by):
    with db.unit_of_work():
        courses.review(course, CourseDecision.CONTINUE, "Sleeps better.", by=by, at=LATER + DAY, is_dose_given=True)


def test_the_code_of_a_course_is_unchanged_until_something_is_decided(browser, make_course_of, signing_physician):
    course = make_course_of(2)
    page = text(browser.get(f"/courses/{course.id}/print"))
    assert f"by {signing_physician.name}" in page
    assert "Unchanged since that print." in checked(browser, code_on(page))
    decide(course, signing_physician)
    found = checked(browser, code_on(page))
    assert "Changed since that print." in found
    assert f'href="/courses/{course.id}"' in found


def test_the_trail_calls_the_print_of_a_course_a_print(browser, make_course_of):
    code = code_on(text(browser.get(f"/courses/{make_course_of(1).id}/print")))
    body = db.session.scalar(sa.select(AuditEntry.body).where(AuditEntry.action == AuditAction.COURSE_PRINTED))
    assert json.loads(body)["page"] == {"code": code.replace(" ", ""), "form": "page", "page": "course on paper"}


@pytest.fixture
def signed_note(make_course_of, writing_nurse, signing_physician):
    course = make_course_of(1)
    (infusion,) = queries.sessions_of_course(course.id)
    note = next((one for one in queries.notes_of_session(infusion.id)), None)
    if note is None:
        with db.unit_of_work():
            note = operations.draft_note(infusion, "Slept through.", by=writing_nurse, at=LATER)
            operations.sign_note(note, by=writing_nurse, password=PASSWORD, at=LATER, cosigner=signing_physician)
    return note


def test_the_code_of_notes_is_unchanged_until_one_is_co_signed(browser, signed_note, signing_physician):
    code = code_on(text(browser.get(f"/sessions/{signed_note.infusion_id}/note/print")))
    assert "Unchanged since that print." in checked(browser, code)
    with db.unit_of_work():
        operations.cosign_note(signed_note, by=signing_physician, password=PASSWORD, at=LATER + DAY)
    assert "Changed since that print." in checked(browser, code)


def test_a_printed_session_says_who_signed_it_as_what_and_when(browser, signed_note, signing_physician):
    address = f"/sessions/{signed_note.infusion_id}/print"
    assert "author of the session note, 18-Nov-2025" in text(browser.get(address))
    with db.unit_of_work():
        operations.cosign_note(signed_note, by=signing_physician, password=PASSWORD, at=LATER + DAY)
    assert f"{signing_physician.name}, co-signer of the session note, 19-Nov-2025" in text(browser.get(address))

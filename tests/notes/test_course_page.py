"""The review of a course on its page, as each role sees it."""

from datetime import timedelta

import pytest

from clinic.core import clock, db
from clinic.courses.rules import CourseStatus
from clinic.notes import queries
from clinic.notes.rules import NoteStatus
from clinic.orders.rules import OrderStatus
from clinic.outcomes import operations as outcomes
from clinic.outcomes import operations_forms as forms
from clinic.outcomes.rules import Instrument, Occasion
from clinic.protocols import operations as protocols
from clinic.protocols import operations_review as review
from tests.factories.accounts import PASSWORD
from tests.factories.notes import DAY, LATER


@pytest.fixture
def physicians_browser(client, signing_physician):
    """A browser with the physician signed in, a day after the second session."""
    client.sign_in(signing_physician)
    with clock.standing_at(LATER + 2 * DAY):
        yield client


def text(page):
    return page.get_data(as_text=True)


def test_sessions_are_columns_and_measures_rows(physicians_browser, make_course_of):
    course = make_course_of(2)
    page = text(physicians_browser.get(f"/courses/{course.id}"))
    assert "Lidocaine course 1" in page
    assert "2 of 3 done" in page
    assert page.count("164</span>") == 2
    assert page.count("13.6 <i>of 60\u00a0mg</i>") == 2


def test_pain_stands_before_and_after(physicians_browser, make_course_of):
    assert "7 to 4, 7 to 4" in text(physicians_browser.get(f"/courses/{make_course_of(2).id}"))


def test_booked_sessions_are_columns_too(physicians_browser, make_course_of, make_appointment):
    course = make_course_of(1)
    make_appointment(course, number=2, starts_at=LATER + 3 * DAY)
    page = text(physicians_browser.get(f"/courses/{course.id}"))
    assert "booked, chair" in page
    assert "max 60\u00a0mg" in page
    assert "max 23.8" in page  # 0.35 mg/kg/h for 68 kg


def test_what_the_patient_said_stands_beside_the_session(physicians_browser, make_course_of, nurse):
    course = make_course_of(1)
    (infusion,) = queries.sessions_of_course(course.id)
    with db.unit_of_work():
        outcomes.record_outcome(
            course, Instrument.PGIC, [2], occasion=Occasion.FOLLOW_UP, answered_at=LATER, infusion=infusion,
            by=nurse, at=LATER,
        )  # fmt: skip
    assert "much improved" in text(physicians_browser.get(f"/courses/{course.id}"))


def test_relief_lasts_as_long_as_the_clinics_definition_says(physicians_browser, make_course_of, nurse, physician):
    course = make_course_of(1)
    asked = [(8, Occasion.BASELINE, -1), (3, Occasion.DIARY, 1), (3, Occasion.DIARY, 3), (7, Occasion.DIARY, 5)]
    with db.unit_of_work():
        for score, occasion, day in asked:
            at = LATER + day * DAY
            outcomes.record_outcome(
                course, Instrument.NRS, [score], occasion=occasion, answered_at=at, by=nurse, at=LATER + 6 * DAY
            )
        forms.define_response(
            "nrs", least_percent=50, reaches=None, within_days=None, reason="Agreed.", by=physician, at=LATER
        )
    with clock.standing_at(LATER + 7 * DAY):
        page = text(physicians_browser.get(f"/courses/{course.id}"))
    assert "3 days, no more on day 5" in page
    assert ", before the course; 3 on" in page  # drawn beside it


def test_a_note_is_cosigned_from_the_course(physicians_browser, make_course_of):
    course = make_course_of(1)
    (infusion,) = queries.sessions_of_course(course.id)
    (note,) = queries.notes_of_session(infusion.id)
    assert "Calm course." in text(physicians_browser.get(f"/courses/{course.id}"))
    act = f"/inbox/{note.id}/sign"
    answer = physicians_browser.sign_as_read(f"/courses/{course.id}", act, password=PASSWORD, then="course")
    assert answer.location == f"/courses/{course.id}"
    db.session.refresh(note)
    assert note.status is NoteStatus.COSIGNED


def test_a_decision_is_written_down_and_the_course_follows(physicians_browser, make_course_of):
    course = make_course_of(1)
    form = {"decision": "hold", "text": "Blood pressure first.", "version": str(course.version)}
    assert physicians_browser.post(f"/courses/{course.id}/reviews", data=form).status_code == 303
    db.session.refresh(course)
    assert course.status is CourseStatus.ON_HOLD
    assert "Blood pressure first." in text(physicians_browser.get(f"/courses/{course.id}"))


def test_a_button_of_the_course_leads_to_its_decision_on_the_page(physicians_browser, make_course_of):
    course = make_course_of(1)
    page = text(physicians_browser.get(f"/courses/{course.id}"))
    assert f'href="/courses/{course.id}?decision=hold"' in page
    assert 'name="decision" value="hold"' in text(physicians_browser.get(f"/courses/{course.id}?decision=hold"))


def test_a_decision_that_no_longer_fits_is_refused(physicians_browser, make_course_of):
    course = make_course_of(1)
    answer = physicians_browser.post(f"/courses/{course.id}/reviews", data={"decision": "resume", "text": "Better."})
    assert answer.status_code == 422
    assert "cannot be given this decision" in text(answer)
    assert "Better." in text(answer)


def test_deciding_to_adjust_leads_to_the_next_order(physicians_browser, make_course_of):
    course = make_course_of(1)
    answer = physicians_browser.post(f"/courses/{course.id}/reviews", data={"decision": "adjust", "text": "Nausea."})
    assert answer.location == f"/courses/{course.id}#next-order"


def test_discontinued_before_any_dose_the_order_is_cancelled(physicians_browser, make_course):
    course = make_course()
    data = {"decision": "discontinue", "text": "Declined."}
    assert physicians_browser.post(f"/courses/{course.id}/reviews", data=data).status_code == 303
    assert course.order.versions[0].status is OrderStatus.CANCELLED


def test_a_decision_needs_its_reason_and_keeps_what_was_chosen(physicians_browser, make_course_of):
    course = make_course_of(1)
    answer = physicians_browser.post(f"/courses/{course.id}/reviews", data={"decision": "continue", "text": " "})
    assert answer.status_code == 422
    assert 'name="decision" value="continue"' in text(answer)


def test_a_decision_over_an_older_course_is_a_conflict(physicians_browser, make_course_of):
    course = make_course_of(1)
    form = {"decision": "hold", "text": "Why.", "version": str(course.version - 1)}
    late = physicians_browser.post(f"/courses/{course.id}/reviews", data=form)
    assert late.status_code == 409
    assert "<b>Why.</b>" in text(late)
    assert f'href="/courses/{course.id}"' in text(late)


def test_no_decision_is_chosen_beforehand(physicians_browser, make_course_of):
    page = text(physicians_browser.get(f"/courses/{make_course_of(1).id}"))
    assert "checked" not in page
    assert 'name="decision"' not in page


def test_a_nurse_reads_and_decides_nothing(client, make_course_of, nurse):
    course = make_course_of(1)
    client.sign_in(nurse)
    with clock.standing_at(LATER + DAY):
        page = text(client.get(f"/courses/{course.id}"))
        refused = client.post(f"/courses/{course.id}/reviews", data={"decision": "hold", "text": "Why."})
    assert "decision=hold" not in page
    assert 'type="password"' not in page
    assert refused.status_code == 403


@pytest.mark.parametrize("role", ["scheduler", "admin"])
def test_the_desk_and_the_admin_see_no_course(client, make_course_of, request, role):
    course = make_course_of(1)
    client.sign_in(request.getfixturevalue(role))
    answer = client.get(f"/courses/{course.id}")
    assert answer.status_code == 403
    assert "idocaine" not in text(answer)


def test_a_course_without_sessions_has_its_page(physicians_browser, make_course):
    page = text(physicians_browser.get(f"/courses/{make_course(sign=False).id}"))
    assert "No session yet, and none booked." in page
    assert "Order to sign" in page


def test_a_course_prints(physicians_browser, make_course_of):
    page = text(physicians_browser.get(f"/courses/{make_course_of(1).id}/print"))
    assert "Lidocaine course 1" in page
    assert "164" in page


def test_many_sessions_cost_no_more_reads_than_two(client, make_course_of, signing_physician, count_queries):
    few, many = make_course_of(2), make_course_of(20)
    client.sign_in(signing_physician)
    with clock.standing_at(LATER + timedelta(days=21)):
        client.get(f"/courses/{few.id}")
        with count_queries() as sent_for_few:
            client.get(f"/courses/{few.id}")
        with count_queries() as sent_for_many:
            page = text(client.get(f"/courses/{many.id}"))
    assert page.count("164</span>") == 20
    assert "data-newest" in page
    assert "15 more in the inbox" in page
    assert len(sent_for_many) == len(sent_for_few)


def test_a_course_names_the_version_it_began_with_and_leads_to_the_one_in_use(
    physicians_browser, make_course_of, make_draft, signing_physician
):
    course = make_course_of(1)
    began = course.protocol_version
    assert "is in use now" not in text(physicians_browser.get(f"/courses/{course.id}"))
    with db.unit_of_work():
        following = protocols.new_version(began.protocol, make_draft(), by=signing_physician, at=LATER)
        review.submit(following, by=signing_physician, at=LATER)
        review.approve(following, by=signing_physician, password=PASSWORD, at=LATER)
    page = text(physicians_browser.get(f"/courses/{course.id}"))
    assert f"{began.protocol.name}, version 1</a>; version 2 is in use now" in page
    assert f'href="/protocols/{began.protocol_id}/compare?before=1&amp;after=2"' in page

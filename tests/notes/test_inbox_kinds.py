"""What stands in the inbox besides notes and orders, and how the list stays fast when it is long."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.core import clock, db
from clinic.courses import operations as courses
from clinic.courses.rules import CourseDecision
from clinic.notes import inbox_rules
from clinic.notes.inbox import KINDS, inbox_count
from clinic.notes.inbox_rules import ItemKind
from clinic.patients.rules import Answer
from clinic.scheduling.models import Appointment
from clinic.sessions import operations as sessions
from clinic.sessions.event_rules import SessionEventKind
from clinic.sessions.readiness import order_findings
from tests.factories.accounts import PASSWORD
from tests.factories.notes import LATER
from tests.factories.sessions import minute


@pytest.fixture
def inbox(client, signing_physician):
    """The browser of the physician, an hour after the notes were signed."""
    client.sign_in(signing_physician)
    with clock.standing_at(LATER + timedelta(hours=1)):
        yield client


@pytest.fixture
def tell(nurse, signing_physician):
    """Writes down that the physician was told: `tell(infusion, "Systolic 171.", reply="Wait.")`."""

    def make(infusion, text="Systolic 171.", **values):
        with db.unit_of_work():
            return sessions.notify(
                infusion, text, happened_at=minute(10), person=signing_physician, by=nurse, at=minute(11), **values
            )

    return make


def text(page):
    return page.get_data(as_text=True)


def test_every_kind_of_item_is_known():
    assert set(KINDS) == set(ItemKind)


def test_what_the_physician_was_told_waits_until_it_is_read(inbox, make_running, tell, signing_physician):
    event = tell(make_running())
    assert "Systolic 171." in text(inbox.get(f"/inbox/{event.id}"))
    assert inbox_count(signing_physician, LATER) == 1
    assert inbox.sign_as_read(f"/inbox/{event.id}", password=PASSWORD).status_code == 303
    assert "Nothing waits for you" in text(inbox.get("/inbox"))


def test_what_was_replied_to_is_for_information(inbox, make_running, tell, signing_physician):
    tell(make_running(), reply="Wait ten minutes.")
    assert inbox_count(signing_physician, LATER) == 0
    assert "Your reply: Wait ten minutes." in text(inbox.get("/inbox?all=1"))


def test_an_answer_to_a_note_stands_in_the_flowsheet(inbox, make_running, tell):
    infusion = make_running()
    event = tell(infusion)
    inbox.post(f"/inbox/{event.id}/sign", data={"password": PASSWORD, "reply": "Pause for ten minutes."})
    db.session.refresh(infusion)
    (answer,) = [row for row in infusion.events if row.kind is SessionEventKind.ROW_NOTE]
    assert answer.text == "Answer: Pause for ten minutes."
    assert "Pause for ten minutes." in text(inbox.get(f"/sessions/{infusion.id}"))


def test_a_wrong_password_keeps_the_answer(inbox, make_running, tell):
    event = tell(make_running())
    answer = inbox.post(f"/inbox/{event.id}/sign", data={"password": "wrong", "reply": "Pause."})
    assert answer.status_code == 422
    assert "Pause.</textarea>" in text(answer)


def test_a_screening_answer_is_settled_beside_the_list(inbox, make_course, make_answer):
    course = make_course()
    answer = make_answer(course.patient, Answer.YES, detail="Twice last year.")
    assert "Twice last year." in text(inbox.get(f"/inbox/{answer.id}"))
    assert inbox.post(f"/inbox/{answer.id}/sign", data={"settled_text": " "}).status_code == 422
    assert inbox.post(f"/inbox/{answer.id}/sign", data={"settled_text": "Cardiologist agrees."}).status_code == 303
    assert "Twice last year." not in text(inbox.get("/inbox"))


def test_a_screening_answer_of_a_colleagues_patient_is_the_colleagues(inbox, make_course, make_answer, other_physician):
    course = make_course(physician=other_physician)
    make_answer(course.patient, Answer.YES, detail="Twice last year.")
    assert "Twice last year." not in text(inbox.get("/inbox"))


def test_a_screening_answer_that_a_booked_session_waits_for_leads(
    inbox, make_plain_course, make_answer, make_appointment
):
    course = make_plain_course()
    make_answer(course.patient, Answer.UNKNOWN)
    make_appointment(course, number=1, starts_at=LATER + timedelta(days=2))
    page = text(inbox.get("/inbox"))
    assert page.index("Before the next infusion") < page.index("Screening to settle")


def test_a_course_whose_sessions_are_over_is_to_decide(inbox, make_closed, signing_physician):
    course = make_closed(sessions_planned=1).course
    assert f"/courses/{course.id}?inbox=end#decide" in text(inbox.get(f"/inbox/{course.id}"))
    with db.unit_of_work():
        courses.review(course, CourseDecision.COMPLETE, "All given.", by=signing_physician, at=LATER)
    assert "Course to decide" not in text(inbox.get("/inbox"))


def test_a_course_at_a_standstill_is_to_decide_after_a_week(inbox, make_closed, signing_physician):
    make_closed()
    assert "Course to decide" not in text(inbox.get("/inbox"))
    with clock.standing_at(LATER + timedelta(days=8)):
        inbox.sign_in(signing_physician)
        assert "Course to decide" in text(inbox.get("/inbox"))


def test_a_held_course_with_a_booked_session_is_to_decide_first(
    inbox, make_plain_course, make_appointment, signing_physician
):
    course = make_plain_course()
    make_appointment(course, number=1, starts_at=LATER + timedelta(days=1))
    with db.unit_of_work():
        courses.review(course, CourseDecision.HOLD, "Blood pressure.", by=signing_physician, at=LATER)
    page = text(inbox.get("/inbox"))
    assert "The course is on hold and session 1 is booked." in page
    assert "Order to renew" not in page


def test_a_grave_event_stays_until_it_is_reviewed(inbox, make_stopped, plain_drug, make_event, signing_physician):
    infusion = make_stopped(drug_id=plain_drug.id)
    make_event(infusion, "laryngospasm", grade=3)
    make_event(infusion, "headache", grade=1)
    assert inbox_count(signing_physician, LATER + timedelta(days=60)) == 1


def test_a_long_list_comes_in_pages_and_every_item_can_be_opened(inbox, make_closed, make_note, monkeypatch):
    monkeypatch.setattr(inbox_rules, "PAGE", 1)
    first = make_note(make_closed())
    second = make_note(make_closed(), at=LATER + timedelta(minutes=10))
    page = text(inbox.get("/inbox"))
    assert str(first.id) in page
    assert str(second.id) not in page
    assert "Page 1 of 2" in page
    assert str(second.id) in text(inbox.get("/inbox?page=2"))
    assert "Page 2 of 2" in text(inbox.get(f"/inbox/{second.id}"))


@pytest.mark.parametrize("number", ["0", "-3", "99", "x"])
def test_a_page_that_is_not_there_is_the_nearest_one(inbox, number):
    assert inbox.get(f"/inbox?page={number}").status_code == 200


@pytest.fixture
def reviewed_course(make_plain_course, give_session, make_appointment, nurse):
    """A course whose plan asks for a review after one session, with that one given and the next booked."""
    made = make_plain_course(3, terms={"review_after": (1,)})
    give_session(made, 1, by=nurse)
    make_appointment(made, number=2, starts_at=LATER + timedelta(days=3))
    return made


def test_a_review_that_the_plan_asks_for_waits_though_the_next_is_booked(inbox, reviewed_course, signing_physician):
    before = inbox_count(signing_physician, LATER)
    page = text(inbox.get(f"/inbox/{reviewed_course.id}"))
    assert "Session 1 of 3 is over: the plan asks for a review before the next." in page
    decided = LATER + timedelta(hours=1)
    with db.unit_of_work():
        courses.review(reviewed_course, CourseDecision.CONTINUE, "Better.", by=signing_physician, at=decided)
    assert inbox_count(signing_physician, LATER) == before - 1


def test_no_session_starts_before_the_review_that_the_plan_asks_for(reviewed_course, nurse, signing_physician):
    appointment = next_of(reviewed_course)
    with db.unit_of_work():
        infusion = sessions.arrive(appointment, arrived_at=appointment.starts_at, by=nurse, at=appointment.starts_at)
    day = appointment.starts_at.date()
    assert [found.code for found in order_findings(infusion.order_version, day, infusion)] == ["review-due"]
    with db.unit_of_work():
        courses.review(
            reviewed_course, CourseDecision.CONTINUE, "Better.", by=signing_physician, at=appointment.starts_at
        )
    assert order_findings(infusion.order_version, day, infusion) == []


def next_of(course):
    return db.session.scalars(
        sa.select(Appointment).where(Appointment.course_id == course.id, Appointment.session_number == 2)
    ).one()


def test_a_session_after_a_missed_one_is_within_the_sessions_allowed(
    inbox, make_plain_course, give_session, make_appointment, nurse
):
    course = make_plain_course(2)
    give_session(course, 1, by=nurse)
    make_appointment(course, number=3, starts_at=LATER + timedelta(days=3))
    assert "Order to renew" not in text(inbox.get("/inbox"))

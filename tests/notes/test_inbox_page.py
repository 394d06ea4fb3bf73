"""The physician's inbox on its page."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from clinic.core import clock, db
from clinic.courses import operations as courses
from clinic.notes import operations as note_operations
from clinic.notes.inbox import inbox_count
from clinic.notes.models import Note
from clinic.notes.rules import NoteStatus
from clinic.orders import operations as orders
from clinic.orders.rules import SpokenMode
from clinic.protocols.limit_rules import Vital
from clinic.protocols.terms import draft_of
from clinic.sessions import operations
from clinic.sessions.event_rules import SessionEventKind
from clinic.signatures.queries import signatures_of
from clinic.signatures.rules import seen_code
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
def make_spoken(signing_physician, nurse):
    def make(infusion, text="Hold at 20 mg per hour."):
        with db.unit_of_work():
            return orders.write_verbal_order(
                infusion.order_version,
                text,
                spoken_by=signing_physician,
                spoken_at=minute(20),
                mode=SpokenMode.TELEPHONE,
                is_read_back=True,
                by=nurse,
                at=minute(21),
            )

    return make


def text(page):
    return page.get_data(as_text=True)


def status_of(note):
    return db.session.scalar(sa.select(Note.status).where(Note.id == note.id))


def test_an_empty_inbox_says_so(inbox):
    assert "Nothing waits for you" in text(inbox.get("/inbox"))


def test_shows_the_note_with_facts_and_chart(inbox, make_closed, make_note):
    note = make_note(make_closed())
    page = text(inbox.get(f"/inbox/{note.id}"))
    assert "Calm course." in page
    assert "13.6\u00a0mg" in page
    assert "<svg" in page


def test_own_notes_come_before_the_clinics(inbox, make_closed, make_note, other_physician):
    theirs = make_note(make_closed(), cosigner=other_physician)
    mine = make_note(make_closed(), at=LATER + timedelta(minutes=10))
    page = text(inbox.get("/inbox"))
    assert page.index(f"/inbox/{mine.id}") < page.index(f"/inbox/{theirs.id}")


def test_cosigning_opens_the_next_item(inbox, make_closed, make_note):
    first = make_note(make_closed())
    second = make_note(make_closed(), at=LATER + timedelta(minutes=10))
    answer = inbox.sign_as_read(f"/inbox/{first.id}", password=PASSWORD)
    assert (answer.status_code, answer.location) == (303, f"/inbox/{second.id}")
    assert status_of(first) is NoteStatus.COSIGNED
    assert inbox.sign_as_read(f"/inbox/{second.id}", password=PASSWORD).location == "/inbox"


def test_a_wrong_password_signs_nothing_and_says_so(inbox, make_closed, make_note):
    note = make_note(make_closed())
    answer = inbox.sign_as_read(f"/inbox/{note.id}", password="wrong")
    assert answer.status_code == 422
    assert "This is not your password." in text(answer)
    assert status_of(note) is NoteStatus.COSIGN_PENDING


def test_a_note_sent_from_the_chair_stands_with_its_row_until_it_is_read(inbox, make_running, nurse, signing_physician):
    infusion = make_running()
    row = operations.record_observation(infusion, {Vital.HR: 88}, observed_at=minute(10), by=nurse, at=minute(10))
    event = operations.record_event(
        infusion,
        SessionEventKind.ROW_NOTE,
        "Skips a beat now and then.",
        happened_at=minute(11),
        person=signing_physician,
        observation=row,
        by=nurse,
        at=minute(11),
    )
    page = text(inbox.get(f"/inbox/{event.id}"))
    assert "Skips a beat now and then." in page
    assert "HR 88" in page
    assert inbox_count(signing_physician, LATER) == 1
    assert inbox.sign_as_read(f"/inbox/{event.id}", password=PASSWORD).status_code == 303
    assert "Nothing waits for you" in text(inbox.get("/inbox"))
    assert inbox.get(f"/inbox/{event.id}").location == "/inbox"


def test_what_a_colleague_signed_meanwhile_is_a_conflict(inbox, make_closed, make_note, other_physician):
    note = make_note(make_closed())
    with db.unit_of_work():
        note_operations.cosign_note(note, by=other_physician, password=PASSWORD, at=LATER)
    answer = inbox.post(f"/inbox/{note.id}/sign", data={"password": PASSWORD})
    assert answer.status_code == 409
    assert len(signatures_of(note.id)) == 2


def test_what_was_added_after_reading_is_not_cosigned_unseen(inbox, make_closed, make_note, writing_nurse):
    note = make_note(make_closed())
    read = seen_code(note_operations.seen_content(note))
    with db.unit_of_work():
        note_operations.add_addendum(note, "Vomited once.", by=writing_nurse, password=PASSWORD, at=LATER)
    refused = inbox.post(f"/inbox/{note.id}/sign", data={"password": PASSWORD, "seen": read})
    assert refused.status_code == 409
    assert "As you read it" in refused.text
    assert "<td>Vomited once.</td><td>" in refused.text
    assert status_of(note) is NoteStatus.COSIGN_PENDING
    assert inbox.sign_as_read(f"/inbox/{note.id}", password=PASSWORD).status_code == 303


def test_a_form_that_does_not_say_what_was_read_signs_nothing(inbox, make_closed, make_note, make_spoken):
    infusion = make_closed()
    for waiting in (make_note(infusion), make_spoken(infusion)):
        refused = inbox.post(f"/inbox/{waiting.id}/sign", data={"password": PASSWORD})
        assert refused.status_code == 409
        assert "not what you read" in refused.text
        assert not [row for row in signatures_of(waiting.id) if row.signer_id != getattr(waiting, "author_id", None)]


def test_an_item_that_is_done_leads_to_its_record(inbox, make_closed, make_note):
    note = make_note(make_closed())
    inbox.sign_as_read(f"/inbox/{note.id}", password=PASSWORD)
    assert inbox.get(f"/inbox/{note.id}").location == f"/sessions/{note.infusion_id}/note"


def test_an_unknown_item_is_not_found(inbox, make_patient):
    assert inbox.get(f"/inbox/{make_patient().id}").status_code == 404
    assert inbox.post(f"/inbox/{make_patient().id}/sign", data={"password": PASSWORD}).status_code == 404


def test_a_spoken_order_stands_with_its_age_until_it_is_signed(inbox, make_running, plain_drug, make_spoken):
    spoken = make_spoken(make_running(drug_id=plain_drug.id))
    page = text(inbox.get(f"/inbox/{spoken.id}"))
    assert "Hold at 20 mg per hour." in page
    assert "3 h ago" in page
    assert "Telephone order" in page
    assert "Signature overdue" not in page
    assert inbox.sign_as_read(f"/inbox/{spoken.id}", password=PASSWORD).status_code == 303
    assert len(signatures_of(spoken.id)) == 1
    assert "Hold at 20 mg per hour." not in text(inbox.get("/inbox"))


def test_a_spoken_order_is_overdue_by_the_clinics_own_limit_alone(inbox, make_running, plain_drug, make_spoken, clinic):
    spoken = make_spoken(make_running(drug_id=plain_drug.id))
    for hours, is_marked in ((4, False), (3, True)):
        with db.unit_of_work():
            db.session.merge(clinic).spoken_order_sign_hours = hours
        assert ("Signature overdue." in text(inbox.get(f"/inbox/{spoken.id}"))) is is_marked
        assert ("Signature overdue." in text(inbox.get(f"/verbal-orders/{spoken.id}"))) is is_marked


def test_a_grave_event_is_to_sign_and_a_mild_one_for_information(inbox, make_stopped, plain_drug, make_event):
    infusion = make_stopped(drug_id=plain_drug.id)
    grave = make_event(infusion, "laryngospasm", grade=3)
    mild = make_event(infusion, "headache")
    page = text(inbox.get("/inbox"))
    assert "Laryngospasm, severe." in page
    assert "Headache" not in page
    everything = text(inbox.get("/inbox?all=1"))
    assert everything.index(f"/inbox/{grave.id}") < everything.index(f"/inbox/{mild.id}")


def test_a_reviewed_event_leaves_the_list(inbox, make_stopped, plain_drug, make_event):
    event = make_event(make_stopped(drug_id=plain_drug.id), grade=4)
    assert inbox.sign_as_read(f"/inbox/{event.id}", password=PASSWORD).status_code == 303
    assert "Nothing waits for you" in text(inbox.get("/inbox"))


def test_a_draft_order_stands_to_sign(inbox, make_course, make_closed, make_note):
    make_note(make_closed())
    version = make_course(sign=False).order.versions[0]
    page = text(inbox.get("/inbox"))
    assert page.index(f"/inbox/{version.id}") < page.index("To co-sign")
    assert "start 0.2" in text(inbox.get(f"/inbox/{version.id}"))


def test_a_draft_is_read_whole_beside_the_list(inbox, make_course):
    make_course(sign=False)
    page = inbox.get("/inbox").get_data(as_text=True)
    assert "Limits for the nurse" in page
    assert "Raise only if" in page or "Raise by" in page


def test_a_draft_that_a_booked_session_waits_for_leads(
    inbox, make_plain_course, make_appointment, make_spoken, make_running
):
    make_spoken(make_running())
    course = make_plain_course()
    make_appointment(course, number=2, starts_at=LATER + timedelta(days=1))
    terms = replace(draft_of(course.order.versions[0].terms), highest_amount=Decimal("0.3"))
    with db.unit_of_work():
        draft = courses.adjust(
            course,
            terms,
            reason="Systolic 164.",
            weight=course.order.versions[0].weight,
            valid_from=date(2025, 11, 18),
            valid_until=date(2026, 5, 31),
            by=course.physician,
            at=LATER,
        )
    page = text(inbox.get("/inbox"))
    assert page.index("Before the next infusion") < page.index(f"/inbox/{draft.id}") < page.index("Telephone order")
    assert "in 23 h" in page
    assert "<del>" in text(inbox.get(f"/inbox/{draft.id}"))


def test_an_order_that_ends_before_the_next_session_is_to_renew(inbox, make_plain_course, make_appointment):
    course = make_plain_course(valid_until=date(2025, 11, 19))
    make_appointment(course, number=2, starts_at=LATER + timedelta(days=3))
    assert "Order to renew" in text(inbox.get("/inbox"))


def test_the_badge_counts_what_waits_in_one_read(inbox, make_closed, make_note, make_event, count_queries):
    infusion = make_closed()
    signing_physician = make_note(infusion).cosigner
    make_event(infusion, grade=3)
    make_event(infusion, grade=2)
    with count_queries() as sent:
        assert inbox_count(signing_physician, LATER) == 2
    assert len(sent) == 1


def test_the_badge_knows_no_other_clinic(make_closed, make_note, make_event, stranger):
    infusion = make_closed()
    make_note(infusion)
    make_event(infusion, grade=5)
    from clinic.accounts import queries as accounts  # noqa: PLC0415 this test alone looks across clinics

    with db.in_clinic(accounts.first_clinic_id(stranger.id)):
        assert inbox_count(stranger, LATER) == 0


def test_the_inbox_costs_the_same_for_many_notes(inbox, make_closed, make_note, count_queries):
    make_note(make_closed())
    inbox.get("/inbox")
    with count_queries() as sent_one:
        inbox.get("/inbox")
    for number in range(4):
        make_note(make_closed(), at=LATER + timedelta(minutes=number + 1))
    with count_queries() as sent_five:
        inbox.get("/inbox")
    assert len(sent_five) == len(sent_one)


@pytest.mark.parametrize("role", ["nurse", "scheduler", "admin"])
def test_only_physicians_have_an_inbox(client, request, role):
    client.sign_in(request.getfixturevalue(role))
    assert client.get("/inbox").status_code == 403

"""What reaches a patient: reminders and news of changes, in a real mail server's box."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from clinic.accounts.models import Clinic
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.notifications.models import OutboxAttempt, OutboxMessage
from clinic.notifications.queries import may_have_been_told
from clinic.notifications.rules import MessageState, Outcome
from clinic.reminders import operations, queries
from clinic.reminders.rules import TextKind
from clinic.scheduling import operations as scheduling
from clinic.scheduling.notices import SETTLES_AFTER
from tests.factories.reminders import ADDRESS, AGREED
from tests.factories.scheduling import DAY, DESK_OPENS, NINE

EVENING_BEFORE = datetime(2025, 11, 18, 22, 30, tzinfo=UTC)  # 17:30 in New York


@pytest.fixture
def reminded(make_booked, agrees, make_reminder_time):
    """An appointment of which the patient is to be reminded the evening before."""
    make_reminder_time()
    booked = make_booked()
    agrees(booked.patient)
    return booked


@pytest.fixture
def tells_changes(clinic):
    with db.unit_of_work():
        db.session.get(Clinic, clinic.id).mails_tell_changes = True


@pytest.fixture
def moves(scheduler, make_slot):
    def move(appointment, starts_at):
        with db.unit_of_work():
            slot = make_slot(appointment.session_number, chair=appointment.chair, starts_at=starts_at)
            return scheduling.move(appointment, slot, reason="asked", by=scheduler, at=DESK_OPENS)

    return move


def text_of(mail):
    return mail.get_body(("plain",)).get_content()


def calendar_of(mail):
    (part,) = mail.iter_attachments()
    assert part.get_content_type() == "text/calendar"
    return part.get_content()


def states():
    found = sa.select(OutboxMessage.state, OutboxMessage.state_reason).order_by(OutboxMessage.created_at)
    return [tuple(row) for row in db.session.execute(found.execution_options(populate_existing=True))]


def test_a_reminder_goes_out_at_its_time_and_once(reminded, work):
    assert work(EVENING_BEFORE - timedelta(minutes=1)) == []
    (mail,) = work(EVENING_BEFORE)
    assert mail["To"] == ADDRESS
    assert "Wed 19-Nov-2025, 09:00 to about 12:00" in text_of(mail)
    assert work(EVENING_BEFORE + timedelta(hours=1)) == []


def test_a_mail_names_neither_patient_nor_drug(reminded, work):
    (mail,) = work(EVENING_BEFORE)
    whole = mail.as_string() + text_of(mail) + calendar_of(mail)
    told = (reminded.patient.family_name, reminded.patient.given_name, reminded.patient.mrn, "ketamine", "neuropathic")
    assert not [word for word in told if word.casefold() in whole.casefold()]


def test_the_invitation_is_the_event_of_the_calendar_and_asks_no_reply(reminded, work, read_calendar):
    (mail,) = work(EVENING_BEFORE)
    (event,), calendar = read_calendar(calendar_of(mail).replace("\n", "\r\n"))
    assert (event[0], event[2], event[3]) == (f"{reminded.id}@chairtime", "CONFIRMED", NINE)
    assert calendar.method.value == "PUBLISH"
    assert "attendee" not in calendar.vevent.contents


def test_the_clinics_texts_stand_in_it(reminded, work, clinic, physician):
    with db.unit_of_work():
        chosen = {"drug_name": None, "protocol_id": None, "by": physician, "at": AGREED}
        operations.set_text(clinic, TextKind.FASTING, "Nothing to eat from midnight on.", **chosen)
        operations.set_text(clinic, TextKind.FASTING, "Nothing to eat from six on.", **chosen)
    (mail,) = work(EVENING_BEFORE)
    assert "Nothing to eat from six on." in text_of(mail)
    assert "midnight" not in text_of(mail)


def test_a_text_that_names_a_drug_is_refused_until_the_clinic_allows_it(reminded, clinic, physician):
    (drug, *_) = queries.drug_names()
    chosen = {"drug_name": drug, "protocol_id": None, "by": physician, "at": AGREED}
    with pytest.raises(RuleBroken, match="name no drug"):
        operations.set_text(clinic, TextKind.PREPARATION, f"Before {drug.upper()} …", **chosen)
    db.session.get(Clinic, clinic.id).mails_tell_drug = True
    operations.set_text(clinic, TextKind.PREPARATION, f"Before {drug.upper()} …", **chosen)


def test_nobody_is_written_to_without_having_agreed(reminded, work, scheduler):
    with db.unit_of_work():
        agreement = queries.agreement(reminded.patient_id)
        operations.withdraw_agreement(agreement, "asked", by=scheduler, at=DESK_OPENS)
    assert work(EVENING_BEFORE) == []


def test_who_withdraws_is_not_written_to_by_what_waits(reminded, work, scheduler, mail_server):
    mail_server.kept.to_data.append("451 later")
    work(EVENING_BEFORE)
    with db.unit_of_work():
        operations.withdraw_agreement(queries.agreement(reminded.patient_id), "asked", by=scheduler, at=EVENING_BEFORE)
    assert work(EVENING_BEFORE + timedelta(hours=1)) == []
    assert states() == [(MessageState.CANCELLED, "the patient has not agreed to be written to")]


def test_a_cancelled_appointment_is_not_reminded_of(reminded, work, scheduler, mail_server):
    mail_server.kept.to_data.append("451 later")
    work(EVENING_BEFORE)
    with db.unit_of_work():
        scheduling.cancel(reminded, reason="ill", by=scheduler, at=EVENING_BEFORE)
    assert work(EVENING_BEFORE + timedelta(hours=1)) == []
    assert states() == [(MessageState.CANCELLED, "the appointment is no longer booked at that time")]


def test_changes_are_told_only_where_the_clinic_says_so(make_booked, agrees, work):
    agrees(make_booked().patient)
    assert work(DESK_OPENS + DAY / 24) == []
    assert states() == []


@pytest.fixture
def agreed(tells_changes, make_booked, agrees):
    """An appointment booked in a clinic that writes about changes, to a patient who agreed."""
    booked = make_booked()
    agrees(booked.patient)
    return booked


def test_a_time_is_told_moved_and_cancelled_as_one_event(agreed, work, moves, scheduler, read_calendar):
    (first,) = work(DESK_OPENS + SETTLES_AFTER)
    moved = moves(agreed, NINE + DAY)
    (second,) = work(DESK_OPENS + SETTLES_AFTER * 2)
    with db.unit_of_work():
        scheduling.cancel(moved, reason="ill", by=scheduler, at=DESK_OPENS)
    (third,) = work(DESK_OPENS + SETTLES_AFTER * 3)
    read = [read_calendar(calendar_of(mail).replace("\n", "\r\n")) for mail in (first, second, third)]
    assert len({events[0][0] for events, _ in read}) == 1
    assert [events[0][1] for events, _ in read] == sorted({events[0][1] for events, _ in read})
    assert [calendar.method.value for _, calendar in read] == ["PUBLISH", "PUBLISH", "CANCEL"]
    assert "was moved" in text_of(second)
    assert "was cancelled" in text_of(third)
    assert "/answer/" not in text_of(third)
    assert "ill" not in text_of(third).split()


def test_what_is_undone_at_once_is_not_mailed(agreed, work, scheduler):
    with db.unit_of_work():
        scheduling.cancel(agreed, reason="a slip", by=scheduler, at=DESK_OPENS)
    assert work(DESK_OPENS + SETTLES_AFTER) == []


def test_a_cancelling_is_told_once_although_the_first_mail_was_late(agreed, work, scheduler, mail_server):
    mail_server.kept.to_data.append("451 later")
    assert work(DESK_OPENS + SETTLES_AFTER) == []
    with db.unit_of_work():
        scheduling.cancel(agreed, reason="ill", by=scheduler, at=DESK_OPENS)
    assert work(DESK_OPENS + DAY / 24) == []  # nobody was written to, so nobody waits for it


@pytest.mark.parametrize(("outcome", "may"), [(Outcome.UNREACHABLE, True), (Outcome.REFUSED, False)])
def test_a_mail_may_have_arrived_when_its_connection_broke(agreed, outcome, may):
    with db.unit_of_work():
        message = db.session.scalars(sa.select(OutboxMessage)).one()
        tried = OutboxAttempt(message_id=message.id, number=1, started_at=DESK_OPENS, ended_at=DESK_OPENS)
        tried.outcome = outcome
        db.session.add(tried)
        db.session.flush()
        assert may_have_been_told([agreed.id], besides=agreed.id) is may
        assert not may_have_been_told([agreed.id], besides=message.id)


WRONG = ["rosa", "a@b", "a@b.example, c@d.example", "Rosa <a@b.example>", "a@b.example\nBcc: x"]


@pytest.mark.parametrize("wrong", WRONG)
def test_an_address_is_one_address(make_patient, agrees, wrong):
    with pytest.raises(RuleBroken, match="one e-mail"):
        agrees(make_patient(), wrong)


@pytest.fixture
def one_more(make_patient, make_active_course, make_booked, agrees):
    def make(number):
        patient = make_patient()
        agrees(patient)
        return make_booked(make_active_course(patient), starts_at=NINE + number * DAY)

    return make


def test_more_appointments_cost_no_more_reads(reminded, clinic, one_more, count_queries):
    counts = []
    for number in range(3):
        one_more(number)
        with count_queries() as sent, db.unit_of_work() as tried:
            operations.plan_reminders(clinic, at=EVENING_BEFORE - timedelta(days=2))
            tried.rollback()
        counts.append(len(sent))
    assert counts == [counts[0]] * 3

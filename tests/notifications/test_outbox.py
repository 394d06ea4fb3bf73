"""The outbox against a real mail server: once each, later when it fails, never for ever."""

import logging
import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.notifications import operations, sending
from clinic.notifications.mail import Letter, Mailer, MailSettings, NoMailServer
from clinic.notifications.models import OutboxAttempt, OutboxMessage
from clinic.notifications.rules import LEASE, MOST_TRIES, MessageKind, MessageState, Outcome, pause_after
from tests.factories.scheduling import DESK_OPENS, HOUR

SECRET = "https://chairtime.clinic.example/secret-link"


@pytest.fixture
def worded(monkeypatch):
    """Every message is worded the same; a test may put something else in its place."""

    def wording(message, public_url, at):
        return Letter("rosa@patient.example", "Tomorrow", f"Come. {SECRET}", "Come. (link)", "Harbour clinic")

    words = dict.fromkeys(MessageKind, wording)
    monkeypatch.setattr(sending, "_wordings", words)
    return words


@pytest.fixture
def put(clinic, worded):
    def make(**more):
        with db.unit_of_work():
            return operations.put(MessageKind.REMINDER, uuid.uuid4(), at=DESK_OPENS, **more)

    return make


def found(message):
    return db.session.scalar(
        sa.select(OutboxMessage).where(OutboxMessage.id == message.id).execution_options(populate_existing=True)
    )


def send(mailer, at=DESK_OPENS):
    return sending.send_due(mailer, lambda: at)


def test_a_message_arrives_and_is_marked(put, mailer, mail_server):
    message = put()
    assert send(mailer) == 1
    (mail,) = mail_server.kept.mails
    assert (mail["To"], mail["Subject"]) == ("rosa@patient.example", "Tomorrow")
    assert mail["From"] == "Harbour clinic <desk@clinic.example>"
    assert mail["Message-ID"] == f"<{message.id}@clinic.example>"
    assert SECRET in mail.get_body().get_content()
    assert (found(message).state, found(message).sent_at) == (MessageState.SENT, DESK_OPENS)
    assert send(mailer, DESK_OPENS + LEASE * 2) == 0


def test_the_record_keeps_the_words_and_not_the_secret_link(put, mailer):
    message = put()
    send(mailer)
    assert (found(message).to_address, found(message).body) == ("rosa@patient.example", "Come. (link)")
    assert "secret-link" not in str(db.session.execute(sa.text("SELECT * FROM outbox_message")).all())


def test_a_message_is_gone_with_the_change_that_it_told_of(put, mailer):
    with db.unit_of_work() as change:
        operations.put(MessageKind.REMINDER, uuid.uuid4(), at=DESK_OPENS)
        change.rollback()
    assert send(mailer) == 0


def test_the_log_names_no_patient(put, mailer, mail_server, caplog):
    caplog.set_level(logging.DEBUG, logger="clinic")
    mail_server.kept.to_recipients.append("550 rosa@patient.example is unknown here")
    put(), put()
    send(mailer)
    assert "refused 550" in caplog.text
    assert "rosa" not in caplog.text
    codes = list(db.session.scalars(sa.select(OutboxAttempt.code).order_by(OutboxAttempt.started_at)))
    assert sorted(codes, key=str) == ["550", None]


def test_a_refusal_for_good_is_given_up_at_once(put, mailer, mail_server):
    mail_server.kept.to_recipients.append("550 no such person")
    message = put()
    send(mailer)
    assert (found(message).state, found(message).state_reason) == (MessageState.GIVEN_UP, "refused 550")


def test_a_deferral_is_tried_again_after_a_pause(put, mailer, mail_server):
    mail_server.kept.to_data.append("451 come back later")
    message = put()
    assert send(mailer) == 0
    assert send(mailer, DESK_OPENS + timedelta(seconds=59)) == 0
    assert send(mailer, DESK_OPENS + timedelta(minutes=1)) == 1
    assert [attempt.outcome for attempt in found(message).attempts] == [Outcome.DEFERRED, Outcome.SENT]


def test_pauses_grow_and_end():
    pauses = [pause_after(tries, Outcome.UNREACHABLE) for tries in range(1, MOST_TRIES + 1)]
    assert pauses[-1] is None
    assert pauses[:-1] == sorted(set(pauses[:-1]))


def test_a_server_that_is_not_there_is_given_up_in_the_end(put):
    message = put()
    nowhere = MailSettings("127.0.0.1", 1, "none", "desk@clinic.example", "https://x.example")
    at = DESK_OPENS
    for _ in range(MOST_TRIES):
        assert found(message).state is MessageState.WAITING
        sending.send_due(Mailer(nowhere), lambda now=at: now)
        at += timedelta(days=1)
    assert found(message).state is MessageState.GIVEN_UP
    assert found(message).state_reason == "unreachable ConnectionRefusedError"


def test_what_was_given_up_can_be_tried_again(put, mailer, mail_server):
    mail_server.kept.to_recipients.append("550 no such person")
    message = put()
    send(mailer)
    with db.unit_of_work():
        operations.try_again(found(message), at=DESK_OPENS + HOUR)
    assert send(mailer, DESK_OPENS + HOUR) == 1
    with pytest.raises(RuleBroken, match="given up"):
        operations.try_again(found(message), at=DESK_OPENS)


def test_a_message_whose_subject_is_gone_is_not_sent(put, mailer, worded):
    def gone(message, public_url, at):
        raise sending.NothingToTell("the appointment was cancelled")

    worded[MessageKind.REMINDER] = gone
    message = put()
    assert send(mailer) == 0
    assert (found(message).state, found(message).state_reason) == (
        MessageState.CANCELLED,
        "the appointment was cancelled",
    )


def test_a_message_that_cannot_be_worded_holds_up_nobody(put, mailer, worded):
    message = put()
    wording = worded[MessageKind.REMINDER]
    worded[MessageKind.REMINDER] = lambda each, *rest: 1 / 0 if each.id == message.id else wording(each, *rest)
    put()
    assert send(mailer) == 1
    assert found(message).attempts[0].outcome is Outcome.FAULT


def test_a_line_break_in_an_address_becomes_no_header(put, mailer, mail_server, worded):
    worded[MessageKind.REMINDER] = lambda *_: Letter("a@b.example\r\nBcc: c@d.example", "x", "x", "x", "y")
    message = put()
    send(mailer)
    assert mail_server.kept.mails == []
    assert found(message).state_reason == "refused address"


def test_what_comes_too_late_is_not_sent(put, mailer):
    message = put(expires_at=DESK_OPENS + HOUR)
    assert send(mailer, DESK_OPENS + HOUR) == 0
    assert found(message).state is MessageState.CANCELLED


def test_one_message_of_a_key(put):
    assert put(once_key="reminder 1") is not None
    assert put(once_key="reminder 1") is None


def test_a_claim_holds_for_the_lease_and_not_longer(put, mailer):
    message = put()
    with db.unit_of_work():
        claimed = operations.claim(at=DESK_OPENS)  # and this sender dies
    assert send(mailer, DESK_OPENS + LEASE - timedelta(seconds=1)) == 0
    assert send(mailer, DESK_OPENS + LEASE) == 1
    assert [attempt.outcome for attempt in found(message).attempts] == [None, Outcome.SENT]
    with db.unit_of_work():  # it was only asleep, and has nothing to say any more
        assert operations.finish(claimed, Outcome.UNREACHABLE, None, at=DESK_OPENS + HOUR) is None
    assert found(message).state is MessageState.SENT


@pytest.mark.parametrize("change", ["state = 'waiting', sent_at = NULL", "body = 'other'", "to_address = 'x'"])
def test_what_was_sent_stays_so_in_the_database(put, mailer, change):
    put()
    send(mailer)
    with pytest.raises(sa.exc.DBAPIError), db.session.begin_nested():
        db.session.execute(sa.text(f"UPDATE outbox_message SET {change}"))


@pytest.mark.parametrize("security", ["STARTTLS", "ssl", ""])
def test_a_slip_in_the_security_of_mail_sends_nothing_in_the_clear(app, security):
    known = {"SMTP_HOST": "mail.example", "MAIL_FROM": "desk@clinic.example", "PUBLIC_URL": "https://x.example"}
    with pytest.raises(NoMailServer, match="SMTP_SECURITY"):
        MailSettings.of(app.config | known | {"SMTP_SECURITY": security})

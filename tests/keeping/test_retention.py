"""Nothing is taken away by itself; what may go goes past the clinic's own period, and nothing of a held record."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from clinic.accounts import proofs
from clinic.accounts.models import LoginSession, PasskeyProof
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.cli import main
from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.idempotency import IdempotencyKey
from clinic.keeping import retention
from clinic.keeping.retention_rules import PURGED, PeriodUnit, RetentionClass, past_from
from clinic.notifications.models import OutboxMessage
from clinic.notifications.rules import MessageKind, MessageState

NOW = datetime(2032, 3, 1, 9, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)


@pytest.fixture
def keep(admin):
    """Sets a period of so many days for classes."""

    def set_periods(*kinds, days=30):
        with db.unit_of_work():
            for kind in kinds:
                retention.set_period(kind, days, PeriodUnit.DAYS, reason="our rule", by=admin, at=LONG_AGO)

    return set_periods


@pytest.fixture
def make_old(nurse, clinic):
    """Rows that are 400 days old: a sign-in that nobody ended, and the proof of a save."""
    with db.unit_of_work():
        db.session.add(
            LoginSession(token_hash="x", staff_id=nurse.id, clinic_id=clinic.id, started_at=LONG_AGO, seen_at=LONG_AGO)
        )
        db.session.add(IdempotencyKey(actor_id=nurse.id, key="k" * 24, digest="d", saved_at=LONG_AGO))


@pytest.fixture
def mail(make_appointment):
    """A mail that went out 400 days ago."""
    appointment = make_appointment()
    with db.unit_of_work():
        made = OutboxMessage(
            kind=MessageKind.REMINDER,
            about_id=appointment.id,
            created_at=LONG_AGO,
            next_try_at=LONG_AGO,
            sent_at=LONG_AGO,
            state=MessageState.SENT,
            to_address="them@home.example",
            subject="Your visit",
            body="Come at nine",
        )
        db.session.add(made)
    return appointment.patient_id, made


def standing(clinic, kind):
    (found,) = [each for each in retention.report(clinic, at=NOW) if each.kind is kind]
    return found


def count(model):
    return db.session.scalar(sa.select(sa.func.count(model.id)))


def test_without_a_period_nothing_is_past_and_nothing_goes(clinic, make_old):
    assert [each.past for each in retention.report(clinic, at=NOW)] == [None] * len(RetentionClass)
    assert retention.purge(clinic, at=NOW) == {}
    assert count(IdempotencyKey) == count(LoginSession) == 1


def test_what_is_past_goes_and_the_trail_says_how_much(clinic, make_old, keep):
    keep(*PURGED)
    gone = retention.purge(clinic, at=NOW)
    assert gone == {RetentionClass.SIGN_INS: 1, RetentionClass.KEYS: 1}
    assert count(IdempotencyKey) == count(LoginSession) == 0
    (line,) = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == AuditAction.RETENTION_PURGED))
    assert line.body == '{"gone":{"keys":1,"sign-ins":1}}'


def test_a_sign_in_at_which_a_passkey_answered_goes_with_its_proof(clinic, nurse, make_old, keep):
    login = db.session.scalars(sa.select(LoginSession)).one()
    proofs.make(nurse, login=login, at=LONG_AGO)
    keep(RetentionClass.SIGN_INS)
    assert retention.purge(clinic, at=NOW) == {RetentionClass.SIGN_INS: 1}
    assert count(PasskeyProof) == 0


def test_what_is_younger_stays(clinic, make_old, keep):
    keep(*PURGED, days=500)
    assert retention.purge(clinic, at=NOW) == {}


def test_record_trail_and_register_are_told_and_never_taken(clinic, make_patient, keep, frozen_clock):
    make_patient()
    keep(*RetentionClass)
    assert standing(clinic, RetentionClass.RECORD).past == 1
    assert standing(clinic, RetentionClass.TRAIL).past > 0
    lines = count(AuditEntry)
    retention.purge(clinic, at=NOW)
    assert count(AuditEntry) >= lines


def test_a_mail_loses_its_words_and_stays_sent(clinic, mail, keep):
    keep(RetentionClass.MESSAGES)
    retention.purge(clinic, at=NOW)
    db.session.refresh(mail[1])
    assert (mail[1].body, mail[1].subject, mail[1].to_address) == (None, None, None)
    assert (mail[1].state, mail[1].sent_at) == (MessageState.SENT, LONG_AGO)


def test_a_hold_keeps_what_is_past_until_it_ends(clinic, mail, keep, physician, make_patient):
    keep(RetentionClass.MESSAGES)
    patient = db.session.get(type(make_patient()), mail[0])
    retention.hold(patient, is_held=True, reason="a letter of a court", by=physician, at=LONG_AGO)
    assert (standing(clinic, RetentionClass.MESSAGES).past, standing(clinic, RetentionClass.MESSAGES).held) == (0, 1)
    assert retention.purge(clinic, at=NOW) == {}
    retention.hold(patient, is_held=False, reason="it is over", by=physician, at=LONG_AGO + timedelta(days=1))
    assert retention.purge(clinic, at=NOW) == {RetentionClass.MESSAGES: 1}


def test_the_words_of_a_sent_mail_can_go_and_never_become_others(mail):
    with pytest.raises(sa.exc.DBAPIError, match="ended_outbox_message_body"), db.session.begin_nested():
        db.session.execute(sa.update(OutboxMessage).values(body="Come at ten"))


def test_an_open_sign_in_cannot_be_deleted(make_old):
    with pytest.raises(sa.exc.DBAPIError, match="never_deleted_login_session"), db.session.begin_nested():
        db.session.execute(sa.delete(LoginSession))


def test_a_period_that_would_take_what_is_in_use_is_refused(clinic, admin):
    with pytest.raises(RuleBroken, match="7 days"):
        retention.set_period(RetentionClass.KEYS, 6, PeriodUnit.DAYS, reason="x", by=admin, at=NOW)


def test_a_year_before_the_29th_of_february_is_the_28th():
    assert past_from(1, PeriodUnit.YEARS, datetime(2032, 2, 29, tzinfo=UTC)) == datetime(2031, 2, 28, tzinfo=UTC)


def test_an_admin_sets_a_period_and_sees_what_is_past(client, admin, clinic, make_old):
    client.sign_in(admin)
    sent = {"kind": "keys", "number": "30", "unit": "days", "reason": "our rule"}
    assert client.post("/clinic/retention", data=sent).status_code == 303
    page = client.get("/clinic/retention").text
    assert "30 days" in page
    assert "our rule" in page
    assert client.post("/clinic/retention", data={**sent, "unit": ""}).status_code == 422


def test_a_physician_holds_a_record_and_ends_it(client, physician, make_patient):
    page = f"/patients/{make_patient().id}/hold"
    client.sign_in(physician)
    assert client.post(page, data={"reason": ""}).status_code == 422
    client.post(page, data={"reason": "a court asked"})
    assert "a court asked" in client.get(page).text
    assert client.post(page, data={"reason": "again"}).status_code == 422
    client.post(f"{page}/end", data={"reason": "it is over"})
    assert "not held" in client.get(page).text


def test_a_stranger_holds_no_record(refuses_strangers, make_patient):
    refuses_strangers(f"/patients/{make_patient().id}/hold")


def purged(runner, *options):
    with clock.standing_at(NOW):
        return runner.invoke(main, ["retention", "purge", *options]).output


def test_the_command_takes_nothing_until_it_is_meant(app, committed_db, keep, make_old):
    keep(RetentionClass.KEYS)
    runner = app.test_cli_runner()
    assert "would go: proofs of answered saves 1" in purged(runner)
    with db.unit_of_work(write=False):
        assert count(IdempotencyKey) == 1
    assert "gone: proofs of answered saves 1" in purged(runner, "--yes")
    with db.unit_of_work(write=False):
        assert count(IdempotencyKey) == 0

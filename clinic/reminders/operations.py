"""What the clinic and the patient agree on about mail; and reminders that have become due."""

import re
import uuid
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from clinic.accounts.models import Clinic, Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.rows import add_row
from clinic.notifications import operations as outbox
from clinic.notifications.models import OutboxMessage
from clinic.notifications.rules import MessageKind
from clinic.patients.models import Patient
from clinic.reminders import queries
from clinic.reminders.models import MailAgreement, ReminderText, ReminderTime
from clinic.reminders.rules import MOST_DAYS, Rule, TextKind, due, names_a_drug
from clinic.scheduling.locking import lock

# One address, plainly written: no name around it, no second one behind a comma, nothing that ends a line.
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_LONGEST_ADDRESS: Final = 254


# --- the patient -----------------------------------------------------------------------------------------------------


def agree(patient: Patient, address: str, *, by: Staff, at: datetime) -> MailAgreement:
    """Write down that the patient agreed to be written to at an address; one of before is replaced."""
    address = address.strip()
    if len(address) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
        raise RuleBroken("Enter one e-mail address, such as rosa@example.org.", field="address")
    lock(Patient, {patient.id})  # two who write it down at once must not leave two
    before = queries.agreement(patient.id)
    made = MailAgreement(
        patient_id=patient.id,
        address=address,
        recorded_at=at,
        recorded_by_id=by.id,
        supersedes_id=before.id if before else None,
        correction_reason="Another address." if before else None,
    )
    add_row(made)
    audit.record(AuditAction.MAIL_AGREED, made, actor_id=by.id, at=at, address=address)
    return made


def withdraw_agreement(agreement: MailAgreement, reason: str, *, by: Staff, at: datetime) -> None:
    """The patient is written to no more: what waits in the outbox is not sent either."""
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    void = MailAgreement(
        patient_id=agreement.patient_id,
        address=agreement.address,
        recorded_at=at,
        recorded_by_id=by.id,
        supersedes_id=agreement.id,
        correction_reason=reason.strip(),
        is_void=True,
    )
    add_row(void)
    audit.record(AuditAction.MAIL_WITHDRAWN, void, actor_id=by.id, at=at, reason=reason.strip())


# --- the clinic's times and texts ------------------------------------------------------------------------------------


def add_time(days_before: int, at_clock: time, *, by: Staff, at: datetime) -> ReminderTime:
    """Let a reminder go out so many days before, at this time of the clinic's clock; from now on, not for the past."""
    if any((each.days_before, each.at_clock) == (days_before, at_clock) for each in queries.times()):
        raise RuleBroken("A reminder goes out at that time already.", field="at_clock")
    made = ReminderTime(days_before=days_before, at_clock=at_clock, recorded_at=at, recorded_by_id=by.id)
    add_row(made)
    audit.record(
        AuditAction.REMINDERS_CHANGED,
        made,
        actor_id=by.id,
        at=at,
        days_before=days_before,
        at_clock=f"{at_clock:%H:%M}",
    )
    return made


def remove_time(found: ReminderTime, *, by: Staff, at: datetime) -> None:
    """Send no reminder at that time any more."""
    add_row(
        ReminderTime(
            days_before=found.days_before,
            at_clock=found.at_clock,
            recorded_at=at,
            recorded_by_id=by.id,
            supersedes_id=found.id,
            correction_reason="Taken away.",
            is_void=True,
        )
    )
    audit.record(AuditAction.REMINDERS_CHANGED, found, actor_id=by.id, at=at, act="taken away")


def set_text(
    clinic: Clinic,
    kind: TextKind,
    words: str,
    *,
    drug_name: str | None,
    protocol_id: uuid.UUID | None,
    by: Staff,
    at: datetime,
) -> ReminderText:
    """Say what a reminder tells, for a protocol, for a drug or always; the text of before is replaced."""
    _refuse_drugs(clinic, words)
    before = next(
        (
            each
            for each in queries.texts()
            if (each.kind, each.drug_name, each.protocol_id) == (kind, drug_name, protocol_id)
        ),
        None,
    )
    made = ReminderText(
        kind=kind,
        drug_name=drug_name,
        protocol_id=protocol_id,
        words=words.strip(),
        recorded_at=at,
        recorded_by_id=by.id,
        supersedes_id=before.id if before else None,
        correction_reason="Written anew." if before else None,
    )
    add_row(made)
    audit.record(AuditAction.REMINDERS_CHANGED, made, actor_id=by.id, at=at, kind=kind, words=made.words)
    return made


def remove_text(found: ReminderText, *, by: Staff, at: datetime) -> None:
    """Let reminders say this no more."""
    add_row(
        ReminderText(
            kind=found.kind,
            drug_name=found.drug_name,
            protocol_id=found.protocol_id,
            words=found.words,
            recorded_at=at,
            recorded_by_id=by.id,
            supersedes_id=found.id,
            correction_reason="Taken away.",
            is_void=True,
        )
    )
    audit.record(AuditAction.REMINDERS_CHANGED, found, actor_id=by.id, at=at, act="taken away")


def _refuse_drugs(clinic: Clinic, words: str) -> None:
    drug = None if clinic.mails_tell_drug else names_a_drug(words, queries.drug_names())
    if drug is not None:
        raise RuleBroken(
            f"The text names {drug}, and this clinic's mails name no drug. Leave it out, or ask the admin to allow it.",
            field="words",
        )


# --- what has become due ---------------------------------------------------------------------------------------------


def plan_reminders(clinic: Clinic, *, at: datetime) -> int:
    """Put the reminders of one clinic that have become due into the outbox, each once; gives how many."""
    rules = [Rule(each.days_before, each.at_clock, each.recorded_at) for each in queries.times()]
    if not rules:
        return 0
    zone = ZoneInfo(clinic.zone)
    wanted = {}
    for appointment, agreed_at in queries.to_remind(at, at + timedelta(days=MOST_DAYS + 2)):
        # Not from its booking on: where an arrival was taken back, the patient was reminded before.
        since = max(appointment.status_at, agreed_at)
        rule = due(appointment.starts_at, rules, zone, since=since, now=at)
        if rule is not None:
            wanted[f"reminder/{appointment.id}/{rule.days_before}/{rule.at_clock:%H:%M}"] = appointment
    known = set(db.session.scalars(sa.select(OutboxMessage.once_key).where(OutboxMessage.once_key.in_(wanted))))
    made = [
        outbox.put(MessageKind.REMINDER, each.id, at=at, expires_at=each.starts_at, once_key=key)
        for key, each in wanted.items()
        if key not in known
    ]
    return len([message for message in made if message is not None])

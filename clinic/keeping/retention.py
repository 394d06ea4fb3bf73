"""What is past the clinic's periods, and the taking away of what may be taken away. Nothing goes by itself."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from clinic.accounts.models import Clinic, Invitation, LoginSession, PasskeyProof, Staff, StaffRole
from clinic.audit import operations as audit
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.idempotency import IdempotencyKey
from clinic.druglog.models import RegisterEntry
from clinic.keeping.models import LegalHold, RetentionPeriod
from clinic.keeping.retention_rules import (
    LEAST_DAYS,
    PURGED,
    PeriodUnit,
    RetentionClass,
    is_too_short,
    past_from,
)
from clinic.notes.models import Note
from clinic.notifications.models import OutboxMessage
from clinic.notifications.rules import MessageState
from clinic.patients.models import Patient
from clinic.scheduling.models import Appointment
from clinic.sessions.models import InfusionSession
from clinic.signatures.models import Signature


@dataclass(frozen=True, slots=True)
class Standing:
    """How one class stands: its period, the instant before which it is past, how much is past and how much is held."""

    kind: RetentionClass
    period: RetentionPeriod | None
    before: datetime | None
    past: int | None
    held: int

    @property
    def is_purged(self) -> bool:
        """Whether the command may take it away."""
        return self.kind in PURGED


# --- what the clinic says --------------------------------------------------------------------------------------------


def set_period(
    kind: RetentionClass, number: int | None, unit: PeriodUnit | None, *, reason: str, by: Staff, at: datetime
) -> RetentionPeriod:
    """Say how long something is kept; no number means that nothing of it is ever past."""
    if number is not None and unit is None:
        raise RuleBroken("Choose days or years", field="unit")
    if number is not None and unit is not None and is_too_short(number, unit):
        raise RuleBroken(f"At least {LEAST_DAYS} days: what is younger is still in use.", field="number")
    earlier = periods().get(kind)
    made = RetentionPeriod(
        kind=kind,
        number=number,
        unit=unit if number is not None else None,
        reason=reason,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(made)
    before = {"number": earlier.number, "unit": earlier.unit} if earlier else None
    after = {"number": made.number, "unit": made.unit}
    audit.record(
        AuditAction.RETENTION_SET, made, actor_id=by.id, at=at, kind=kind, before=before, after=after, reason=reason
    )
    return made


def hold(patient: Patient, *, is_held: bool, reason: str, by: Staff, at: datetime) -> LegalHold:
    """Put a patient's record under a legal hold, or end it."""
    if is_on_hold(patient.id) == is_held:
        raise RuleBroken("The record is held already." if is_held else "The record is not held.")
    made = LegalHold(patient_id=patient.id, is_held=is_held, reason=reason, recorded_at=at, recorded_by_id=by.id)
    db.session.add(made)
    audit.record(AuditAction.HOLD_CHANGED, made, actor_id=by.id, at=at, is_held=is_held)
    return made


def periods() -> dict[RetentionClass, RetentionPeriod]:
    """The period that counts for each class which has had one."""
    rows = db.session.scalars(sa.select(RetentionPeriod).order_by(RetentionPeriod.recorded_at, RetentionPeriod.id))
    return {row.kind: row for row in rows}


def holds(patient_id: uuid.UUID) -> list[LegalHold]:
    """When a patient's record was put under a hold and when not any more, the latest first."""
    asked = sa.select(LegalHold).where(LegalHold.patient_id == patient_id)
    return list(db.session.scalars(asked.order_by(LegalHold.recorded_at.desc(), LegalHold.id.desc())))


def is_on_hold(patient_id: uuid.UUID) -> bool:
    """Whether a patient's record is held."""
    return any(row.is_held for row in holds(patient_id)[:1])


def _held() -> sa.Select[Any]:
    later = aliased(LegalHold)
    is_later = sa.tuple_(later.recorded_at, later.id) > sa.tuple_(LegalHold.recorded_at, LegalHold.id)
    has_later = sa.exists().where(later.patient_id == LegalHold.patient_id, is_later)
    return sa.select(LegalHold.patient_id).where(LegalHold.is_held, ~has_later)


# --- what is past ----------------------------------------------------------------------------------------------------


def report(clinic: Clinic, *, at: datetime) -> list[Standing]:
    """How every class stands."""
    said = periods()
    return [_standing(kind, said.get(kind), clinic, at) for kind in RetentionClass]


def _standing(kind: RetentionClass, period: RetentionPeriod | None, clinic: Clinic, at: datetime) -> Standing:
    if period is None or period.number is None or period.unit is None:
        return Standing(kind, period, None, None, 0)
    before = past_from(period.number, period.unit, at)
    past = _count(_PAST[kind](clinic, before))
    held = _count(_HELD[kind](before)) if kind in _HELD else 0
    return Standing(kind, period, before, past, held)


def _count(asked: sa.Select[Any]) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(asked.subquery())) or 0


def _old_patients(before: datetime) -> sa.Select[Any]:
    """Whoever has had no visit, no note and no signature since."""
    since = (
        sa.select(Appointment.id).where(Appointment.patient_id == Patient.id, Appointment.ends_at >= before),
        sa.select(InfusionSession.id).where(
            InfusionSession.patient_id == Patient.id, InfusionSession.arrived_at >= before
        ),
        sa.select(Note.id).where(Note.patient_id == Patient.id, Note.saved_at >= before),
        sa.select(Signature.id).where(Signature.patient_id == Patient.id, Signature.signed_at >= before),
    )
    return sa.select(Patient.id).where(Patient.created_at < before, *(~asked.exists() for asked in since))


def _record(_clinic: Clinic, before: datetime) -> sa.Select[Any]:
    return _old_patients(before).where(Patient.id.not_in(_held()))


def _trail(clinic: Clinic, before: datetime) -> sa.Select[Any]:
    return sa.select(AuditEntry.id).where(AuditEntry.clinic_id == clinic.id, AuditEntry.at < before)


def _register(_clinic: Clinic, before: datetime) -> sa.Select[Any]:
    return sa.select(RegisterEntry.id).where(RegisterEntry.recorded_at < before)


def _old_messages(before: datetime) -> sa.Select[Any]:
    return sa.select(OutboxMessage.id).where(
        OutboxMessage.state == MessageState.SENT, OutboxMessage.sent_at < before, OutboxMessage.body.is_not(None)
    )


def _about_held() -> sa.Select[Any]:
    return sa.select(Appointment.id).where(Appointment.patient_id.in_(_held()))


def _messages(_clinic: Clinic, before: datetime) -> sa.Select[Any]:
    return _old_messages(before).where(OutboxMessage.about_id.not_in(_about_held()))


def _sign_ins(clinic: Clinic, before: datetime) -> sa.Select[Any]:
    # None lives longer than a day, whether somebody ended it or not.
    return sa.select(LoginSession.id).where(LoginSession.clinic_id == clinic.id, LoginSession.started_at < before)


def _only_here(clinic: Clinic) -> sa.Select[Any]:
    """Whoever works in this clinic and in no other: nobody else's periods are to be kept."""
    role = StaffRole.__table__
    elsewhere = sa.select(role.c.staff_id).where(role.c.clinic_id != clinic.id)
    return sa.select(role.c.staff_id).where(role.c.clinic_id == clinic.id, role.c.staff_id.not_in(elsewhere))


def _links(clinic: Clinic, before: datetime) -> sa.Select[Any]:
    return sa.select(Invitation.id).where(Invitation.expires_at < before, Invitation.staff_id.in_(_only_here(clinic)))


def _keys(clinic: Clinic, before: datetime) -> sa.Select[Any]:
    of_ours = IdempotencyKey.actor_id.in_(_only_here(clinic))
    return sa.select(IdempotencyKey.id).where(IdempotencyKey.saved_at < before, of_ours)


_PAST = {
    RetentionClass.RECORD: _record,
    RetentionClass.TRAIL: _trail,
    RetentionClass.REGISTER: _register,
    RetentionClass.MESSAGES: _messages,
    RetentionClass.SIGN_INS: _sign_ins,
    RetentionClass.LINKS: _links,
    RetentionClass.KEYS: _keys,
}
_HELD = {
    RetentionClass.RECORD: lambda before: _old_patients(before).where(Patient.id.in_(_held())),
    RetentionClass.MESSAGES: lambda before: _old_messages(before).where(OutboxMessage.about_id.in_(_about_held())),
}


# --- what is taken away ----------------------------------------------------------------------------------------------


def purge(clinic: Clinic, *, at: datetime) -> dict[RetentionClass, int]:
    """Take away what is past its period and may go: gives how much of each class.

    Of messages the words and the address go; that one was sent, when and about what, stays.
    """
    gone = {}
    for standing in report(clinic, at=at):
        if standing.is_purged and standing.before is not None and standing.past:
            gone[standing.kind] = standing.past
            _take_away(standing.kind, _PAST[standing.kind](clinic, standing.before))
    if gone:
        audit.record(AuditAction.RETENTION_PURGED, clinic, actor_id=None, at=at, clinic_id=clinic.id, gone=gone)
    return gone


def _take_away(kind: RetentionClass, past: sa.Select[Any]) -> None:
    keys = db.session.scalars(past).all()
    for start in range(0, len(keys), 500):
        some = keys[start : start + 500]
        if kind is RetentionClass.MESSAGES:
            of_these = sa.update(OutboxMessage).where(OutboxMessage.id.in_(some))
            db.session.execute(of_these.values(to_address=None, subject=None, body=None))
        elif kind is RetentionClass.SIGN_INS:
            open_ones = sa.update(LoginSession).where(LoginSession.id.in_(some), LoginSession.ended_at.is_(None))
            db.session.execute(open_ones.values(ended_at=LoginSession.seen_at))
            db.session.execute(sa.delete(PasskeyProof).where(PasskeyProof.login_id.in_(some)))
            db.session.execute(sa.delete(LoginSession).where(LoginSession.id.in_(some)))
        else:
            model = Invitation if kind is RetentionClass.LINKS else IdempotencyKey
            db.session.execute(sa.delete(model).where(model.id.in_(some)))

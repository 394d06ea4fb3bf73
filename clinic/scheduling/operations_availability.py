"""Write down when a patient can come, and take it back. Nobody is moved by it: what stands outside is shown."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.rows import following
from clinic.patients.models import Patient
from clinic.scheduling import queries_availability
from clinic.scheduling.availability_rules import MINUTES_OF_A_DAY, refusal
from clinic.scheduling.locking import lock_in_order
from clinic.scheduling.models_availability import PatientHours
from clinic.scheduling.operations_hours import settle_own_clock


@dataclass(frozen=True, slots=True)
class Said:
    """What a patient says about days and hours."""

    is_free: bool
    from_on: date
    until_on: date | None = None
    weekdays: tuple[int, ...] | None = None
    from_min: int | None = None
    until_min: int | None = None
    note: str | None = None


def say(patient: Patient, said: Said, *, by: Staff, at: datetime) -> PatientHours:
    """Add what a patient said. Bookings of this patient wait for it, and the database judges them by it."""
    problem = refusal([said])
    if problem:
        raise RuleBroken(problem, field="until_on" if "day" in problem else "until_time")
    if said.until_min is not None and said.until_min > MINUTES_OF_A_DAY:
        raise RuleBroken("It ends on the same day.", field="until_time")
    settle_own_clock()  # the database must know the wall's time
    lock_in_order(patients={patient.id})
    made = PatientHours(
        patient_id=patient.id,
        is_free=said.is_free,
        weekdays=_sorted(said.weekdays),
        from_min=said.from_min,
        until_min=said.until_min,
        from_on=said.from_on,
        until_on=said.until_on,
        note=(said.note or "").strip() or None,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(made)
    db.session.flush()  # the audit line follows what was kept
    _record(made, by=by, at=at)
    return made


def take_back(said: PatientHours, *, reason: str, by: Staff, at: datetime) -> None:
    """It no longer holds; the row stays with the reason."""
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    lock_in_order(patients={said.patient_id})
    if queries_availability.row(said.id) is None:
        raise RuleBroken("This was taken back already.")
    void = following(said, reason=reason.strip(), by_id=by.id, at=at, is_void=True)
    db.session.add(void)
    db.session.flush()  # the audit line follows what was kept
    _record(void, by=by, at=at)


def _sorted(weekdays: Collection[int] | None) -> tuple[int, ...] | None:
    return tuple(sorted(set(weekdays))) if weekdays else None


def _record(row: PatientHours, *, by: Staff, at: datetime) -> None:
    audit.record(
        AuditAction.PATIENT_HOURS_CHANGED,
        row,
        actor_id=by.id,
        at=at,
        is_free=row.is_free,
        weekdays=list(row.weekdays or ()),
        from_min=row.from_min,
        until_min=row.until_min,
        from_on=row.from_on,
        until_on=row.until_on,
        supersedes_id=row.supersedes_id,
        reason=row.correction_reason,
    )

"""What happens to an appointment that stands: its state, its nurse, its pump."""

import uuid
from contextlib import suppress
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken, broken_constraint
from clinic.scheduling import notices
from clinic.scheduling.locking import lock
from clinic.scheduling.models import Appointment, LostReason, Pump
from clinic.scheduling.operations_override import Override, record_override, refuse_override
from clinic.scheduling.rules import (
    NURSE_RULES,
    TAKE_OVER_RULES,
    AppointmentStatus,
    BookingRule,
    clash_text,
    may_become,
    rules_in,
)


class NurseRefused(RuleBroken):
    """A nurse cannot have an appointment; `rule` is what refused, where a clinic may let its people override it."""

    def __init__(self, constraint: str, nurse: Staff | None) -> None:
        super().__init__(clash_text(constraint, nurse_name=nurse.name if nurse else ""), field="nurse_id")
        self.rule = BookingRule(constraint) if constraint in set(BookingRule) else None


def record_appointment(
    action: AuditAction, appointment: Appointment, *, by: Staff | None, at: datetime, **more: object
) -> None:
    """Write a line about an appointment, as it stands now, and the news for the patient. Nobody: the patient did it."""
    audit.record(
        action,
        appointment,
        actor_id=by.id if by else None,
        at=at,
        session_number=appointment.session_number,
        chair_id=appointment.chair_id,
        nurse_id=appointment.nurse_id,
        pump_id=appointment.pump_id,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        status=appointment.status,
        details=more,
    )
    notices.tell(action, appointment, at=at)


def change_status(
    appointment: Appointment,
    status: AppointmentStatus,
    *,
    by: Staff | None,
    at: datetime,
    reason: str | None = None,
    listed: LostReason | None = None,
) -> None:
    """Take an appointment to its next state by the table; a cancelled or missed one says why.

    Why is one of the clinic's own reasons (`listed`), own words, or both.
    """
    if not may_become(appointment.status, status):
        raise RuleBroken(f"This appointment is {appointment.status.value}; it cannot become {status.value}.")
    reason = (reason or "").strip() or (listed.text if listed else None)
    if status in {AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW} and reason is None:
        raise RuleBroken("Say why.", field="reason")
    was = appointment.status
    appointment.status = status
    appointment.status_reason = reason
    appointment.lost_reason_id = listed.id if listed else None
    appointment.status_at = at
    db.session.flush()  # a clash or a stale version shows here
    record_appointment(AuditAction.APPOINTMENT_STATUS_CHANGED, appointment, by=by, at=at, was=was.value, reason=reason)


def hold_again(appointment: Appointment, ends_at: datetime | None, *, by: Staff, at: datetime) -> None:
    """Take back that an appointment is over: the patient is still here, until `ends_at` where that time was freed.

    Where somebody else was given the freed time meanwhile, that booking stays: the session runs over, as others do.
    """
    if ends_at is not None:
        with suppress(IntegrityError), db.session.begin_nested():
            appointment.ends_at = ends_at
            db.session.flush()  # a clash shows here
    change_status(appointment, AppointmentStatus.ARRIVED, by=by, at=at)


def cancel(
    appointment: Appointment, *, reason: str | None, by: Staff, at: datetime, listed: LostReason | None = None
) -> None:
    """Give up a booked time."""
    change_status(appointment, AppointmentStatus.CANCELLED, reason=reason, listed=listed, by=by, at=at)


def mark_no_show(
    appointment: Appointment, *, reason: str | None, by: Staff, at: datetime, listed: LostReason | None = None
) -> None:
    """The patient did not attend; not before the appointed time."""
    if at < appointment.starts_at:
        raise RuleBroken("The appointed time has not come yet.")
    change_status(appointment, AppointmentStatus.NO_SHOW, reason=reason, listed=listed, by=by, at=at)


def assign_nurse(
    appointment: Appointment,
    nurse: Staff | None,
    *,
    by: Staff,
    at: datetime,
    override: Override | None = None,
    freed_from: uuid.UUID | None = None,
) -> None:
    """Give an appointment to a nurse, unless the clinic's rules about nurses refuse it.

    `freed_from` is the nurse who had it, where the same act has set her free already.
    """
    if nurse is not None:
        lock(Staff, {nurse.id})
    refuse_override(override, by=by)
    _give(appointment, nurse, override, by=by, at=at, freed_from=freed_from)
    if override is not None:
        record_override(appointment, by=by, at=at)


def take_over(appointment: Appointment, nurse: Staff, *, by: Staff, at: datetime) -> None:
    """Give a patient who is here to the nurse who has taken over. It has happened, so no limit refuses it.

    A limit that it goes beyond is named on the appointment and in the trail.
    """
    lock(Staff, {nurse.id})
    _give(appointment, nurse, Override(TAKE_OVER_RULES, "Handed over at the bedside"), by=by, at=at)
    if is_beyond(appointment):
        record_override(appointment, by=by, at=at)


def is_beyond(appointment: Appointment) -> bool:
    """Whether the nurse has more patients with this one than the clinic's limits allow, and somebody said so."""
    return bool(rules_in(appointment.override_rules) & TAKE_OVER_RULES)


def _give(
    appointment: Appointment,
    nurse: Staff | None,
    override: Override | None,
    *,
    by: Staff,
    at: datetime,
    freed_from: uuid.UUID | None = None,
) -> None:
    was = freed_from or appointment.nurse_id
    since = at if appointment.status is AppointmentStatus.ARRIVED else None
    # What was set aside for the nurse before says nothing about this one.
    kept = rules_in(appointment.override_rules) - NURSE_RULES
    before = [appointment.override_reason] if kept else []
    while True:
        try:
            with db.session.begin_nested():
                appointment.nurse, appointment.nurse_since = nurse, since
                appointment.override_rules = f" {' '.join(sorted(kept))} " if kept else None
                db.session.flush()
        except IntegrityError as error:
            constraint = broken_constraint(error)
            if override is None or constraint not in override.rules or constraint in kept:
                raise NurseRefused(constraint, nurse) from error
            kept = kept | {BookingRule(constraint)}
            appointment.override_reason = "; ".join(filter(None, [*before, override.reason.strip()]))
            appointment.overridden_by_id = by.id
        else:
            break
    record_appointment(AuditAction.APPOINTMENT_MOVED, appointment, by=by, at=at, was_nurse_id=str(was) if was else None)


def assign_pump(appointment: Appointment, pump: Pump | None, *, by: Staff, at: datetime) -> None:
    """Hold a pump with a booked appointment, or none."""
    if appointment.status is not AppointmentStatus.BOOKED:
        raise RuleBroken("Only a booked appointment can be changed here.", field="pump_id")
    if pump is not None:
        lock(Pump, {pump.id})
        db.session.refresh(pump, ["is_retired"])  # another desk may have retired it meanwhile
        if pump.is_retired:
            raise RuleBroken(f"Pump {pump.name} is no longer in use.", field="pump_id")
    was = appointment.pump_id
    try:
        with db.session.begin_nested():
            appointment.pump = pump
            db.session.flush()
    except IntegrityError as error:
        name = pump.name if pump else ""
        raise RuleBroken(clash_text(broken_constraint(error), pump_name=name), field="pump_id") from error
    record_appointment(AuditAction.APPOINTMENT_MOVED, appointment, by=by, at=at, was_pump_id=str(was) if was else None)

"""When patients can come, for whoever looks for a time: windows of the wall in slots, and what stands outside."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from clinic.core import db, formats, times
from clinic.scheduling import queries_availability
from clinic.scheduling.availability_rules import PatientTime, can_come, free_spans
from clinic.scheduling.frame import SLOT
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import HOLDING

Windows = tuple[tuple[int, int], ...]


def said_by(patient_id: uuid.UUID) -> Sequence[PatientTime]:
    """What is said of one patient."""
    return queries_availability.hours_of([patient_id]).get(patient_id, ())


def within(windows: Windows, said: Sequence[PatientTime], on: date) -> Windows:
    """The windows of a day, in slots, that lie whole in the patient's time."""
    spans = free_spans(said, on) if said else None
    if spans is None:
        return windows
    free = [(-(-start // SLOT), end // SLOT) for start, end in spans]
    return tuple(window for window in windows if any(start <= window[0] and window[1] <= end for start, end in free))


def fits(said: Sequence[PatientTime], starts_at: datetime, ends_at: datetime) -> bool:
    """Whether a visit lies in the patient's time."""
    wall = times.local(starts_at, formats.zone.get())
    start = wall.hour * 60 + wall.minute
    return can_come(said, wall.date(), start, start + -(-int((ends_at - starts_at).total_seconds()) // 60))


def standing_outside(patient_id: uuid.UUID, said: Sequence[PatientTime], *, at: datetime) -> list[Appointment]:
    """The booked appointments of a patient that do not fit what is said now: they stay until somebody moves them."""
    if not said:
        return []
    rows: Iterable[Appointment] = db.session.scalars(
        sa.select(Appointment)
        .where(Appointment.patient_id == patient_id, Appointment.starts_at > at, Appointment.status.in_(HOLDING))
        .options(joinedload(Appointment.chair), joinedload(Appointment.patient))
        .order_by(Appointment.starts_at)
    )
    return [each for each in rows if not fits(said, each.starts_at, each.ends_at)]

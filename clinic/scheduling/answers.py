"""A patient's answers about appointments: kept as they came, shown where the appointment stands."""

import uuid
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.scheduling.models import Appointment
from clinic.scheduling.models_answers import AppointmentAnswer
from clinic.scheduling.operations_standing import change_status
from clinic.scheduling.rules import AppointmentStatus
from clinic.scheduling.rules_answers import CANCELLED_BY_PATIENT, AnswerKind


def answer(appointment: Appointment, kind: AnswerKind, *, at: datetime) -> None:
    """Keep what the patient answered; giving the time back cancels the appointment and frees its place.

    Nobody of the staff did it, and the trail says so. Raises RuleBroken once the time has come or the appointment is
    no longer booked.
    """
    if appointment.status is not AppointmentStatus.BOOKED or appointment.starts_at <= at:
        raise RuleBroken("This appointment can no longer be answered.")
    db.session.add(AppointmentAnswer(appointment_id=appointment.id, answer=kind, answered_at=at))
    audit.record(AuditAction.APPOINTMENT_ANSWERED, appointment, actor_id=None, at=at, answer=kind)
    if kind is AnswerKind.CANCELLED:
        change_status(appointment, AppointmentStatus.CANCELLED, reason=CANCELLED_BY_PATIENT, by=None, at=at)


def answers_to(appointment_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, AppointmentAnswer]:
    """The last answer to each of these, in one read."""
    found = db.session.scalars(
        sa.select(AppointmentAnswer)
        .where(AppointmentAnswer.appointment_id.in_(set(appointment_ids)))
        .order_by(AppointmentAnswer.answered_at, AppointmentAnswer.id)
    )
    return {row.appointment_id: row for row in found}


def given_back(start: datetime, end: datetime) -> int:
    """How many patients gave back a time that would have begun between these instants."""
    found = (
        sa.select(sa.func.count())
        .select_from(AppointmentAnswer)
        .join(Appointment, Appointment.id == AppointmentAnswer.appointment_id)
    )
    return (
        db.session.scalar(
            found.where(
                AppointmentAnswer.answer == AnswerKind.CANCELLED,
                Appointment.starts_at >= start,
                Appointment.starts_at < end,
            )
        )
        or 0
    )

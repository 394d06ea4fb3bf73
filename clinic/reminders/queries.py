"""Named reads about mail to patients."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from clinic.accounts.models import Clinic
from clinic.core import db
from clinic.courses.models import Course
from clinic.protocols.models import Drug, Protocol, ProtocolVersion, Terms
from clinic.reminders.models import MailAgreement, ReminderText, ReminderTime
from clinic.scheduling.models import Appointment, Chair
from clinic.scheduling.rules import AppointmentStatus

_R = TypeVar("_R", MailAgreement, ReminderTime, ReminderText)


def _standing(table: type[_R]) -> sa.Select[_R]:
    later = aliased(table)
    return sa.select(table).where(table.is_void.is_(False), ~sa.exists().where(later.supersedes_id == table.id))


def agreement(patient_id: uuid.UUID) -> MailAgreement | None:
    """Where a patient agreed to be written to."""
    found = _standing(MailAgreement).where(MailAgreement.patient_id == patient_id)
    return db.session.scalar(found.options(joinedload(MailAgreement.recorded_by)))


def times() -> list[ReminderTime]:
    """When reminders go out, the earliest first."""
    order = (ReminderTime.days_before.desc(), ReminderTime.at_clock)
    return list(db.session.scalars(_standing(ReminderTime).order_by(*order)))


def texts() -> list[ReminderText]:
    """What reminders say."""
    return list(db.session.scalars(_standing(ReminderText).order_by(ReminderText.kind, ReminderText.recorded_at)))


def time(time_id: uuid.UUID) -> ReminderTime | None:
    """One time in force."""
    return db.session.scalar(_standing(ReminderTime).where(ReminderTime.id == time_id))


def text(text_id: uuid.UUID) -> ReminderText | None:
    """One text in force."""
    return db.session.scalar(_standing(ReminderText).where(ReminderText.id == text_id))


def protocols() -> dict[uuid.UUID, str]:
    """The clinic's protocols by name."""
    found = db.session.execute(sa.select(Protocol.id, Protocol.name).order_by(Protocol.name))
    return {key: name for key, name in found}  # noqa: C416 a row is not yet a pair to the type checker


def drug_names() -> list[str]:
    """The names in the clinic's formulary."""
    return list(db.session.scalars(sa.select(Drug.name).distinct().order_by(Drug.name)))


def protocol_of(appointment: Appointment) -> tuple[uuid.UUID, str]:
    """The protocol that the appointment's course began with, and its drug."""
    row = db.session.execute(
        sa.select(ProtocolVersion.protocol_id, Drug.name)
        .join(Course, Course.protocol_version_id == ProtocolVersion.id)
        .join(Terms, Terms.id == ProtocolVersion.terms_id)
        .join(Drug, Drug.id == Terms.drug_id)
        .where(Course.id == appointment.course_id)
    ).one()
    return row[0], row[1]


def appointment(appointment_id: uuid.UUID) -> Appointment | None:
    """An appointment with what a mail needs of it."""
    return db.session.scalar(
        sa.select(Appointment)
        .where(Appointment.id == appointment_id)
        .options(
            joinedload(Appointment.patient),
            joinedload(Appointment.course),
            joinedload(Appointment.chair).joinedload(Chair.site),
        )
    )


def clinic_of_appointment(appointment_id: uuid.UUID) -> Clinic | None:
    """The clinic of an appointment, for somebody who holds its link and no sign-in."""
    return db.session.scalar(
        sa.select(Clinic)
        .join(Appointment, Appointment.clinic_id == Clinic.id)
        .where(Appointment.id == appointment_id)
        .execution_options(unscoped=True)
    )


def clinics() -> list[Clinic]:
    """Every clinic of the installation."""
    return list(db.session.scalars(sa.select(Clinic).order_by(Clinic.name)))


def to_remind(start: datetime, end: datetime) -> list[tuple[Appointment, datetime]]:
    """Booked appointments that begin in a time, whose patients agreed to be written to, each with since when."""
    later = aliased(MailAgreement)
    rows = db.session.execute(
        sa.select(Appointment, MailAgreement.recorded_at)
        .join(MailAgreement, MailAgreement.patient_id == Appointment.patient_id)
        .where(
            Appointment.status == AppointmentStatus.BOOKED,
            Appointment.starts_at > start,
            Appointment.starts_at < end,
            MailAgreement.is_void.is_(False),
            ~sa.exists().where(later.supersedes_id == MailAgreement.id),
        )
        .order_by(Appointment.starts_at)
    )
    return [(row[0], row[1]) for row in rows]


def appointments_by_id(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, Appointment]:
    """Appointments with their patients, in one read."""
    found = sa.select(Appointment).where(Appointment.id.in_(set(keys))).options(joinedload(Appointment.patient))
    return {each.id: each for each in db.session.scalars(found)}

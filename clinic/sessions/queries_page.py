"""Small reads that only the pages of a session need: what is booked, what is next, whether anything is new."""

import uuid
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.courses.models import Course
from clinic.protocols.models import Drug, ProtocolVersion, Terms
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import AppointmentStatus
from clinic.sessions.models import AdverseEvent, DoubleCheck, InfusionSession, ObservationSet, RateProposal


def planned_drugs(course_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, tuple[str, int | None]]:
    """Return, for each course, its drug and how many sessions its protocol plans, in one read for a whole board."""
    rows = db.session.execute(
        sa.select(Course.id, Drug.name, Terms.sessions_planned)
        .join(ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id)
        .join(Terms, Terms.id == ProtocolVersion.terms_id)
        .join(Drug, Drug.id == Terms.drug_id)
        .where(Course.id.in_(list(course_ids)))
    )
    return {course_id: (name, planned) for course_id, name, planned in rows}


def next_of_course(course_id: uuid.UUID, after: datetime) -> Appointment | None:
    """Return the next booked appointment of a course."""
    return db.session.scalar(
        sa.select(Appointment)
        .where(
            Appointment.course_id == course_id,
            Appointment.starts_at > after,
            Appointment.status == AppointmentStatus.BOOKED,
        )
        .options(joinedload(Appointment.chair))
        .order_by(Appointment.starts_at)
        .limit(1)
    )


def next_day_booked(after: datetime) -> Appointment | None:
    """Return the first booked appointment after an instant, for an empty day."""
    return db.session.scalar(
        sa.select(Appointment)
        .where(Appointment.starts_at > after, Appointment.status == AppointmentStatus.BOOKED)
        .options(joinedload(Appointment.chair), joinedload(Appointment.patient))
        .order_by(Appointment.starts_at)
        .limit(1)
    )


# Looking at a record leaves a line too, but is no news.
_LOOKS = [
    action for action in AuditAction if action.value.rsplit(":", maxsplit=1)[-1] in {"read", "printed", "searched"}
]


def news_of_clinic(since: datetime) -> str:
    """Return a mark that changes with every act in the clinic since an instant: each leaves a line in the trail."""
    return _news(AuditEntry.clinic_id == db.current_clinic_id(), since)


def news_of_patient(patient_id: uuid.UUID, since: datetime) -> str:
    """Return a mark that changes with every act about a patient since an instant."""
    return _news(AuditEntry.patient_id == patient_id, since)


def _news(about: sa.ColumnElement[bool], since: datetime) -> str:
    # Counted, not the newest alone: of two acts the one that began first may be committed last.
    lines = sa.select(sa.func.count(), sa.func.max(AuditEntry.at))
    count, newest = db.session.execute(
        lines.where(about, AuditEntry.at >= since, AuditEntry.action.not_in(_LOOKS))
    ).one()
    return f"{count} {newest}"


def observation(observation_id: uuid.UUID) -> ObservationSet | None:
    """Return one set of vitals of this clinic."""
    return db.session.get(ObservationSet, observation_id)


def adverse_event(event_id: uuid.UUID) -> AdverseEvent | None:
    """Return one adverse event of this clinic."""
    return db.session.get(AdverseEvent, event_id)


def proposal(proposal_id: uuid.UUID) -> RateProposal | None:
    """Return one rate that was read from a pump."""
    return db.session.get(RateProposal, proposal_id)


def double_check(check_id: uuid.UUID) -> DoubleCheck | None:
    """Return one double check of this clinic."""
    return db.session.get(DoubleCheck, check_id)


def bare(infusion_id: uuid.UUID) -> InfusionSession | None:
    """Return a session of this clinic without its rows."""
    return db.session.get(InfusionSession, infusion_id)

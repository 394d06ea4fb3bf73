"""Named reads of sessions, each with all its rows in a number of queries that does not grow with them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, lazyload
from sqlalchemy.orm.interfaces import ORMOption

from clinic.accounts.models import Staff
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.loading import fill, point
from clinic.courses.models import Course
from clinic.orders.models import Order, OrderVersion, VerbalOrder
from clinic.protocols.models import Terms
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import AppointmentStatus
from clinic.sessions.event_rules import SessionEventKind
from clinic.sessions.models import (
    AdministrationEvent,
    AdverseEvent,
    Discharge,
    DischargeAssessment,
    DoubleCheck,
    GateAnswer,
    HandOverOffer,
    InfusionSession,
    IvRecord,
    ObservationNotDone,
    ObservationSet,
    PrnDose,
    RateProposal,
    SessionEvent,
)
from clinic.sessions.progress import Progress, breaches_of, current, progress, pump_events, reading_of, weight_kg
from clinic.sessions.rules import SessionStatus

__all__ = [
    "BoardRow",
    "Progress",
    "board",
    "breaches_of",
    "current",
    "flowsheet",
    "infusion_of_appointment",
    "of_course",
    "of_nurse_now",
    "progress",
    "pump_events",
    "reading_of",
    "weight_kg",
]


# Made once: to make one takes as long as the statement that it stands in.
_LATER_OFFER, _TAKEN, _LATER_DISCHARGE = aliased(HandOverOffer), aliased(SessionEvent), aliased(Discharge)

EntryT = TypeVar("EntryT", AdministrationEvent, AdverseEvent, PrnDose, SessionEvent)


def _person(*path: Any) -> ORMOption:
    """Load a person with the row; roles are not asked for on a sheet."""
    loader = joinedload(path[0])
    for step in path[1:]:
        loader = loader.joinedload(step)
    return loader.lazyload(Staff.grants)


def _joined() -> list[ORMOption]:
    """What stands beside a session, one of each."""
    return [
        joinedload(InfusionSession.order_version).joinedload(OrderVersion.order),
        joinedload(InfusionSession.weight),
        joinedload(InfusionSession.patient),
        joinedload(InfusionSession.chair),
        _person(InfusionSession.nurse),
        _person(InfusionSession.supervising),
    ]


def _fill_for_progress(infusions: Sequence[InfusionSession]) -> None:
    """Load what `progress` computes from."""
    orders = {infusion.order_version.order_id: infusion.order_version.order for infusion in infusions}
    # Vitals are judged by the version that was in force then.
    versions = fill(list(orders.values()), Order.versions, joinedload(OrderVersion.terms))
    terms = list({version.terms_id: version.terms for version in versions}.values())
    for many in (Terms.limits, Terms.phases, Terms.prn_items, Terms.checks):
        fill(terms, many)
    fill(infusions, InfusionSession.prn_doses, joinedload(PrnDose.prn_item))
    fill(infusions, InfusionSession.gate_answers, joinedload(GateAnswer.check_item))
    for rows in (
        InfusionSession.transitions,
        InfusionSession.administrations,
        InfusionSession.observation_sets,
        InfusionSession.not_done,
        InfusionSession.adoptions,
    ):
        fill(infusions, rows)


def _fill_for_sheet(infusion: InfusionSession) -> None:
    """Load what the flowsheet shows besides: the checks, the events, and who wrote each row."""
    proposals = fill([infusion], InfusionSession.rate_proposals)
    checks = fill(proposals, RateProposal.double_checks)
    point(DoubleCheck, (infusion.administrations, AdministrationEvent.double_check))
    point(VerbalOrder, (infusion.administrations, AdministrationEvent.verbal_order))
    events = fill([infusion], InfusionSession.events)
    offers = fill([infusion], InfusionSession.offers)
    point(
        Staff,
        (infusion.gate_answers, GateAnswer.recorded_by),
        (infusion.administrations, AdministrationEvent.recorded_by),
        (infusion.prn_doses, PrnDose.recorded_by),
        (infusion.observation_sets, ObservationSet.recorded_by),
        (proposals, RateProposal.recorded_by),
        (checks, DoubleCheck.checker),
        (events, SessionEvent.recorded_by),
        (events, SessionEvent.person),
        (offers, HandOverOffer.recorded_by),
        (offers, HandOverOffer.to),
        (fill([infusion], InfusionSession.iv_records), IvRecord.recorded_by),
        (infusion.not_done, ObservationNotDone.recorded_by),
        (fill([infusion], InfusionSession.adverse_events), AdverseEvent.recorded_by),
        (fill([infusion], InfusionSession.discharge_assessments), DischargeAssessment.recorded_by),
        (left := fill([infusion], InfusionSession.discharges), Discharge.recorded_by),
        (left, Discharge.override_by),
        options=[lazyload(Staff.grants)],
    )


def flowsheet(infusion_id: uuid.UUID) -> InfusionSession | None:
    """One session with everything its sheet, its checks, its chart and its print show."""
    infusion = db.session.scalar(
        sa.select(InfusionSession)
        .where(InfusionSession.id == infusion_id)
        .options(
            *_joined(),
            joinedload(InfusionSession.appointment),
            joinedload(InfusionSession.drug_account),
            joinedload(InfusionSession.course).joinedload(Course.physician).lazyload(Staff.grants),
        )
        .execution_options(populate_existing=True)
    )
    if infusion is not None:
        _fill_for_progress([infusion])
        _fill_for_sheet(infusion)
    return infusion


def infusion_of_appointment(appointment_id: uuid.UUID) -> InfusionSession | None:
    """The session that an appointment became, or None before the patient arrived."""
    return db.session.scalar(sa.select(InfusionSession).where(InfusionSession.appointment_id == appointment_id))


def of_account(account_id: uuid.UUID) -> InfusionSession | None:
    """The session that a drug account belongs to."""
    return db.session.scalar(sa.select(InfusionSession).where(InfusionSession.drug_account_id == account_id))


def of_course(course_id: uuid.UUID) -> list[InfusionSession]:
    """The sessions of a course with what `progress` computes from, earliest first."""
    found = db.session.scalars(
        sa.select(InfusionSession)
        .where(InfusionSession.course_id == course_id)
        .options(*_joined())
        .order_by(InfusionSession.arrived_at)
    ).all()
    _fill_for_progress(found)
    return list(found)


def session_before(infusion: InfusionSession) -> InfusionSession | None:
    """The session of the same course before this one in which something was infused, as `of_course` loads it."""
    started = sa.exists().where(AdministrationEvent.infusion_id == InfusionSession.id).correlate(InfusionSession)
    found = db.session.scalar(
        sa.select(InfusionSession)
        .where(
            InfusionSession.course_id == infusion.course_id,
            InfusionSession.arrived_at < infusion.arrived_at,
            started,
        )
        .options(*_joined())
        .order_by(InfusionSession.arrived_at.desc())
        .limit(1)
    )
    if found is not None:
        _fill_for_progress([found])
        fill([found], InfusionSession.adverse_events)
    return found


def of_nurse_now(nurse_id: uuid.UUID) -> list[InfusionSession]:
    """The open sessions that a nurse runs, for the switch between patients."""
    is_open = [status for status in SessionStatus if status.is_open]
    return list(
        db.session.scalars(
            sa.select(InfusionSession)
            .where(InfusionSession.nurse_id == nurse_id, InfusionSession.status.in_(is_open))
            .options(joinedload(InfusionSession.patient), joinedload(InfusionSession.chair))
            .order_by(InfusionSession.arrived_at)
        )
    )


def offered_to(nurse: Staff) -> dict[uuid.UUID, str]:
    """The sessions that are offered to a nurse and not taken over yet, each with who offers it."""
    newest = ~sa.exists().where(
        _LATER_OFFER.infusion_id == HandOverOffer.infusion_id, _LATER_OFFER.recorded_at > HandOverOffer.recorded_at
    )
    waits = ~sa.exists().where(
        _TAKEN.infusion_id == HandOverOffer.infusion_id,
        _TAKEN.kind == SessionEventKind.HAND_OVER,
        _TAKEN.recorded_at >= HandOverOffer.recorded_at,
    )
    found = db.session.scalars(
        sa.select(HandOverOffer)
        .where(HandOverOffer.to_id == nurse.id, newest, waits)
        .options(joinedload(HandOverOffer.recorded_by).lazyload(Staff.grants))
    )
    return {offer.infusion_id: offer.recorded_by.name for offer in found}


@dataclass(frozen=True)
class BoardRow:
    """An appointment of the day and, once the patient has arrived, its session and how far it has come."""

    appointment: Appointment
    infusion: InfusionSession | None
    progress: Progress | None


def board(day_start: datetime, day_end: datetime, *, now: datetime, is_clinical: bool = True) -> list[BoardRow]:
    """The day's appointments by chair and time, cancelled and missed ones too.

    With `is_clinical` false (the desk) sessions are loaded without order, drug, vitals or pump: `progress` is None.
    """
    appointments = _appointments(day_start, day_end)
    ids = [appointment.id for appointment in appointments]
    found = db.session.scalars(
        sa.select(InfusionSession)
        .where(InfusionSession.appointment_id.in_(ids))
        .options(*(_joined() if is_clinical else ()))
    ).all()
    if is_clinical:
        _fill_for_progress(found)
    infusions = {infusion.appointment_id: infusion for infusion in found}
    return [
        BoardRow(
            appointment,
            infusion := infusions.get(appointment.id),
            progress(infusion, now) if infusion is not None and is_clinical else None,
        )
        for appointment in appointments
    ]


def _appointments(day_start: datetime, day_end: datetime) -> Sequence[Appointment]:
    return db.session.scalars(
        sa.select(Appointment)
        .where(Appointment.starts_at < day_end, Appointment.ends_at > day_start)
        .options(
            joinedload(Appointment.patient),
            joinedload(Appointment.chair),
            joinedload(Appointment.course),
            _person(Appointment.nurse),
        )
        .order_by(Appointment.starts_at, Appointment.id)
    ).all()


# --- small reads of the pages ----------------------------------------------------------------------------------------


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


def entry(model: type[EntryT], entry_id: uuid.UUID) -> EntryT | None:
    """Return one entry of this clinic's sessions, of whatever kind."""
    return db.session.get(model, entry_id)


def proposal(proposal_id: uuid.UUID) -> RateProposal | None:
    """Return one rate that was read from a pump."""
    return db.session.get(RateProposal, proposal_id)


def is_standing_discharge() -> sa.ColumnElement[bool]:
    """The condition that a row of `Discharge` was not undone and does not undo another."""
    return sa.and_(
        Discharge.is_void.is_(False),
        ~sa.exists().where(_LATER_DISCHARGE.supersedes_id == Discharge.id).correlate(Discharge),
    )


def bare(infusion_id: uuid.UUID) -> InfusionSession | None:
    """Return a session of this clinic without its rows."""
    return db.session.get(InfusionSession, infusion_id)

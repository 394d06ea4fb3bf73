"""Named reads about notes and for the pages that bring everything about a session or a course together."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.courses.models import Course
from clinic.courses.rules import CourseStatus
from clinic.notes.inbox_rules import GRAVE
from clinic.notes.models import Note
from clinic.notes.rules import NoteStatus
from clinic.orders.models import Order, OrderVersion, VerbalOrder
from clinic.orders.rules import OrderStatus
from clinic.protocols.models import Terms
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import AppointmentStatus
from clinic.sessions.event_rules import SessionEventKind
from clinic.sessions.models import AdverseEvent, InfusionSession, PrnDose, SessionEvent
from clinic.signatures.models import Signature
from clinic.signatures.rules import Meaning

_PEOPLE = (joinedload(Note.author), joinedload(Note.cosigner), joinedload(Note.patient))


def note(note_id: uuid.UUID) -> Note | None:
    """A note with its patient, people and session."""
    return db.session.scalar(sa.select(Note).where(Note.id == note_id).options(*_PEOPLE, joinedload(Note.infusion)))


def notes_by_session(infusion_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Note]]:
    """The notes of sessions with their people, by session, the earliest first; discarded drafts are left out."""
    found: dict[uuid.UUID, list[Note]] = {}
    rows = db.session.scalars(
        sa.select(Note)
        .where(Note.infusion_id.in_(list(infusion_ids)), Note.status != NoteStatus.DISCARDED)
        .options(*_PEOPLE)
        .order_by(Note.drafted_at, Note.id)
    )
    for row in rows:
        if row.infusion_id is not None:
            found.setdefault(row.infusion_id, []).append(row)
    return found


def notes_of_session(infusion_id: uuid.UUID) -> list[Note]:
    """The notes of one session, the earliest first; discarded drafts are left out."""
    return notes_by_session([infusion_id]).get(infusion_id, [])


# --- sessions with all that is told about them -----------------------------------------------------------------------


def _told() -> list[ORMOption]:
    """What `session_facts` and the charts tell a session from: one query for each table, however many the sessions."""
    version = joinedload(InfusionSession.order_version)
    versions = version.joinedload(OrderVersion.order).selectinload(Order.versions)
    # The same terms are reached on both ways; what the first way leaves out would be read for each session alone.
    both = (version.joinedload(OrderVersion.terms), versions.joinedload(OrderVersion.terms))
    return [
        *(terms.joinedload(Terms.drug) for terms in both),
        *(terms.selectinload(many) for terms in both for many in (Terms.limits, Terms.phases, Terms.prn_items)),
        joinedload(InfusionSession.weight),
        joinedload(InfusionSession.patient),
        joinedload(InfusionSession.chair),
        joinedload(InfusionSession.discharge),
        joinedload(InfusionSession.appointment),
        *(
            selectinload(many)
            for many in (
                InfusionSession.transitions,
                InfusionSession.administrations,
                InfusionSession.observation_sets,
                InfusionSession.not_done,
                InfusionSession.iv_records,
                InfusionSession.events,
                InfusionSession.adverse_events,
                InfusionSession.discharge_assessments,
            )
        ),
        selectinload(InfusionSession.prn_doses).joinedload(PrnDose.prn_item),
    ]


def _sessions(condition: sa.ColumnElement[bool]) -> list[InfusionSession]:
    return list(
        db.session.scalars(
            sa.select(InfusionSession)
            .where(condition)
            .options(*_told())
            .order_by(InfusionSession.number, InfusionSession.arrived_at)
            # What this transaction has just written must show as well.
            .execution_options(populate_existing=True)
        ).unique()
    )


def session(infusion_id: uuid.UUID) -> InfusionSession | None:
    """One session with all that a note tells of it."""
    return next(iter(_sessions(InfusionSession.id == infusion_id)), None)


def sessions(infusion_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, InfusionSession]:
    """Several sessions, by their ids, in a number of reads that does not grow with them."""
    ids = set(infusion_ids)
    return {row.id: row for row in _sessions(InfusionSession.id.in_(ids))} if ids else {}


def sessions_of_course(course_id: uuid.UUID) -> list[InfusionSession]:
    """The sessions of a course in their order."""
    return _sessions(InfusionSession.course_id == course_id)


# --- the inbox -------------------------------------------------------------------------------------------------------


def notes_to_cosign(physician: Staff) -> list[Note]:
    """The signed notes of others that wait for a co-signature, the oldest first."""
    return list(
        db.session.scalars(
            sa.select(Note)
            .where(_waits_for(physician))
            .options(*_PEOPLE, joinedload(Note.infusion))
            .order_by(Note.signed_at, Note.id)
        )
    )


def _waits_for(physician: Staff) -> sa.ColumnElement[bool]:
    return sa.and_(Note.status == NoteStatus.COSIGN_PENDING, Note.author_id != physician.id)


def unreviewed_events(since: datetime) -> list[AdverseEvent]:
    """Adverse events and near misses recorded since then that stand and no physician has reviewed, the oldest first."""
    return list(
        db.session.scalars(
            sa.select(AdverseEvent)
            .where(_stands(since))
            .options(joinedload(AdverseEvent.patient), joinedload(AdverseEvent.recorded_by))
            .order_by(AdverseEvent.onset_at, AdverseEvent.id)
        )
    )


def _stands(since: datetime) -> sa.ColumnElement[bool]:
    later = aliased(AdverseEvent)
    return sa.and_(
        AdverseEvent.recorded_at >= since,
        AdverseEvent.is_void.is_(False),
        ~sa.exists().where(later.supersedes_id == AdverseEvent.id).correlate(AdverseEvent),
        ~sa.exists()
        .where(Signature.subject_id == AdverseEvent.id, Signature.meaning == Meaning.REVIEWED)
        .correlate(AdverseEvent),
    )


def adverse_event(event_id: uuid.UUID) -> AdverseEvent | None:
    """An adverse event with its patient and author."""
    return db.session.scalar(
        sa.select(AdverseEvent)
        .where(AdverseEvent.id == event_id)
        .options(joinedload(AdverseEvent.patient), joinedload(AdverseEvent.recorded_by))
    )


def sent_notes(physician: Staff) -> list[SessionEvent]:
    """Notes from the bedside that were sent to a physician, who has not answered for having read them; oldest first."""
    return list(
        db.session.scalars(
            sa.select(SessionEvent)
            .where(_is_sent_to(physician))
            .options(
                joinedload(SessionEvent.infusion).joinedload(InfusionSession.patient),
                joinedload(SessionEvent.recorded_by),
            )
            .order_by(SessionEvent.happened_at, SessionEvent.id)
        )
    )


def sent_note(event_id: uuid.UUID) -> SessionEvent | None:
    """A note from the bedside that was sent to a physician."""
    event = db.session.get(SessionEvent, event_id)
    return event if event is not None and event.kind is SessionEventKind.ROW_NOTE and event.person_id else None


def _is_sent_to(physician: Staff) -> sa.ColumnElement[bool]:
    later = aliased(SessionEvent)
    return sa.and_(
        SessionEvent.kind == SessionEventKind.ROW_NOTE,
        SessionEvent.person_id == physician.id,
        SessionEvent.is_void.is_(False),
        ~sa.exists().where(later.supersedes_id == SessionEvent.id).correlate(SessionEvent),
        ~sa.exists()
        .where(Signature.subject_id == SessionEvent.id, Signature.meaning == Meaning.REVIEWED)
        .correlate(SessionEvent),
    )


def coming_appointments(physician: Staff, start: datetime, end: datetime) -> list[Appointment]:
    """The sessions booked in a time for a physician's courses, with course and order versions, earliest first."""
    return list(
        db.session.scalars(
            sa.select(Appointment)
            .join(Appointment.course)
            .where(
                Course.physician_id == physician.id,
                Course.status.in_([CourseStatus.DRAFT, CourseStatus.ACTIVE, CourseStatus.ON_HOLD]),
                Appointment.status == AppointmentStatus.BOOKED,
                Appointment.starts_at >= start,
                Appointment.starts_at < end,
            )
            .options(
                joinedload(Appointment.patient),
                joinedload(Appointment.course).joinedload(Course.order).selectinload(Order.versions),
            )
            .order_by(Appointment.starts_at)
        ).unique()
    )


def courses_by_order(order_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Course]:
    """The courses that orders belong to, by the order."""
    rows = db.session.scalars(sa.select(Course).where(Course.order_id.in_(order_ids)))
    return {course.order_id: course for course in rows}


def orders_of_versions(version_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The order that each version belongs to."""
    rows = db.session.execute(sa.select(OrderVersion.id, OrderVersion.order_id).where(OrderVersion.id.in_(version_ids)))
    return {row[0]: row[1] for row in rows}


def inbox_count(physician: Staff, since: datetime) -> int:
    """How much waits for a physician's signature, for the badge: one read, whatever the number.

    Notes to co-sign, notes sent from the bedside, the orders this person spoke and drafted, and grave events recorded
    since then.
    """
    clinic_id = db.current_clinic_id()
    notes = sa.select(sa.func.count()).select_from(Note).where(Note.clinic_id == clinic_id, _waits_for(physician))
    confirmed = (
        sa.exists()
        .where(Signature.subject_id == VerbalOrder.id, Signature.meaning == Meaning.VERBAL_ORDER)
        .correlate(VerbalOrder)
    )
    spoken = (
        sa.select(sa.func.count())
        .select_from(VerbalOrder)
        .where(VerbalOrder.clinic_id == clinic_id, VerbalOrder.spoken_by_id == physician.id, ~confirmed)
    )
    drafts = (
        sa.select(sa.func.count())
        .select_from(OrderVersion)
        .where(
            OrderVersion.clinic_id == clinic_id,
            OrderVersion.drafted_by_id == physician.id,
            OrderVersion.status.in_([OrderStatus.DRAFT, OrderStatus.PENDING_SIGNATURE]),
        )
    )
    is_grave = sa.or_(AdverseEvent.grade >= GRAVE, AdverseEvent.is_serious.is_(True))
    events = (
        sa.select(sa.func.count())
        .select_from(AdverseEvent)
        .where(AdverseEvent.clinic_id == clinic_id, _stands(since), is_grave)
    )
    sent = (
        sa.select(sa.func.count())
        .select_from(SessionEvent)
        .where(SessionEvent.clinic_id == clinic_id, _is_sent_to(physician))
    )
    parts = [part.scalar_subquery() for part in (notes, sent, spoken, drafts, events)]
    return int(db.session.scalar(sa.select(parts[0] + parts[1] + parts[2] + parts[3] + parts[4])) or 0)

"""Named reads about notes and for the pages that bring everything about a session or a course together."""

import uuid
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from clinic.core import db
from clinic.notes.models import Letter, Note, NoteReturn, Referrer
from clinic.notes.rules import NoteStatus
from clinic.orders.models import Order, OrderVersion
from clinic.protocols.models import Terms
from clinic.scheduling.models import Appointment
from clinic.sessions.models import InfusionSession, PrnDose
from clinic.sessions.models_leaving import Discharge
from clinic.sessions.queries import is_standing_discharge

PEOPLE = (joinedload(Note.author), joinedload(Note.cosigner), joinedload(Note.patient))


def note(note_id: uuid.UUID) -> Note | None:
    """A note with its patient, people and session."""
    return db.session.scalar(sa.select(Note).where(Note.id == note_id).options(*PEOPLE, joinedload(Note.infusion)))


def notes_by_session(infusion_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Note]]:
    """The notes of sessions with their people, by session, the earliest first; discarded drafts are left out."""
    found: dict[uuid.UUID, list[Note]] = {}
    rows = db.session.scalars(
        sa.select(Note)
        .where(Note.infusion_id.in_(list(infusion_ids)), Note.status != NoteStatus.DISCARDED)
        .options(*PEOPLE, selectinload(Note.followers), selectinload(Note.returns).joinedload(NoteReturn.recorded_by))
        .order_by(Note.drafted_at, Note.id)
    )
    for row in rows:
        if row.infusion_id is not None:
            found.setdefault(row.infusion_id, []).append(row)
    return found


def notes_of_session(infusion_id: uuid.UUID) -> list[Note]:
    """The notes of one session, the earliest first; discarded drafts are left out."""
    return notes_by_session([infusion_id]).get(infusion_id, [])


def letters_of_course(course_id: uuid.UUID) -> list[Letter]:
    """The signed letters about a course, the newest first."""
    return list(
        db.session.scalars(
            sa.select(Letter)
            .where(Letter.course_id == course_id)
            .options(joinedload(Letter.recorded_by))
            .order_by(Letter.recorded_at.desc())
        )
    )


def referrers() -> list[Referrer]:
    """The clinic's referrers that stand, by name."""
    later = aliased(Referrer)
    return list(
        db.session.scalars(
            sa.select(Referrer)
            .where(Referrer.is_void.is_(False), ~sa.exists().where(later.supersedes_id == Referrer.id))
            .order_by(Referrer.name, Referrer.id)
        )
    )


def last_letter(patient_id: uuid.UUID) -> Letter | None:
    """The letter about a patient that was signed last."""
    newest = sa.select(Letter).where(Letter.patient_id == patient_id).order_by(Letter.recorded_at.desc()).limit(1)
    return db.session.scalar(newest)


def last_escort(patient_id: uuid.UUID) -> Discharge | None:
    """How the patient left the last time that somebody took the patient home."""
    return db.session.scalar(
        sa.select(Discharge)
        .join(Discharge.infusion)
        .where(InfusionSession.patient_id == patient_id, Discharge.escort_name.is_not(None))
        .where(is_standing_discharge())
        .order_by(Discharge.discharged_at.desc())
        .limit(1)
    )


def letter(letter_id: uuid.UUID) -> Letter | None:
    """One letter with its patient and its course."""
    return db.session.scalar(
        sa.select(Letter).where(Letter.id == letter_id).options(joinedload(Letter.patient), joinedload(Letter.course))
    )


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
        joinedload(InfusionSession.appointment),
        *(
            selectinload(many)
            for many in (
                InfusionSession.transitions,
                InfusionSession.administrations,
                InfusionSession.observation_sets,
                InfusionSession.not_done,
                InfusionSession.adoptions,
                InfusionSession.iv_records,
                InfusionSession.events,
                InfusionSession.adverse_events,
                InfusionSession.discharge_assessments,
                InfusionSession.discharges,
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
    """The sessions of a course in their order, without those of an arrival that was taken back."""
    stands_again = sa.exists().where(Appointment.moved_from_id == InfusionSession.appointment_id)
    return _sessions(sa.and_(InfusionSession.course_id == course_id, ~stands_again))

"""Named reads about outcomes; rows that a later one supersedes or withdraws are left out."""

import uuid
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload

from clinic.core import db
from clinic.courses.models import Course
from clinic.outcomes.models import AnswerSheet, FollowUpCall, OutcomeForm, OutcomeResult, ResponderRule
from clinic.protocols.models import ProtocolVersion, Terms
from clinic.sessions.models import Discharge, InfusionSession
from clinic.sessions.queries import is_standing_discharge
from clinic.sessions.rules import SessionStatus

# Sessions in which the drug was given, over or still going on.
_GIVEN = tuple(
    status
    for status in SessionStatus
    if (status.is_closed and status is not SessionStatus.NOT_DONE)
    or status in {SessionStatus.INFUSING, SessionStatus.PAUSED, SessionStatus.RECOVERING}
)


def _stands() -> sa.ColumnElement[bool]:
    later = aliased(OutcomeResult)
    return sa.and_(
        OutcomeResult.is_void.is_(False),
        ~sa.exists().where(later.supersedes_id == OutcomeResult.id).correlate(OutcomeResult),
    )


def result(result_id: uuid.UUID) -> OutcomeResult | None:
    """One result, superseded or not."""
    # Not `get`: a row that this piece of work already holds would be given whatever its clinic.
    return db.session.scalar(
        sa.select(OutcomeResult)
        .where(OutcomeResult.id == result_id)
        .options(
            joinedload(OutcomeResult.course), joinedload(OutcomeResult.recorded_by), joinedload(OutcomeResult.form)
        )
    )


def results_of_course(course_id: uuid.UUID) -> list[OutcomeResult]:
    """What was answered in a course and stands, the earliest first, with session and author."""
    return list(
        db.session.scalars(
            sa.select(OutcomeResult)
            .where(OutcomeResult.course_id == course_id, _stands())
            .options(
                joinedload(OutcomeResult.infusion),
                joinedload(OutcomeResult.recorded_by),
                joinedload(OutcomeResult.form),
            )
            .order_by(OutcomeResult.answered_at, OutcomeResult.recorded_at, OutcomeResult.id)
        )
    )


def results_of_session(infusion_id: uuid.UUID) -> list[OutcomeResult]:
    """What was answered about one session and stands, the earliest first."""
    return list(
        db.session.scalars(
            sa.select(OutcomeResult)
            .where(OutcomeResult.infusion_id == infusion_id, _stands())
            .options(joinedload(OutcomeResult.form))
            .order_by(OutcomeResult.answered_at, OutcomeResult.recorded_at, OutcomeResult.id)
        )
    )


def forms() -> list[OutcomeForm]:
    """Every version of the clinic's forms, by name, the newest version first."""
    return list(
        db.session.scalars(
            sa.select(OutcomeForm)
            .options(joinedload(OutcomeForm.recorded_by))
            .order_by(OutcomeForm.name, OutcomeForm.series_id, OutcomeForm.number.desc())
        )
    )


def newest_forms() -> list[OutcomeForm]:
    """The clinic's forms in the version that is asked now; a retired one is left out."""
    newest: dict[uuid.UUID, OutcomeForm] = {}
    for form in forms():
        newest.setdefault(form.series_id, form)
    return [form for form in newest.values() if not form.is_retired]


def form_versions(series_id: uuid.UUID) -> list[OutcomeForm]:
    """The versions of one form, the newest first."""
    return [form for form in forms() if form.series_id == series_id]


def responder_rules() -> list[ResponderRule]:
    """What the clinic has called a response, the definition in force first."""
    return list(
        db.session.scalars(
            sa.select(ResponderRule)
            .options(joinedload(ResponderRule.recorded_by))
            .order_by(ResponderRule.recorded_at.desc(), ResponderRule.id.desc())
        )
    )


def sheet(sheet_id: uuid.UUID) -> AnswerSheet | None:
    """What a patient was given to answer, with what was answered of it."""
    return db.session.scalar(
        sa.select(AnswerSheet)
        .where(AnswerSheet.id == sheet_id)
        .options(
            joinedload(AnswerSheet.course).joinedload(Course.patient),
            joinedload(AnswerSheet.infusion),
            selectinload(AnswerSheet.results).joinedload(OutcomeResult.form),
        )
        .execution_options(populate_existing=True)
    )


def is_superseded(outcome: OutcomeResult) -> bool:
    """Whether a later row has taken the place of a result."""
    found = sa.select(OutcomeResult.id).where(OutcomeResult.supersedes_id == outcome.id)
    return db.session.scalar(found) is not None


def calls_by_session(infusion_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[FollowUpCall]]:
    """The follow-up calls of sessions, by session, the earliest first."""
    found: dict[uuid.UUID, list[FollowUpCall]] = {}
    rows = db.session.scalars(
        sa.select(FollowUpCall)
        .where(FollowUpCall.infusion_id.in_(list(infusion_ids)))
        .options(joinedload(FollowUpCall.recorded_by))
        .order_by(FollowUpCall.called_at, FollowUpCall.recorded_at, FollowUpCall.id)
    )
    for call in rows:
        found.setdefault(call.infusion_id, []).append(call)
    return found


def calls_of_session(infusion_id: uuid.UUID) -> list[FollowUpCall]:
    """The follow-up calls of one session, the earliest first."""
    return calls_by_session([infusion_id]).get(infusion_id, [])


def session(infusion_id: uuid.UUID) -> InfusionSession | None:
    """A session with its patient, chair, course and how the patient left."""
    return db.session.scalar(
        sa.select(InfusionSession)
        .where(InfusionSession.id == infusion_id)
        .options(
            joinedload(InfusionSession.patient),
            joinedload(InfusionSession.chair),
            joinedload(InfusionSession.course),
            selectinload(InfusionSession.discharges),
            joinedload(InfusionSession.weight),
        )
    )


def sessions_to_call(since: datetime, until: datetime) -> list[InfusionSession]:
    """The sessions that patients went home from in a time and nobody has reached them about, the earliest first."""
    reached = (
        sa.exists()
        .where(FollowUpCall.infusion_id == InfusionSession.id, FollowUpCall.is_reached.is_(True))
        .correlate(InfusionSession)
    )
    closed = [status for status in SessionStatus if status.is_closed and status is not SessionStatus.NOT_DONE]
    return list(
        db.session.scalars(
            sa.select(InfusionSession)
            .join(InfusionSession.discharges)
            .where(
                InfusionSession.status.in_(closed),
                is_standing_discharge(),
                Discharge.discharged_at >= since,
                Discharge.discharged_at < until,
                ~reached,
            )
            .options(joinedload(InfusionSession.patient), selectinload(InfusionSession.discharges))
            .order_by(Discharge.discharged_at)
        )
    )


# --- how courses ended -----------------------------------------------------------------------------------------------


def treated_courses(first: datetime | None = None, before: datetime | None = None) -> list[Course]:
    """The courses in which a session was given, with drug and protocol; by the day of their first session."""
    begun = (
        sa.select(InfusionSession.course_id, sa.func.min(InfusionSession.arrived_at).label("at"))
        .where(InfusionSession.status.in_(_GIVEN))
        .group_by(InfusionSession.course_id)
        .subquery()
    )
    found = sa.select(Course).join(begun, begun.c.course_id == Course.id)
    if first is not None:
        found = found.where(begun.c.at >= first)
    if before is not None:
        found = found.where(begun.c.at < before)
    version = joinedload(Course.protocol_version)
    return list(
        db.session.scalars(
            found.options(
                version.joinedload(ProtocolVersion.protocol),
                version.joinedload(ProtocolVersion.terms).joinedload(Terms.drug),
            ).order_by(begun.c.at, Course.id)
        )
    )


def given_sessions(course_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[datetime]]:
    """When the patients of courses arrived for the sessions that were given, by course, the earliest first."""
    found: dict[uuid.UUID, list[datetime]] = {}
    rows = db.session.execute(
        sa.select(InfusionSession.course_id, InfusionSession.arrived_at)
        .where(InfusionSession.course_id.in_(list(course_ids)), InfusionSession.status.in_(_GIVEN))
        .order_by(InfusionSession.arrived_at)
    )
    for course_id, arrived_at in rows:
        found.setdefault(course_id, []).append(arrived_at)
    return found


def results_of_courses(course_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[OutcomeResult]]:
    """What was answered in courses and stands, by course, the earliest first."""
    found: dict[uuid.UUID, list[OutcomeResult]] = {}
    rows = db.session.scalars(
        sa.select(OutcomeResult)
        .where(OutcomeResult.course_id.in_(list(course_ids)), _stands())
        .options(joinedload(OutcomeResult.form))
        .order_by(OutcomeResult.answered_at, OutcomeResult.recorded_at, OutcomeResult.id)
    )
    for result in rows:
        found.setdefault(result.course_id, []).append(result)
    return found

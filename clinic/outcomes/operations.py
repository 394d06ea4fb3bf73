"""Verbs about outcomes: record answers, correct or withdraw them, record the call on the next day."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.courses.models import Course
from clinic.outcomes import queries
from clinic.outcomes.models import FollowUpCall, OutcomeResult
from clinic.outcomes.rules import Instrument, Occasion, why_not_answers
from clinic.sessions.models import InfusionSession


def record_outcome(
    course: Course,
    instrument: Instrument,
    items: Sequence[int | None],
    *,
    occasion: Occasion,
    answered_at: datetime,
    by: Staff,
    at: datetime,
    infusion: InfusionSession | None = None,
) -> OutcomeResult:
    """Keep the answers to one instrument, item by item, None where one is missing. The score is always computed."""
    _refuse_answers(instrument, items)
    if answered_at > at:
        raise RuleBroken("The time is in the future.", field="answered_at")
    if infusion is not None and infusion.course_id != course.id:
        raise RuleBroken("This session belongs to another course.", field="infusion_id")
    result = OutcomeResult(
        patient_id=course.patient_id,
        course_id=course.id,
        infusion_id=infusion.id if infusion else None,
        instrument=instrument,
        occasion=occasion,
        items=list(items),
        answered_at=answered_at,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(result)
    audit.record(
        AuditAction.OUTCOME_RECORDED,
        result,
        actor_id=by.id,
        at=at,
        instrument=instrument,
        occasion=occasion,
        items=list(items),
    )
    return result


def correct_outcome(
    result: OutcomeResult, items: Sequence[int | None], *, reason: str, by: Staff, at: datetime
) -> OutcomeResult:
    """Enter the answers again; the row that was wrong stays readable. Raises RuleBroken without a reason."""
    _refuse_answers(result.instrument, items)
    return _supersede(result, items, is_void=False, reason=reason, by=by, at=at)


def withdraw_outcome(result: OutcomeResult, *, reason: str, by: Staff, at: datetime) -> OutcomeResult:
    """Withdraw answers that should not be there, as of another patient; they stay readable with the reason."""
    return _supersede(result, result.items, is_void=True, reason=reason, by=by, at=at)


def _supersede(
    result: OutcomeResult, items: Sequence[int | None], *, is_void: bool, reason: str, by: Staff, at: datetime
) -> OutcomeResult:
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    if result.is_void or queries.is_superseded(result):
        raise Conflict("These answers were corrected meanwhile. Nothing of yours was saved. Read them again.")
    later = OutcomeResult(
        patient_id=result.patient_id,
        course_id=result.course_id,
        infusion_id=result.infusion_id,
        instrument=result.instrument,
        occasion=result.occasion,
        items=list(items),
        answered_at=result.answered_at,
        recorded_at=at,
        recorded_by_id=by.id,
        supersedes_id=result.id,
        correction_reason=reason.strip(),
        is_void=is_void,
    )
    try:
        with db.session.begin_nested():
            db.session.add(later)
            db.session.flush()  # a row is superseded once, which the database judges
    except IntegrityError as clash:
        raise Conflict("These answers were corrected meanwhile. Nothing of yours was saved.") from clash
    audit.record(
        AuditAction.OUTCOME_RECORDED,
        later,
        actor_id=by.id,
        at=at,
        was=list(result.items),
        items=list(items),
        is_void=is_void,
        reason=reason.strip(),
        supersedes=result.id,
    )
    return later


def _refuse_answers(instrument: Instrument, items: Sequence[int | None]) -> None:
    refusal = why_not_answers(instrument, items)
    if refusal:
        raise RuleBroken(refusal, field="items")


def record_follow_up_call(
    infusion: InfusionSession, *, called_at: datetime, is_reached: bool, text: str | None, by: Staff, at: datetime
) -> FollowUpCall:
    """Keep that the patient was called after a session, and what was said; an attempt that failed is kept too.

    Raises RuleBroken for a call before the patient came, and for a talk of which nothing is written down.
    """
    if called_at > at:
        raise RuleBroken("The time is in the future.", field="called_at")
    if called_at < infusion.arrived_at:
        raise RuleBroken("This is before the session.", field="called_at")
    text = (text or "").strip() or None
    if is_reached and text is None:
        raise RuleBroken("Write down what was said.", field="text")
    call = FollowUpCall(
        infusion_id=infusion.id,
        called_at=called_at,
        is_reached=is_reached,
        text=text,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(call)
    audit.record(
        AuditAction.FOLLOW_UP_RECORDED,
        call,
        actor_id=by.id,
        at=at,
        patient_id=infusion.patient_id,
        is_reached=is_reached,
        text=text,
    )
    return call

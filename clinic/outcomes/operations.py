"""Verbs about outcomes: record answers, record the call on the next day."""

from collections.abc import Sequence
from datetime import datetime

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.courses.models import Course
from clinic.outcomes.models import FollowUpCall, OutcomeResult
from clinic.outcomes.rules import Instrument, Occasion
from clinic.sessions.models import InfusionSession

_RANGES = {
    Instrument.NRS: (1, 0, 10),
    Instrument.PEG: (3, 0, 10),
    Instrument.PHQ9: (9, 0, 3),
    Instrument.GAD7: (7, 0, 3),
    Instrument.PGIC: (1, 1, 7),
}


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
    count, lowest, highest = _RANGES[instrument]
    if len(items) != count:
        raise RuleBroken(f"{instrument.value} has {count} answers.", field="items")
    if any(item is not None and not lowest <= item <= highest for item in items):
        raise RuleBroken(f"Enter a value from {lowest} to {highest}", field="items")
    if answered_at > at:
        raise RuleBroken("The time is in the future.", field="answered_at")
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


def record_follow_up_call(
    infusion: InfusionSession, *, called_at: datetime, is_reached: bool, text: str | None, by: Staff, at: datetime
) -> FollowUpCall:
    """Keep that the patient was called after a session, and what was said."""
    if called_at > at:
        raise RuleBroken("The time is in the future.", field="called_at")
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

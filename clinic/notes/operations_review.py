"""Verbs of a physician who reads: adverse events, answers of patients, what was said from the chair."""

from collections.abc import Mapping
from datetime import datetime

from clinic.accounts import cover
from clinic.accounts.models import Staff
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission
from clinic.outcomes.models import OutcomeResult
from clinic.sessions import operations as sessions
from clinic.sessions.event_rules import SessionEventKind
from clinic.sessions.models import AdverseEvent, SessionEvent
from clinic.signatures import operations as signatures
from clinic.signatures.models import Signature
from clinic.signatures.rules import Meaning


def event_content(event: AdverseEvent) -> Mapping[str, object]:
    """What the signature under a reviewed adverse event is over."""
    names = ("actuality", "term", "onset_at", "resolved_at", "grade", "is_serious", "serious_criterion")
    more = ("causality", "action", "outcome", "recorded_at")
    return {
        "event": event.id,
        "patient": event.patient_id,
        "session": event.infusion_id,
        "recorded_by": event.recorded_by_id,
        **{name: getattr(event, name) for name in (*names, *more)},
    }


def review_adverse_event(event: AdverseEvent, *, by: Staff, password: str, at: datetime) -> Signature:
    """Sign that a physician has read an adverse event as it stands; a later version of it asks again."""
    if not by.may(Permission.COSIGN_NOTE):
        raise RuleBroken("A physician reviews adverse events.")
    return signatures.sign(
        event,
        event_content(event),
        meaning=Meaning.REVIEWED,
        by=by,
        password=password,
        at=at,
        patient_id=event.patient_id,
    )


def review_answer(result: OutcomeResult, *, by: Staff, password: str, at: datetime) -> Signature:
    """Sign that a physician has read an answer that asks for one; a later version of it asks again."""
    if not by.may(Permission.COSIGN_NOTE):
        raise RuleBroken("A physician reviews this answer.")
    content = {
        "course_id": result.course_id,
        "instrument": result.instrument,
        "items": list(result.items),
        "answered_at": result.answered_at,
        "recorded_by_id": result.recorded_by_id,
    }
    return signatures.sign(
        result,
        content,
        meaning=Meaning.REVIEWED,
        by=by,
        password=password,
        at=at,
        patient_id=result.patient_id,
    )


def review_sent_note(
    event: SessionEvent, *, by: Staff, password: str, at: datetime, reply: str | None = None
) -> Signature:
    """Sign that the physician has read what was said from the chair.

    A `reply` goes into the flowsheet of the session, beside what it answers; a closed session takes none.
    """
    covered = event.person if event.person_id != by.id else None
    if event.person_id != by.id and (covered is None or not cover.is_covering(by, covered.id, at=at)):
        raise RuleBroken("This note was sent to somebody else.")
    content = {
        "infusion_id": event.infusion_id,
        "happened_at": event.happened_at,
        "text": event.text,
        "observation_set_id": event.observation_set_id,
        "recorded_by_id": event.recorded_by_id,
    }
    if reply and reply.strip():
        sessions.record_event(
            event.infusion,
            SessionEventKind.ROW_NOTE,
            f"Answer: {reply.strip()}",
            happened_at=at,
            observation=event.observation_set,
            by=by,
            at=at,
        )
    return signatures.sign(
        event,
        content,
        meaning=Meaning.REVIEWED,
        by=by,
        password=password,
        at=at,
        patient_id=event.infusion.patient_id,
        instead_of=covered,
    )

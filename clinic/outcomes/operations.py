"""Verbs about outcomes: record answers, correct or withdraw them, record the call on the next day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.rows import add_row
from clinic.core.units import format_number
from clinic.courses.models import Course
from clinic.outcomes import queries
from clinic.outcomes.models import AnswerSheet, FollowUpCall, OutcomeForm, OutcomeResult
from clinic.outcomes.rules import Instrument, Occasion, Scoring, why_not_answers, why_not_choices
from clinic.sessions.models import InfusionSession

_CORRECTED: Final = "These answers were corrected meanwhile. Nothing of yours was saved. Read them again."
Measure = Instrument | OutcomeForm


def record_outcome(
    course: Course,
    measure: Measure,
    items: Sequence[int | None],
    *,
    occasion: Occasion,
    answered_at: datetime,
    by: Staff,
    at: datetime,
    value: Decimal | None = None,
    text: str | None = None,
    infusion: InfusionSession | None = None,
    sheet: AnswerSheet | None = None,
) -> OutcomeResult:
    """Keep the answers to one measure, item by item, None where one is missing. The score is always computed.

    Of a measure whose result alone is kept, `value` and `text` are what it came to. `sheet` is what the patient was
    given on the tablet, where the patient answered.
    """
    text = (text or "").strip() or None
    _refuse_answers(measure, items, value, text)
    _refuse_moment(course, infusion, answered_at, at)
    result = OutcomeResult(
        patient_id=course.patient_id,
        course_id=course.id,
        infusion_id=infusion.id if infusion else None,
        instrument=measure if isinstance(measure, Instrument) else None,
        form=measure if isinstance(measure, OutcomeForm) else None,
        sheet_id=sheet.id if sheet else None,
        occasion=occasion,
        items=list(items),
        value=value,
        text=text,
        answered_at=answered_at,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(result)
    db.session.flush()  # the audit line names the form
    said = ("instrument", "form_id", "occasion", "items", "value", "text", "sheet_id")
    details = {name: getattr(result, name) for name in said}
    audit.record(AuditAction.OUTCOME_RECORDED, result, actor_id=by.id, at=at, **details)
    return result


def _refuse_moment(course: Course, infusion: InfusionSession | None, answered_at: datetime, at: datetime) -> None:
    if answered_at > at:
        raise RuleBroken("The time is in the future.", field="answered_at")
    if infusion is not None and infusion.course_id != course.id:
        raise RuleBroken("This session belongs to another course.", field="infusion_id")


def correct_outcome(
    result: OutcomeResult,
    items: Sequence[int | None],
    *,
    reason: str,
    by: Staff,
    at: datetime,
    value: Decimal | None = None,
    text: str | None = None,
) -> OutcomeResult:
    """Enter the answers again; the row that was wrong stays readable. Raises RuleBroken without a reason."""
    measure = result.form or result.instrument
    assert measure is not None  # noqa: S101 the database keeps one of the two
    text = (text or "").strip() or None
    _refuse_answers(measure, items, value, text)
    return _supersede(result, _Answers(items, value, text), is_void=False, reason=reason, by=by, at=at)


def withdraw_outcome(result: OutcomeResult, *, reason: str, by: Staff, at: datetime) -> OutcomeResult:
    """Withdraw answers that should not be there, as of another patient; they stay readable with the reason."""
    answers = _Answers(result.items, result.value, result.text)
    return _supersede(result, answers, is_void=True, reason=reason, by=by, at=at)


@dataclass(frozen=True, slots=True)
class _Answers:
    """What a row of results holds."""

    items: Sequence[int | None]
    value: Decimal | None
    text: str | None


def _supersede(
    result: OutcomeResult, answers: _Answers, *, is_void: bool, reason: str, by: Staff, at: datetime
) -> OutcomeResult:
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    if result.is_void or queries.is_superseded(result):
        raise Conflict(_CORRECTED)
    later = OutcomeResult(
        patient_id=result.patient_id,
        course_id=result.course_id,
        infusion_id=result.infusion_id,
        instrument=result.instrument,
        form_id=result.form_id,
        sheet_id=result.sheet_id,
        occasion=result.occasion,
        items=list(answers.items),
        value=answers.value,
        text=answers.text,
        answered_at=result.answered_at,
        recorded_at=at,
        recorded_by_id=by.id,
        supersedes_id=result.id,
        correction_reason=reason.strip(),
        is_void=is_void,
    )
    add_row(later, clash=_CORRECTED)
    audit.record(
        AuditAction.OUTCOME_RECORDED,
        later,
        actor_id=by.id,
        at=at,
        was=list(result.items),
        items=list(answers.items),
        value=answers.value,
        text=answers.text,
        is_void=is_void,
        reason=reason.strip(),
        supersedes=result.id,
    )
    return later


def _refuse_answers(measure: Measure, items: Sequence[int | None], value: Decimal | None, text: str | None) -> None:
    if isinstance(measure, Instrument):
        refusal = why_not_answers(measure, items)
    elif measure.scoring is not Scoring.RESULT:
        refusal = why_not_choices(items, len(measure.questions), [number for number, _ in measure.answers])
    else:
        _refuse_result(measure, value, text)
        return
    if refusal:
        raise RuleBroken(refusal, field="items")


def _refuse_result(form: OutcomeForm, value: Decimal | None, text: str | None) -> None:
    """Refuse a result that says nothing, or a number outside what the clinic wrote down for the measure."""
    if value is None and text is None:
        raise RuleBroken("Enter the result, as a number or in words.", field="value")
    is_low = value is not None and form.lowest is not None and value < form.lowest
    is_high = value is not None and form.highest is not None and value > form.highest
    if is_low or is_high:
        ends = [
            f"{word} {format_number(end)}"
            for word, end in (("from", form.lowest), ("to", form.highest))
            if end is not None
        ]
        raise RuleBroken(f"Enter a value {' '.join(ends)}", field="value")


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

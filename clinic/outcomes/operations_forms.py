"""What the clinic decides about its measures: its own short forms, and what it calls a response."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.ids import new_id
from clinic.core.rows import add_row
from clinic.outcomes import queries
from clinic.outcomes.models import OutcomeForm, ResponderRule
from clinic.outcomes.rules import Scoring, Wording


def write_form(wording: Wording, *, series_id: uuid.UUID | None = None, by: Staff, at: datetime) -> OutcomeForm:
    """Write a form, or the next version of one. What was answered keeps the version that was asked.

    Raises RuleBroken for a form that cannot be scored as it says, or whose name another form has.
    """
    _refuse_wording(wording)
    earlier = queries.form_versions(series_id) if series_id else []
    names = {form.name.lower() for form in queries.newest_forms() if form.series_id != series_id}
    if wording.name.strip().lower() in names:
        raise RuleBroken("Another form has this name.", field="name")
    return _add(wording, earlier, is_retired=False, by=by, at=at)


def retire_form(form: OutcomeForm, *, by: Staff, at: datetime) -> OutcomeForm:
    """Ask a form no more. Its answers stay, and a later version may bring it back."""
    if form.is_retired:
        raise Conflict("This form was retired meanwhile.")
    wording = Wording(
        form.name,
        form.scoring,
        form.lead,
        form.questions,
        form.answers,
        form.least_answers,
        form.lowest,
        form.highest,
        form.better,
    )
    return _add(wording, queries.form_versions(form.series_id), is_retired=True, by=by, at=at)


def _add(wording: Wording, earlier: Sequence[OutcomeForm], *, is_retired: bool, by: Staff, at: datetime) -> OutcomeForm:
    form = OutcomeForm(
        series_id=earlier[0].series_id if earlier else new_id(),
        number=earlier[0].number + 1 if earlier else 1,
        name=wording.name.strip(),
        lead=wording.lead or None,
        questions=list(wording.questions),
        answers=[list(answer) for answer in wording.answers],
        scoring=wording.scoring,
        least_answers=wording.least_answers,
        lowest=wording.lowest,
        highest=wording.highest,
        better=wording.better,
        is_retired=is_retired,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add_row(form, clash="Somebody else changed this form meanwhile. Nothing of yours was saved. Read it again.")
    audit.record(
        AuditAction.OUTCOME_FORM_WRITTEN,
        form,
        actor_id=by.id,
        at=at,
        name=form.name,
        number=form.number,
        scoring=form.scoring,
        questions=form.questions,
        answers=form.answers,
        is_retired=is_retired,
    )
    return form


def _refuse_wording(wording: Wording) -> None:
    if wording.scoring is Scoring.RESULT:
        if wording.questions or wording.answers:
            raise RuleBroken("Only a result is kept: leave questions and answers empty.", field="questions")
        if wording.lowest is not None and wording.highest is not None and wording.lowest >= wording.highest:
            raise RuleBroken("The highest is not above the lowest.", field="highest")
        return
    if not wording.questions:
        raise RuleBroken("Write at least one question.", field="questions")
    if len(wording.answers) < 2:  # noqa: PLR2004 one answer leaves no choice
        raise RuleBroken("Write at least two answers.", field="answers")
    if len({value for value, _ in wording.answers}) < len(wording.answers):
        raise RuleBroken("Two answers have the same number.", field="answers")
    if len(set(wording.questions)) < len(wording.questions):
        raise RuleBroken("Two questions are the same.", field="questions")
    if wording.least_answers is not None and wording.scoring is not Scoring.MEAN:
        raise RuleBroken("A sum needs every answer.", field="least_answers")
    if wording.least_answers is not None and wording.least_answers > len(wording.questions):
        raise RuleBroken("There are not so many questions.", field="least_answers")


def define_response(
    measure: str | None,
    *,
    least_percent: int | None,
    reaches: Decimal | None,
    within_days: int | None,
    reason: str,
    by: Staff,
    at: datetime,
) -> ResponderRule:
    """Write down what the clinic calls a response; without a measure it calls nothing so any more.

    `least_percent` is the change for the better from before the course; `reaches` a score that is reached or bettered;
    both count where both are given. `within_days` bounds how long after the last session an answer still counts.
    """
    if measure is None and (least_percent, reaches, within_days) != (None, None, None):
        raise RuleBroken("Choose the measure.", field="measure")
    if measure is not None and least_percent is None and reaches is None:
        raise RuleBroken("Enter the change or the score that counts as a response.", field="least_percent")
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    rule = ResponderRule(
        measure=measure,
        least_percent=least_percent,
        reaches=reaches,
        within_days=within_days,
        reason=reason.strip(),
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(rule)
    audit.record(
        AuditAction.RESPONSE_DEFINED,
        rule,
        actor_id=by.id,
        at=at,
        measure=measure,
        least_percent=least_percent,
        reaches=reaches,
        within_days=within_days,
        reason=rule.reason,
    )
    return rule

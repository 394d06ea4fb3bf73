"""Pages about outcomes: what was answered in a course, and the call after a session."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor, clinic
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import same_patient
from clinic.courses import queries as courses
from clinic.courses.models import Course
from clinic.outcomes import operations, queries
from clinic.outcomes.forms import AnswersForm, CallForm, CorrectionForm, answers_form, correction_form
from clinic.outcomes.models import FollowUpCall, OutcomeResult
from clinic.outcomes.rules import MOST_CALLS, FollowUp, Instrument, Occasion, follow_up_state
from clinic.outcomes.wording import (
    OCCASION_WORDS,
    QUESTIONNAIRES,
    asks_for_a_physician,
    score_lines,
    score_text,
)
from clinic.patients.models import Patient, Weight
from clinic.sessions import queries as sessions
from clinic.sessions.models import InfusionSession
from clinic.sessions.pages_patient import PatientBar, patient_bar

bp = Blueprint("outcomes", __name__)

FOLLOW_UP_WITHIN = timedelta(hours=72)
"""How long after the discharge the call is made (domain reference 1.1, stage 12)."""


def _bar(patient: Patient, *, weight: Weight | None = None, chair: str | None = None) -> PatientBar:
    return patient_bar(patient, weight=weight, chair=chair, now=clock.now(), zone=ZoneInfo(clinic().zone))


def _link(endpoint: str, **values: Any) -> str | None:
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None


# --- what was answered -----------------------------------------------------------------------------------------------


def _load_course(course_id: uuid.UUID) -> Course:
    course = courses.course(course_id) or abort(404)
    if request.method == "POST":
        same_patient(course.patient_id)
    return course


def _instrument(name: str) -> Instrument:
    return next((found for found in Instrument if found.value.lower() == name.lower()), None) or abort(404)


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One row of the table of answers."""

    result: OutcomeResult
    name: str
    occasion: str
    score: str
    answers: str
    is_flagged: bool


def _lines(results: list[OutcomeResult]) -> list[ResultLine]:
    return [
        ResultLine(
            result,
            QUESTIONNAIRES[result.instrument].name,
            OCCASION_WORDS[result.occasion],
            score_text(result.instrument, result.items),
            ", ".join("–" if item is None else str(item) for item in result.items),
            asks_for_a_physician(result),
        )
        for result in reversed(results)
    ]


def _draw_course(course: Course, chosen: Instrument | None = None, form: AnswersForm | None = None) -> str:
    reading.note(AuditAction.COURSE_READ, course, actor_id=actor().id, page="outcomes")
    results = queries.results_of_course(course.id)
    return render_template(
        "outcomes/course.html",
        course=course,
        bar=_bar(course.patient),
        lines=_lines(results),
        scores=score_lines(results),
        chosen=QUESTIONNAIRES[chosen] if chosen else None,
        questionnaires=QUESTIONNAIRES,
        form=form,
        course_url=_link("notes.show_course", course_id=course.id),
    )


@bp.get("/courses/<uuid:course_id>/outcomes")
@requires(Permission.READ_OUTCOME)
def list_outcomes(course_id: uuid.UUID) -> ResponseReturnValue:
    course = _load_course(course_id)
    name = request.args.get("instrument")
    if name is None:
        return _draw_course(course)
    chosen = _instrument(name)
    form = answers_form(chosen).at(clock.now())
    form.offer(sessions.of_course(course.id))
    return _draw_course(course, chosen, form)


@bp.post("/courses/<uuid:course_id>/outcomes/<string:instrument>")
@requires(Permission.RECORD_OUTCOME)
def record_outcome(course_id: uuid.UUID, instrument: str) -> ResponseReturnValue:
    course = _load_course(course_id)
    chosen = _instrument(instrument)
    form = answers_form(chosen)()
    given = sessions.of_course(course.id)
    form.offer(given)
    if form.validate_on_submit():
        try:
            operations.record_outcome(
                course,
                chosen,
                form.items(),
                occasion=form.chosen_occasion(),
                answered_at=form.instant(),
                infusion=next((row for row in given if str(row.id) == form.infusion_id.data), None),
                by=actor(),
                at=clock.now(),
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash(f"{QUESTIONNAIRES[chosen].name} saved")
            return redirect(url_for(".list_outcomes", course_id=course_id), 303)
    return _draw_course(course, chosen, form), 422


# --- corrections -----------------------------------------------------------------------------------------------------


def _load_result(result_id: uuid.UUID) -> OutcomeResult:
    result = queries.result(result_id) or abort(404)
    if request.method == "POST":
        same_patient(result.patient_id)
    return result


def _draw_correction(result: OutcomeResult, form: CorrectionForm) -> str:
    reading.note(AuditAction.COURSE_READ, result.course, actor_id=actor().id, page="correct an outcome")
    return render_template(
        "outcomes/correct.html",
        result=result,
        asked=QUESTIONNAIRES[result.instrument],
        occasion=OCCASION_WORDS[result.occasion],
        score=score_text(result.instrument, result.items),
        bar=_bar(result.course.patient),
        form=form,
    )


@bp.get("/outcomes/<uuid:result_id>/correct")
@requires(Permission.RECORD_OUTCOME)
def show_correction(result_id: uuid.UUID) -> ResponseReturnValue:
    result = _load_result(result_id)
    return _draw_correction(result, correction_form(result.instrument)())


@bp.post("/outcomes/<uuid:result_id>/corrections")
@requires(Permission.RECORD_OUTCOME)
def correct_outcome(result_id: uuid.UUID) -> ResponseReturnValue:
    result = _load_result(result_id)
    form = correction_form(result.instrument)()
    if form.validate_on_submit():
        reason = form.reason.data or ""
        try:
            if request.form.get("act") == "withdraw":
                operations.withdraw_outcome(result, reason=reason, by=actor(), at=clock.now())
            else:
                operations.correct_outcome(result, form.items(), reason=reason, by=actor(), at=clock.now())
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash("Withdrawn" if request.form.get("act") == "withdraw" else "Corrected")
            return redirect(url_for(".list_outcomes", course_id=result.course_id), 303)
    return _draw_correction(result, form), 422


# --- the call after a session ----------------------------------------------------------------------------------------


def _load_session(infusion_id: uuid.UUID) -> InfusionSession:
    infusion = queries.session(infusion_id) or abort(404)
    if request.method == "POST":
        same_patient(infusion.patient_id)
    return infusion


def _draw_calls(infusion: InfusionSession, form: CallForm) -> str:
    reading.note(AuditAction.SESSION_READ, infusion, actor_id=actor().id, page="follow-up")
    calls = queries.calls_of_session(infusion.id)
    state = follow_up_state([call.is_reached for call in calls])
    return render_template(
        "outcomes/follow_up.html",
        infusion=infusion,
        bar=_bar(infusion.patient, weight=infusion.weight, chair=infusion.chair.name),
        calls=calls,
        state=state,
        FollowUp=FollowUp,
        most_calls=MOST_CALLS,
        due_until=infusion.discharge.discharged_at + FOLLOW_UP_WITHIN if infusion.discharge else None,
        answers=[
            (QUESTIONNAIRES[row.instrument].name, score_text(row.instrument, row.items)) for row in _said(infusion)
        ],
        form=form,
        session_url=_link("sessions.show_session", infusion_id=infusion.id),
    )


def _said(infusion: InfusionSession) -> list[OutcomeResult]:
    return [row for row in queries.results_of_session(infusion.id) if row.occasion is Occasion.FOLLOW_UP]


@bp.get("/sessions/<uuid:infusion_id>/follow-up")
@requires(Permission.READ_OUTCOME)
def show_follow_up(infusion_id: uuid.UUID) -> ResponseReturnValue:
    return _draw_calls(_load_session(infusion_id), CallForm.at(clock.now()))


@bp.post("/sessions/<uuid:infusion_id>/follow-up")
@requires(Permission.RECORD_OUTCOME)
def record_follow_up(infusion_id: uuid.UUID) -> ResponseReturnValue:
    infusion = _load_session(infusion_id)
    form = CallForm()
    if form.validate_on_submit():
        try:
            call = _record(infusion, form)
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash("Call saved" if call.is_reached else "Attempt saved")
            return redirect(url_for(".show_follow_up", infusion_id=infusion_id), 303)
    return _draw_calls(infusion, form), 422


def _record(infusion: InfusionSession, form: CallForm) -> FollowUpCall:
    """Keep the call, and what the patient answered in it as outcomes of the session."""
    called_at, at, is_reached = form.instant(), clock.now(), form.is_reached.data == "yes"
    if not is_reached and (form.pain.data or form.change.data):
        raise RuleBroken("Somebody who was not reached has answered nothing.", field="is_reached")
    call = operations.record_follow_up_call(
        infusion, called_at=called_at, is_reached=is_reached, text=form.text.data, by=actor(), at=at
    )
    for instrument, answer in ((Instrument.NRS, form.pain.data), (Instrument.PGIC, form.change.data)):
        if answer:
            _answer(infusion, instrument, int(answer), called_at=called_at, at=at)
    return call


def _answer(
    infusion: InfusionSession, instrument: Instrument, answer: int, *, called_at: datetime, at: datetime
) -> None:
    operations.record_outcome(
        infusion.course,
        instrument,
        [answer],
        occasion=Occasion.FOLLOW_UP,
        answered_at=called_at,
        infusion=infusion,
        by=actor(),
        at=at,
    )


@bp.get("/follow-up-calls")
@requires(Permission.READ_OUTCOME)
def list_due_calls() -> ResponseReturnValue:
    now = clock.now()
    infusions = queries.sessions_to_call(now - FOLLOW_UP_WITHIN, now)
    calls = queries.calls_by_session([row.id for row in infusions])
    rows = [(row, len(calls.get(row.id, ()))) for row in infusions]
    reading.note(AuditAction.BOARD_READ, None, actor_id=actor().id, page="follow-up calls")
    waiting = [(row, tried) for row, tried in rows if tried < MOST_CALLS]
    return render_template("outcomes/due_calls.html", rows=waiting, most_calls=MOST_CALLS, within=FOLLOW_UP_WITHIN)

"""Pages about outcomes: what was answered in a course. The other pages of outcomes register themselves on `bp`."""

import uuid
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import same_patient
from clinic.courses.models import Course
from clinic.outcomes import (  # noqa: F401 the other pages register themselves
    operations,
    patient_panel,
    queries,
    views_calls,
    views_forms,
    views_report,
    views_tablet,
)
from clinic.outcomes.forms import AnswersForm, CorrectionForm, answers_form, correction_form
from clinic.outcomes.models import OutcomeResult
from clinic.outcomes.pages import RESPONSE_WORDS, charts, course_outcome, measures
from clinic.outcomes.views_shared import bar, bp, link, load_course, measure, zone
from clinic.outcomes.wording import (
    OCCASION_WORDS,
    Questionnaire,
    asked_in,
    asks_for_a_physician,
    ninth_answer,
    result_text,
    score_lines,
)
from clinic.sessions import queries as sessions
from clinic.signatures import queries as signatures
from clinic.signatures.models import Signature
from clinic.signatures.rules import Meaning

# --- what was answered -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One row of the table of answers."""

    result: OutcomeResult
    name: str
    occasion: str
    score: str
    answers: str
    is_flagged: bool


def _line(result: OutcomeResult) -> ResultLine:
    asked = asked_in(result)
    version = f", version {asked.version}" if asked.version > 1 else ""
    return ResultLine(
        result,
        f"{asked.name}{version}",
        OCCASION_WORDS[result.occasion],
        result_text(result),
        ", ".join("–" if item is None else str(item) for item in result.items),
        asks_for_a_physician(result),
    )


def _ninth_answers(results: list[OutcomeResult]) -> list[tuple[OutcomeResult, str, Signature | None]]:
    """The ninth answers of PHQ-9 above zero, each in words, and the signature of the physician who has read it."""
    flagged = [result for result in results if asks_for_a_physician(result)]
    signed = signatures.signatures_by_subject([result.id for result in flagged]) if flagged else {}
    reviewed = {
        key: next((row for row in rows if row.meaning is Meaning.REVIEWED), None) for key, rows in signed.items()
    }
    return [(result, ninth_answer(result), reviewed.get(result.id)) for result in reversed(flagged)]


def _draw_course(course: Course, chosen: Questionnaire | None = None, form: AnswersForm | None = None) -> str:
    reading.note(AuditAction.COURSE_READ, course, actor_id=actor().id, page="outcomes")
    results = queries.results_of_course(course.id)
    given = queries.given_sessions([course.id]).get(course.id, [])
    return render_template(
        "outcomes/course.html",
        course=course,
        bar=bar(course.patient),
        facts=_ninth_answers(results),
        charts=charts(results, given, zone=zone()),
        response=course_outcome(results, given),
        RESPONSE_WORDS=RESPONSE_WORDS,
        lines=[_line(result) for result in reversed(results)],
        scores=score_lines(results),
        chosen=chosen,
        measures=measures(),
        form=form,
        course_url=link("notes.show_course", course_id=course.id),
    )


@bp.get("/courses/<uuid:course_id>/outcomes")
@requires(Permission.READ_OUTCOME)
def list_outcomes(course_id: uuid.UUID) -> ResponseReturnValue:
    course = load_course(course_id)
    key = request.args.get("instrument")
    if key is None:
        return _draw_course(course)
    chosen = measure(key)
    form = answers_form(chosen).at(clock.now())
    form.offer(sessions.of_course(course.id))
    return _draw_course(course, chosen, form)


@bp.post("/courses/<uuid:course_id>/outcomes/<string:key>")
@requires(Permission.RECORD_OUTCOME)
def record_outcome(course_id: uuid.UUID, key: str) -> ResponseReturnValue:
    course = load_course(course_id)
    chosen = measure(key)
    form = answers_form(chosen)()
    given = sessions.of_course(course.id)
    form.offer(given)
    if form.validate_on_submit():
        try:
            operations.record_outcome(
                course,
                chosen.measure,
                form.items(),
                **form.result(),
                occasion=form.chosen_occasion(),
                answered_at=form.instant(),
                infusion=next((row for row in given if str(row.id) == form.infusion_id.data), None),
                by=actor(),
                at=clock.now(),
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash(f"{chosen.name} saved")
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
        asked=asked_in(result),
        occasion=OCCASION_WORDS[result.occasion],
        score=result_text(result),
        bar=bar(result.course.patient),
        form=form,
    )


@bp.get("/outcomes/<uuid:result_id>/correct")
@requires(Permission.RECORD_OUTCOME)
def show_correction(result_id: uuid.UUID) -> ResponseReturnValue:
    result = _load_result(result_id)
    return _draw_correction(result, correction_form(asked_in(result))())


@bp.post("/outcomes/<uuid:result_id>/corrections")
@requires(Permission.RECORD_OUTCOME)
def correct_outcome(result_id: uuid.UUID) -> ResponseReturnValue:
    result = _load_result(result_id)
    form = correction_form(asked_in(result))()
    if form.validate_on_submit():
        reason = form.reason.data or ""
        try:
            if request.form.get("act") == "withdraw":
                operations.withdraw_outcome(result, reason=reason, by=actor(), at=clock.now())
            else:
                operations.correct_outcome(
                    result, form.items(), **form.result(), reason=reason, by=actor(), at=clock.now()
                )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash("Withdrawn" if request.form.get("act") == "withdraw" else "Corrected")
            return redirect(url_for(".list_outcomes", course_id=result.course_id), 303)
    return _draw_correction(result, form), 422

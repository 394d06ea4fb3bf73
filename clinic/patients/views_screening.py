"""Screening questions and answers."""

import uuid

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import same_patient
from clinic.patients import operations, queries
from clinic.patients.forms import ChangeQuestionForm, QuestionForm, ScreeningForm, SettleForm, screening_form, whole
from clinic.patients.models import Patient, ScreeningQuestion
from clinic.patients.pages import bar, today
from clinic.patients.views import bp, found

# --- screening -------------------------------------------------------------------------------------------------------


def _screening_page(
    patient: Patient, form: ScreeningForm | None = None, settling: tuple[uuid.UUID, SettleForm] | None = None
) -> str:
    """`form` holds refused answers, `settling` the refused settlement of one question."""
    answers = {row.question_id: row for row in queries.current_answers(patient.id)}
    questions = queries.screening_questions()
    day = today(clock.now())
    refused = dict([settling] if settling else [])
    return render_template(
        "patients/screening.html",
        patient=patient,
        bar=bar(patient, now=clock.now()),
        questions=[(question, answers.get(question.id)) for question in questions],
        until={key: queries.answer_valid_until(row) for key, row in answers.items()},
        is_open=lambda question: question.id not in answers or queries.is_expired(answers[question.id], day),
        today=day,
        form=form or screening_form(questions, formdata=None),
        refused=settling[1] if settling else form,
        make_settle_form=lambda question: (
            refused.get(question.id) or SettleForm(formdata=None, prefix=_prefix(question.id))
        ),
    )


def _prefix(question_id: uuid.UUID) -> str:
    return f"q{question_id.hex[-12:]}-"


@bp.get("/patients/<uuid:patient_id>/screening")
@requires(Permission.READ_CHART)
def show_screening(patient_id: uuid.UUID) -> ResponseReturnValue:
    return _screening_page(found(patient_id, "screening"))


@bp.post("/patients/<uuid:patient_id>/screening")
@requires(Permission.RECORD_SCREENING)
def answer_screening(patient_id: uuid.UUID) -> ResponseReturnValue:
    """Write down every question that was answered, all of them or none."""
    same_patient(patient_id)
    patient = found(patient_id, "screening")
    questions = queries.screening_questions()
    form = screening_form(questions)
    if form.validate_on_submit():
        given = form.given()
        for question in questions:
            if question.id in given:
                answer, detail = given[question.id]
                operations.answer_screening(patient, question, answer, detail=detail, by=actor(), at=clock.now())
        return redirect(url_for(".show_screening", patient_id=patient.id), 303)
    return _screening_page(patient, form), 422


@bp.post("/patients/<uuid:patient_id>/screening/<uuid:question_id>/settle")
@requires(Permission.SETTLE_SCREENING)
def settle_screening(patient_id: uuid.UUID, question_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient = found(patient_id, "screening")
    answers = queries.current_answers(patient.id)
    answer = next((row for row in answers if row.question_id == question_id), None) or abort(404)
    form = SettleForm(prefix=_prefix(question_id))
    if form.validate_on_submit():
        try:
            operations.settle_screening(answer, form.settled_text.data, by=actor(), at=clock.now())
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for(".show_screening", patient_id=patient.id, _anchor=f"question-{question_id}"), 303)
    return _screening_page(patient, settling=(question_id, form)), 422


@bp.get("/screening-questions")
@requires(Permission.READ_PROTOCOL)
def show_questions() -> ResponseReturnValue:
    return _questions_page(QuestionForm())


def _questions_page(form: QuestionForm) -> str:
    return render_template("patients/questions.html", form=form, questions=queries.screening_questions())


@bp.post("/screening-questions")
@requires(Permission.SETTLE_SCREENING)
def add_question() -> ResponseReturnValue:
    form = QuestionForm()
    if form.validate_on_submit():
        try:
            operations.add_screening_question(
                drug_name=form.drug_name.data,
                text=form.text.data,
                valid_days=whole(form.valid_days),
                by=actor(),
                at=clock.now(),
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for(".show_questions"), 303)
    return _questions_page(form), 422


def _load_question(question_id: uuid.UUID) -> ScreeningQuestion:
    return queries.screening_question(question_id) or abort(404)


@bp.get("/screening-questions/<uuid:question_id>")
@requires(Permission.SETTLE_SCREENING)
def show_question(question_id: uuid.UUID) -> ResponseReturnValue:
    question = _load_question(question_id)
    form = ChangeQuestionForm(
        formdata=None, data={"valid_days": question.valid_days, "is_retired": question.is_retired}
    )
    return render_template("patients/question.html", question=question, form=form)


@bp.post("/screening-questions/<uuid:question_id>")
@requires(Permission.SETTLE_SCREENING)
def change_question(question_id: uuid.UUID) -> ResponseReturnValue:
    """Change how long answers count, or ask no more; the words of a question stay."""
    question = _load_question(question_id)
    form = ChangeQuestionForm()
    if not form.validate_on_submit():
        return render_template("patients/question.html", question=question, form=form), 422
    operations.change_screening_question(
        question, valid_days=whole(form.valid_days), is_retired=form.is_retired.data, by=actor(), at=clock.now()
    )
    return redirect(url_for(".show_questions"), 303)

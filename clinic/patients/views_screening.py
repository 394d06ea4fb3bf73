"""Screening questions and answers, and consents."""

import uuid

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import same_patient
from clinic.patients import operations, queries
from clinic.patients.forms import ConsentForm, QuestionForm, ReasonForm, ScreeningForm, SettleForm, screening_form
from clinic.patients.models import Patient
from clinic.patients.pages import bar, today
from clinic.patients.views import bp, found

# --- screening -------------------------------------------------------------------------------------------------------


def _screening_page(
    patient: Patient, form: ScreeningForm | None = None, settling: tuple[uuid.UUID, SettleForm] | None = None
) -> str:
    """`form` holds refused answers, `settling` the refused settlement of one question."""
    answers = {row.question_id: row for row in queries.current_answers(patient.id)}
    questions = queries.screening_questions()
    refused = dict([settling] if settling else [])
    return render_template(
        "patients/screening.html",
        patient=patient,
        bar=bar(patient, now=clock.now()),
        questions=[(question, answers.get(question.id)) for question in questions],
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
                drug_name=form.drug_name.data, text=form.text.data, by=actor(), at=clock.now()
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for(".show_questions"), 303)
    return _questions_page(form), 422


# --- consents --------------------------------------------------------------------------------------------------------


def _consents_page(patient: Patient, form: ConsentForm | None = None, reason: ReasonForm | None = None) -> str:
    return render_template(
        "patients/consents.html",
        patient=patient,
        bar=bar(patient, now=clock.now()),
        consents=queries.current_consents(patient.id),
        today=today(clock.now()),
        form=form if form or reason is None else reason,
        consent_form=form or ConsentForm(formdata=None),
        reason_form=reason or ReasonForm(formdata=None),
    )


def _read_by_clinicians() -> None:
    """The desk may note that a consent was signed, but a page with a drug on it is not for the desk."""
    if not actor().may(Permission.READ_CHART):
        abort(403)


@bp.get("/patients/<uuid:patient_id>/consents")
@requires(Permission.READ_CHART)
def show_consents(patient_id: uuid.UUID) -> ResponseReturnValue:
    return _consents_page(found(patient_id, "consents"))


@bp.post("/patients/<uuid:patient_id>/consents")
@requires(Permission.RECORD_CONSENT)
def record_consent(patient_id: uuid.UUID) -> ResponseReturnValue:
    _read_by_clinicians()
    same_patient(patient_id)
    patient = found(patient_id, "consents")
    form = ConsentForm()
    if form.validate_on_submit():
        try:
            operations.record_consent(
                patient,
                drug_name=form.drug_name.data,
                form_version=form.form_version.data,
                signed_on=form.signed_on.data,
                valid_from=form.valid_from.data,
                valid_until=form.valid_until.data,
                witness_name=form.witness_name.data,
                by=actor(),
                at=clock.now(),
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for(".show_consents", patient_id=patient.id), 303)
    return _consents_page(patient, form), 422


@bp.post("/patients/<uuid:patient_id>/consents/<uuid:consent_id>/withdraw")
@requires(Permission.RECORD_CONSENT)
def withdraw_consent(patient_id: uuid.UUID, consent_id: uuid.UUID) -> ResponseReturnValue:
    _read_by_clinicians()
    same_patient(patient_id)
    patient = found(patient_id, "consents")
    consent = next((row for row in queries.current_consents(patient.id) if row.id == consent_id), None) or abort(404)
    form = ReasonForm()
    if form.validate_on_submit():
        try:
            operations.withdraw_consent(consent, reason=form.reason.data, by=actor(), at=clock.now())
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for(".show_consents", patient_id=patient.id), 303)
    return _consents_page(patient, reason=form), 422

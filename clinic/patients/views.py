"""Patients: find one, add one, open the chart."""

import uuid

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, seal
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import drawn_version, installation_secrets, same_patient
from clinic.patients import operations, queries
from clinic.patients.forms import ClinicalPatientForm, DetailsForm, PatientForm, ProblemForm
from clinic.patients.models import Patient
from clinic.patients.pages import bar, make_bar, panels, today
from clinic.patients.referral_queries import current_referrals

bp = Blueprint("patients", __name__)

SHOWN = 100


def found(patient_id: uuid.UUID, page: str) -> Patient:
    """The patient of a page, with the reading noted; somebody else's patient is not found."""
    patient = queries.patient(patient_id) or abort(404)
    reading.note(AuditAction.PATIENT_READ, patient, actor_id=actor().id, page=page)
    return patient


@bp.get("/patients")
@requires(Permission.SEARCH_PATIENTS)
def list_patients() -> ResponseReturnValue:
    text = _sought(request.args.get("found", ""))
    patients = queries.search(text) if text else queries.patients_by_name(limit=SHOWN)
    if text:
        reading.note(AuditAction.PATIENT_SEARCHED, None, actor_id=actor().id, found=str(len(patients)))
    return render_template("patients/list.html", patients=patients, text=text, most=SHOWN)


def _sought(covered: str) -> str:
    """What this person looked for, from the address, where it stands covered."""
    secrets = installation_secrets()
    try:
        return seal.uncover(covered, str(actor().id), secrets) if covered else ""
    except seal.BadSeal:
        abort(404)


@bp.post("/patients/search")
@requires(Permission.SEARCH_PATIENTS)
def search() -> ResponseReturnValue:
    """Look for patients: what was typed is a name, and no name may stand in an address, a history or a log."""
    text = request.form.get("q", "").strip()[:200]
    found = seal.cover(text, str(actor().id), current_app.config["SECRET_KEY"]) if text else None
    return redirect(url_for(".list_patients", found=found), 303)


@bp.get("/patients/new")
@requires(Permission.EDIT_DEMOGRAPHICS)
def show_new() -> ResponseReturnValue:
    return render_template("patients/new.html", form=_patient_form())


def _patient_form() -> PatientForm:
    """The desk has no field for the problem: it is not told what it is for."""
    return ClinicalPatientForm() if actor().may(Permission.READ_CHART) else PatientForm()


@bp.post("/patients/new")
@requires(Permission.EDIT_DEMOGRAPHICS)
def create() -> ResponseReturnValue:
    form = _patient_form()
    if form.validate_on_submit():
        try:
            patient = operations.create_patient(
                **form.details(),
                mrn=form.mrn.data,
                problem=form.problem.data if isinstance(form, ClinicalPatientForm) else None,
                by=actor(),
                at=clock.now(),
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for(".show_patient", patient_id=patient.id), 303)
    return render_template("patients/new.html", form=form), 422


@bp.get("/patients/<uuid:patient_id>")
@requires(Permission.SEARCH_PATIENTS)
def show_patient(patient_id: uuid.UUID) -> ResponseReturnValue:
    patient = found(patient_id, "summary")
    now = clock.now()
    if not actor().may(Permission.READ_CHART):
        return render_template("patients/desk.html", patient=patient, panels=panels(patient, now, clinical=False))
    allergies = queries.current_allergies(patient.id)
    weights = queries.current_weights(patient.id)
    answers = queries.current_answers(patient.id)
    return render_template(
        "patients/show.html",
        patient=patient,
        bar=make_bar(patient, allergies, weights[0] if weights else None, now=now),
        allergies=allergies,
        weights=weights,
        answers=answers,
        until={row.id: queries.answer_valid_until(row) for row in answers},
        consents=queries.current_consents(patient.id),
        medicines=queries.current_medicines(patient.id),
        referrals=current_referrals(patient.id),
        checked=queries.last_medicine_check(patient.id),
        documents=queries.documents(patient.id),
        identifiers=queries.identifiers(patient.id),
        today=today(now),
        panels=panels(patient, now, clinical=True),
    )


@bp.get("/patients/<uuid:patient_id>/details")
@requires(Permission.EDIT_DEMOGRAPHICS)
def show_details(patient_id: uuid.UUID) -> ResponseReturnValue:
    patient = found(patient_id, "details")
    return _details_page(patient, _details_form(patient))


def _details_form(patient: Patient) -> DetailsForm:
    names = ("family_name", "given_name", "born_on", "phone", "language", "referred_by")
    form = DetailsForm(formdata=None, data={name: getattr(patient, name) for name in names})
    form.sex.data = str(patient.sex)
    form.is_interpreter_needed.data = {True: "yes", False: "no", None: ""}[patient.is_interpreter_needed]
    return form


def _details_page(patient: Patient, form: DetailsForm, problem: ProblemForm | None = None) -> str:
    is_clinical = actor().may(Permission.READ_CHART)
    return render_template(
        "patients/details.html",
        patient=patient,
        form=form,
        bar=bar(patient, now=clock.now()) if is_clinical else None,
        problem_form=(problem or ProblemForm(formdata=None, data={"problem": patient.problem}))
        if is_clinical
        else None,
    )


@bp.post("/patients/<uuid:patient_id>/details")
@requires(Permission.EDIT_DEMOGRAPHICS)
def change(patient_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient = found(patient_id, "details")
    form = DetailsForm()
    if form.validate_on_submit():
        try:
            operations.change_patient(
                patient,
                **form.details(),
                drawn_version=drawn_version(),
                by=actor(),
                at=clock.now(),
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash("Saved the details.")
            return redirect(url_for(".show_patient", patient_id=patient.id), 303)
    return _details_page(patient, form), 422


@bp.post("/patients/<uuid:patient_id>/problem")
@requires(Permission.RECORD_SCREENING)
def change_problem(patient_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient = found(patient_id, "details")
    form = ProblemForm()
    if not form.validate_on_submit():
        return _details_page(patient, _details_form(patient), form), 422
    operations.change_problem(patient, form.problem.data, by=actor(), at=clock.now())
    return redirect(url_for(".show_patient", patient_id=patient.id), 303)


from clinic.patients import (  # noqa: E402, F401 they add their pages to `bp`
    views_chart,
    views_consents,
    views_papers,
    views_referrals,
    views_restricted,
    views_screening,
)

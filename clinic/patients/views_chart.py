"""The small pages of the chart: allergies and weights."""

import uuid

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.accounts.models import Staff
from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import afterwards, same_patient
from clinic.patients import operations, queries
from clinic.patients.forms import AllergyForm, CorrectWeightForm, ReasonForm, WeightForm
from clinic.patients.models import Patient, Weight
from clinic.patients.pages import make_bar
from clinic.patients.rules import WeightMethod
from clinic.patients.views import bp, found


def _chart(patient_id: uuid.UUID, page: str) -> Patient:
    found(patient_id, page)
    return queries.chart(patient_id) or abort(404)


# --- allergies -------------------------------------------------------------------------------------------------------


def _allergies_page(patient: Patient, form: AllergyForm | None = None, reason: ReasonForm | None = None) -> str:
    current = queries.current_allergies(patient.id)
    standing = {row.id for row in current}
    return render_template(
        "patients/allergies.html",
        patient=patient,
        bar=make_bar(patient, current, queries.last_weight(patient.id), now=clock.now()),
        current=current,
        earlier=[row for row in patient.allergies if row.id not in standing],
        form=form if form or reason is None else reason,
        allergy_form=form or AllergyForm(formdata=None),
        reason_form=reason or ReasonForm(formdata=None),
    )


@bp.get("/patients/<uuid:patient_id>/allergies")
@requires(Permission.READ_CHART)
def show_allergies(patient_id: uuid.UUID) -> ResponseReturnValue:
    return _allergies_page(_chart(patient_id, "allergies"))


@bp.post("/patients/<uuid:patient_id>/allergies")
@requires(Permission.RECORD_ALLERGY)
def record_allergy(patient_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient = _chart(patient_id, "allergies")
    form = AllergyForm()
    if form.validate_on_submit():
        try:
            operations.record_allergy(
                patient, substance=form.substance.data, reaction=form.reaction.data, by=actor(), at=clock.now()
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for(".show_allergies", patient_id=patient.id), 303)
    return _allergies_page(patient, form), 422


@bp.post("/patients/<uuid:patient_id>/allergies/none-known")
@requires(Permission.RECORD_ALLERGY)
def record_no_allergies(patient_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient = _chart(patient_id, "allergies")
    try:
        operations.record_no_known_allergies(patient, by=actor(), at=clock.now())
    except RuleBroken as refusal:
        form = AllergyForm(formdata=None)
        form.refuse(refusal)
        return _allergies_page(patient, form), 422
    return redirect(url_for(".show_allergies", patient_id=patient.id), 303)


@bp.post("/patients/<uuid:patient_id>/allergies/<uuid:allergy_id>/retire")
@requires(Permission.RECORD_ALLERGY)
def retire_allergy(patient_id: uuid.UUID, allergy_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient = _chart(patient_id, "allergies")
    allergy = next((row for row in queries.current_allergies(patient.id) if row.id == allergy_id), None) or abort(404)
    form = ReasonForm()
    if form.validate_on_submit():
        operations.retire_allergy(allergy, reason=form.reason.data, by=actor(), at=clock.now())
        return redirect(url_for(".show_allergies", patient_id=patient.id), 303)
    return _allergies_page(patient, reason=form), 422


# --- weights ---------------------------------------------------------------------------------------------------------


def _weights_page(patient: Patient, form: WeightForm, *, is_held: bool = False) -> str:
    current = queries.current_weights(patient.id)
    standing = {row.id for row in current}
    return render_template(
        "patients/weights.html",
        patient=patient,
        bar=make_bar(patient, queries.current_allergies(patient.id), current[0] if current else None, now=clock.now()),
        current=current,
        earlier=[row for row in patient.weights if row.id not in standing],
        form=form,
        is_held=is_held,
    )


@bp.get("/patients/<uuid:patient_id>/weights")
@requires(Permission.READ_CHART)
def show_weights(patient_id: uuid.UUID) -> ResponseReturnValue:
    return _weights_page(_chart(patient_id, "weights"), WeightForm.at(clock.now()))


@bp.post("/patients/<uuid:patient_id>/weights")
@requires(Permission.RECORD_WEIGHT)
def record_weight(patient_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient = _chart(patient_id, "weights")
    form = WeightForm()
    is_held = form.again_kg.raw_data is not None and bool(form.again_kg.raw_data)
    if form.validate_on_submit():
        try:
            _record_weight(patient, form)
        except operations.WeightHeld as held:
            _note_held(patient, form, held)
            form.refuse(held)
            is_held = True
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for(".show_weights", patient_id=patient.id), 303)
    return _weights_page(patient, form, is_held=is_held), 422


def _record_weight(patient: Patient, form: WeightForm) -> None:
    is_typed_again = form.again_kg.data is not None
    if is_typed_again and form.again_kg.data != form.kg.data:
        raise RuleBroken("The two weights differ. Type the weight on the scale.", field="again_kg")
    operations.record_weight(
        patient,
        form.kg.data,
        method=WeightMethod(form.method.data),
        measured_at=form.instant(),
        confirmed=is_typed_again,
        reason=form.reason.data,
        by=actor(),
        at=clock.now(),
    )


def _note_held(patient: Patient, form: WeightForm, held: operations.WeightHeld) -> None:
    """The refusal rolls the request back; its line in the trail is written afterwards."""
    patient_id, staff_id, at, kg = patient.id, actor().id, clock.now(), form.kg.data

    def note() -> None:
        operations.note_refused_weight(
            db.session.get_one(Patient, patient_id), kg, held, by=db.session.get_one(Staff, staff_id), at=at
        )

    afterwards(note)


def _standing_weight(patient: Patient, weight_id: uuid.UUID) -> Weight:
    return next((row for row in queries.current_weights(patient.id) if row.id == weight_id), None) or abort(404)


def _correction_page(patient: Patient, weight: Weight, form: CorrectWeightForm) -> str:
    allergies = queries.current_allergies(patient.id)
    return render_template(
        "patients/weight_correct.html",
        patient=patient,
        bar=make_bar(patient, allergies, queries.last_weight(patient.id), now=clock.now()),
        weight=weight,
        form=form,
    )


@bp.get("/patients/<uuid:patient_id>/weights/<uuid:weight_id>")
@requires(Permission.RECORD_WEIGHT)
def show_weight_correction(patient_id: uuid.UUID, weight_id: uuid.UUID) -> ResponseReturnValue:
    patient = found(patient_id, "weights")
    weight = _standing_weight(patient, weight_id)
    return _correction_page(patient, weight, CorrectWeightForm.at(weight.measured_at, kg=weight.kg))


@bp.post("/patients/<uuid:patient_id>/weights/<uuid:weight_id>")
@requires(Permission.RECORD_WEIGHT)
def correct_weight(patient_id: uuid.UUID, weight_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient = found(patient_id, "weights")
    weight = _standing_weight(patient, weight_id)
    form = CorrectWeightForm()
    if form.validate_on_submit():
        try:
            operations.correct_weight(
                weight,
                form.kg.data,
                method=WeightMethod(form.method.data),
                measured_at=form.instant(),
                reason=form.reason.data,
                by=actor(),
                at=clock.now(),
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash("Corrected the weight.")
            return redirect(url_for(".show_weights", patient_id=patient.id), 303)
    return _correction_page(patient, weight, form), 422

"""When a patient can come: what was said, what is booked outside it, and saying more or taking it back."""

import uuid

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import same_patient
from clinic.patients.models import Patient
from clinic.scheduling import operations_availability, queries_availability
from clinic.scheduling.availability import standing_outside
from clinic.scheduling.availability_rules import time_words
from clinic.scheduling.forms import ReasonForm
from clinic.scheduling.forms_availability import PatientHoursForm
from clinic.scheduling.views import bp


def _page(patient: Patient, form: PatientHoursForm | None = None) -> str:
    reading.note(AuditAction.PATIENT_READ, patient, actor_id=actor().id, page="when the patient can come")
    rows = queries_availability.hours_of([patient.id]).get(patient.id, [])
    return render_template(
        "scheduling/availability.html",
        patient=patient,
        lines=[(row, time_words(row)) for row in rows],
        outside=standing_outside(patient.id, rows, at=clock.now()),
        form=form,
        hours_form=form or PatientHoursForm(formdata=None),
    )


def _patient(patient_id: uuid.UUID) -> Patient:
    return queries_availability.patient(patient_id) or abort(404)


@bp.get("/calendar/patients/<uuid:patient_id>/hours")
@requires(Permission.BOOK)
def show_patient_hours(patient_id: uuid.UUID) -> ResponseReturnValue:
    return _page(_patient(patient_id))


@bp.post("/calendar/patients/<uuid:patient_id>/hours/add")
@requires(Permission.BOOK)
def add_patient_hours(patient_id: uuid.UUID) -> ResponseReturnValue:
    patient, form = _patient(patient_id), PatientHoursForm()
    same_patient(patient.id)
    if form.validate():
        try:
            operations_availability.say(patient, form.said, by=actor(), at=clock.now())
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash("Written down.")
            return redirect(url_for(".show_patient_hours", patient_id=patient.id), 303)
    return _page(patient, form), 422


@bp.post("/calendar/patient-hours/<uuid:hours_id>/take-back")
@requires(Permission.BOOK)
def take_back_patient_hours(hours_id: uuid.UUID) -> ResponseReturnValue:
    row = queries_availability.row(hours_id) or abort(404)
    form = ReasonForm()
    if form.validate():
        try:
            operations_availability.take_back(row, reason=form.reason.data or "", by=actor(), at=clock.now())
        except RuleBroken as refusal:
            flash(refusal.message, "warn")
        else:
            flash("Taken back.")
    else:
        flash("Nothing was changed: say why it no longer holds.", "warn")
    return redirect(url_for(".show_patient_hours", patient_id=row.patient_id), 303)

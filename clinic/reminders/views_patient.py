"""Whether a patient is written to, and where."""

import uuid

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, same_patient
from clinic.patients import queries as patients
from clinic.patients.models import Patient
from clinic.reminders import operations, queries
from clinic.reminders.forms import AgreeForm, WithdrawForm
from clinic.reminders.views import bp


def _found(patient_id: uuid.UUID) -> Patient:
    patient = patients.patient(patient_id) or abort(404)
    reading.note(AuditAction.PATIENT_READ, patient, actor_id=actor().id, page="mail")
    return patient


def _page(patient: Patient, *, agree_form: AgreeForm | None = None, withdraw_form: WithdrawForm | None = None) -> str:
    return render_template(
        "reminders/mail.html",
        patient=patient,
        agreement=queries.agreement(patient.id),
        form=agree_form or withdraw_form,
        agree_form=agree_form or AgreeForm(formdata=None),
        withdraw_form=withdraw_form or WithdrawForm(formdata=None),
    )


@bp.get("/patients/<uuid:patient_id>/mail")
@requires(Permission.EDIT_DEMOGRAPHICS)
def show_mail(patient_id: uuid.UUID) -> ResponseReturnValue:
    return _page(_found(patient_id))


@bp.post("/patients/<uuid:patient_id>/mail")
@requires(Permission.EDIT_DEMOGRAPHICS)
def agree(patient_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient, form = _found(patient_id), AgreeForm()
    done = attempt(form, lambda: operations.agree(patient, form.address.data or "", by=actor(), at=clock.now()))
    if done is None:
        return _page(patient, agree_form=form), 422
    flash("Saved. The patient is written to there.")
    return redirect(url_for(".show_mail", patient_id=patient.id), 303)


@bp.post("/patients/<uuid:patient_id>/mail/withdraw")
@requires(Permission.EDIT_DEMOGRAPHICS)
def withdraw(patient_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient, form = _found(patient_id), WithdrawForm()
    agreement = queries.agreement(patient.id) or abort(404)

    def act() -> bool:
        operations.withdraw_agreement(agreement, form.reason.data or "", by=actor(), at=clock.now())
        return True

    if not attempt(form, act):
        return _page(patient, withdraw_form=form), 422
    flash("The patient is not written to any more.")
    return redirect(url_for(".show_mail", patient_id=patient.id), 303)

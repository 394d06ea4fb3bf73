"""Consents of a patient, the clinic's consent forms, and the patient's signature on the tablet."""

import uuid

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import current
from clinic.accounts import operations as accounts
from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import same_patient
from clinic.patients import operations, queries
from clinic.patients.forms import (
    ConsentFormForm,
    HandConsentForm,
    ReasonForm,
    SignConsentForm,
    SignedConsentForm,
    whole,
)
from clinic.patients.models import ConsentForm, Patient
from clinic.patients.pages import bar, today
from clinic.patients.views import bp, found


def _consents_page(
    patient: Patient,
    form: SignedConsentForm | None = None,
    reason: ReasonForm | None = None,
    hand: HandConsentForm | None = None,
) -> str:
    return render_template(
        "patients/consents.html",
        patient=patient,
        bar=bar(patient, now=clock.now()),
        consents=queries.current_consents(patient.id),
        today=today(clock.now()),
        hand_form=hand or _hand_form(HandConsentForm(formdata=None)),
        form=form or reason or hand,
        consent_form=form or SignedConsentForm(formdata=None),
        reason_form=reason or ReasonForm(formdata=None),
    )


def _hand_form(form: HandConsentForm) -> HandConsentForm:
    form.offer(queries.newest_consent_forms())
    return form


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
    form = SignedConsentForm()
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


@bp.get("/patients/<uuid:patient_id>/consents/<uuid:consent_id>/print")
@requires(Permission.READ_CHART)
def print_consent(patient_id: uuid.UUID, consent_id: uuid.UUID) -> ResponseReturnValue:
    """A consent on paper, with the text as it was signed."""
    patient = found(patient_id, "consents")
    consent = queries.consent(consent_id)
    if consent is None or consent.patient_id != patient.id:
        abort(404)
    reading.note(AuditAction.PATIENT_READ, patient, actor_id=actor().id, is_single=True, page="consent printed")
    return render_template("patients/consent_print.html", patient=patient, consent=consent, reader=actor())


# --- signed on the tablet --------------------------------------------------------------------------------------------


@bp.post("/patients/<uuid:patient_id>/consents/hand-over")
@requires(Permission.RECORD_CONSENT)
def hand_consent(patient_id: uuid.UUID) -> ResponseReturnValue:
    """Hand this tablet to the patient with a form to read and sign."""
    _read_by_clinicians()
    same_patient(patient_id)
    patient = found(patient_id, "consents")
    form = _hand_form(HandConsentForm())
    if not form.validate_on_submit():
        return _consents_page(patient, hand=form), 422
    path = url_for(".show_consent_to_sign", patient_id=patient.id, form_id=form.form_id.data)
    accounts.hand_tablet(current.signed_in().login, path, at=clock.now())
    return redirect(path, 303)


def _to_sign(patient_id: uuid.UUID, form_id: uuid.UUID) -> tuple[Patient, ConsentForm]:
    patient = queries.patient(patient_id) or abort(404)
    form = next((form for form in queries.consent_forms() if form.id == form_id), None) or abort(404)
    return patient, form


@bp.get("/tablet/consents/<uuid:patient_id>/<uuid:form_id>")
@requires(Permission.RECORD_CONSENT)
def show_consent_to_sign(patient_id: uuid.UUID, form_id: uuid.UUID) -> ResponseReturnValue:
    """The text with its signature; taken back by staff, it leads to the patient's consents."""
    patient, signed = _to_sign(patient_id, form_id)
    if current.handed_path() != request.path:
        return redirect(url_for(".show_consents", patient_id=patient_id), 303)
    return render_template("patients/consent_sign.html", patient=patient, consent=signed, form=SignConsentForm())


@bp.get("/tablet/consents/<uuid:patient_id>/<uuid:form_id>/done")
@requires(Permission.RECORD_CONSENT)
def show_consent_signed(patient_id: uuid.UUID, form_id: uuid.UUID) -> ResponseReturnValue:
    _to_sign(patient_id, form_id)
    return render_template("patients/consent_done.html")


@bp.post("/tablet/consents/<uuid:patient_id>/<uuid:form_id>")
@requires(Permission.RECORD_CONSENT)
def sign_consent(patient_id: uuid.UUID, form_id: uuid.UUID) -> ResponseReturnValue:
    """Keep the patient's signature: the name as typed, and the strokes where the tablet could draw."""
    same_patient(patient_id)
    patient, signed = _to_sign(patient_id, form_id)
    if current.handed_path() != request.path:
        abort(403)
    form = SignConsentForm()
    if form.validate_on_submit():
        now = clock.now()
        try:
            operations.sign_consent(
                patient,
                signed,
                name=form.name.data or "",
                path=form.path.data,
                on=today(now),
                by=actor(),
                at=now,
            )
        except Conflict:
            raise
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            done = url_for(".show_consent_signed", patient_id=patient.id, form_id=signed.id)
            return redirect(done, 303)
    return render_template("patients/consent_sign.html", patient=patient, consent=signed, form=form), 422


# --- the clinic's forms ----------------------------------------------------------------------------------------------


def _forms_page(form: ConsentFormForm) -> str:
    return render_template("patients/consent_forms.html", forms=queries.consent_forms(), form=form)


@bp.get("/consent-forms")
@requires(Permission.READ_PROTOCOL)
def show_consent_forms() -> ResponseReturnValue:
    chosen = request.args.get("form")
    known = next((form for form in queries.consent_forms() if str(form.id) == chosen), None)
    names = ("drug_name", "text", "valid_days")
    values = {name: getattr(known, name) for name in names} if known is not None else {}
    return _forms_page(ConsentFormForm(formdata=None, data=values))


@bp.post("/consent-forms")
@requires(Permission.SETTLE_SCREENING)
def write_consent_form() -> ResponseReturnValue:
    """Write the next version of a drug's form."""
    form = ConsentFormForm()
    if not form.validate_on_submit():
        return _forms_page(form), 422
    made = operations.write_consent_form(
        drug_name=form.drug_name.data or "",
        text=form.text.data or "",
        valid_days=whole(form.valid_days),
        is_retired=form.is_retired.data,
        by=actor(),
        at=clock.now(),
    )
    flash(f"Version {made.number} saved")
    return redirect(url_for(".show_consent_forms"), 303)

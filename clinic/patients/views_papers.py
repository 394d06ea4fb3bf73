"""Medicines, papers and the numbers of others on a patient's chart, and who has looked at it."""

import json
import uuid
from datetime import datetime

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import queries as accounts
from clinic.accounts.current import actor
from clinic.audit import queries as trail
from clinic.audit import reading
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, same_patient
from clinic.patients import papers, queries
from clinic.patients.forms import DocumentForm, IdentifierForm, MedicineForm, ReasonForm
from clinic.patients.models import Document, Medicine, Patient, PatientIdentifier
from clinic.patients.pages import bar
from clinic.patients.rules import ENDINGS
from clinic.patients.views import bp, found
from clinic.signatures.queries import has_signed_about

# --- medicines -------------------------------------------------------------------------------------------------------


def _medicines_page(patient: Patient, form: MedicineForm | None = None, reason: ReasonForm | None = None) -> str:
    current = queries.current_medicines(patient.id)
    standing = {row.id for row in current}
    return render_template(
        "patients/medicines.html",
        patient=patient,
        bar=bar(patient, now=clock.now()),
        current=current,
        earlier=[row for row in queries.medicines(patient.id) if row.id not in standing and row.is_void],
        checked=queries.last_medicine_check(patient.id),
        form=form or reason,
        medicine_form=form or MedicineForm(formdata=None),
        reason_form=reason or ReasonForm(formdata=None),
    )


@bp.get("/patients/<uuid:patient_id>/medicines")
@requires(Permission.READ_CHART)
def show_medicines(patient_id: uuid.UUID) -> ResponseReturnValue:
    return _medicines_page(found(patient_id, "medicines"))


@bp.post("/patients/<uuid:patient_id>/medicines")
@requires(Permission.RECORD_SCREENING)
def record_medicine(patient_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient = found(patient_id, "medicines")
    form = MedicineForm()
    made = attempt(
        form,
        lambda: papers.record_medicine(
            patient,
            name=form.name.data or "",
            taken=form.taken.data,
            since=form.since.data,
            by=actor(),
            at=clock.now(),
        ),
    )
    if made is None:
        return _medicines_page(patient, form), 422
    return redirect(url_for(".show_medicines", patient_id=patient.id), 303)


def _standing(patient: Patient, medicine_id: uuid.UUID) -> Medicine:
    return next((row for row in queries.current_medicines(patient.id) if row.id == medicine_id), None) or abort(404)


@bp.post("/patients/<uuid:patient_id>/medicines/<uuid:medicine_id>/stop")
@requires(Permission.RECORD_SCREENING)
def stop_medicine(patient_id: uuid.UUID, medicine_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient = found(patient_id, "medicines")
    medicine = _standing(patient, medicine_id)
    form = ReasonForm()
    if attempt(form, lambda: papers.stop_medicine(medicine, reason=form.reason.data, by=actor(), at=clock.now())):
        return redirect(url_for(".show_medicines", patient_id=patient.id), 303)
    return _medicines_page(patient, reason=form), 422


@bp.post("/patients/<uuid:patient_id>/medicines/check")
@requires(Permission.RECORD_SCREENING)
def check_medicines(patient_id: uuid.UUID) -> ResponseReturnValue:
    """The list was gone through with the patient and is right as it stands."""
    same_patient(patient_id)
    patient = found(patient_id, "medicines")
    papers.check_medicines(patient, by=actor(), at=clock.now())
    flash("Noted that the list is right")
    return redirect(url_for(".show_medicines", patient_id=patient.id), 303)


# --- papers ----------------------------------------------------------------------------------------------------------


def _documents_page(patient: Patient, form: DocumentForm | None = None, reason: ReasonForm | None = None) -> str:
    return render_template(
        "patients/documents.html",
        patient=patient,
        bar=bar(patient, now=clock.now()),
        documents=queries.documents(patient.id),
        form=form or reason,
        document_form=form or DocumentForm(formdata=None),
        reason_form=reason or ReasonForm(formdata=None),
    )


@bp.get("/patients/<uuid:patient_id>/documents")
@requires(Permission.READ_CHART)
def show_documents(patient_id: uuid.UUID) -> ResponseReturnValue:
    return _documents_page(found(patient_id, "documents"))


@bp.post("/patients/<uuid:patient_id>/documents")
@requires(Permission.RECORD_SCREENING)
def add_document(patient_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient = found(patient_id, "documents")
    form = DocumentForm()
    made = attempt(
        form,
        lambda: papers.add_document(
            patient,
            title=form.title.data or "",
            dated_on=form.dated_on.data,
            content=form.file.data.read(),
            by=actor(),
            at=clock.now(),
        ),
    )
    if made is None:
        return _documents_page(patient, form), 422
    return redirect(url_for(".show_documents", patient_id=patient.id), 303)


def _paper(patient: Patient, document_id: uuid.UUID) -> Document:
    return next((row for row in queries.documents(patient.id) if row.id == document_id), None) or abort(404)


@bp.get("/patients/<uuid:patient_id>/documents/<uuid:document_id>")
@requires(Permission.READ_CHART)
def send_document(patient_id: uuid.UUID, document_id: uuid.UUID) -> ResponseReturnValue:
    """The paper as it came, always to keep and never to open in our pages, under a name of ours."""
    patient = found(patient_id, "documents")
    document = _paper(patient, document_id)
    reading.note(AuditAction.DOCUMENT_READ, document, actor_id=actor().id, is_single=True, page="document")
    answer = Response(document.content, mimetype=document.media_type)
    name = f"document-{document.id.hex[-8:]}.{ENDINGS[document.media_type]}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@bp.post("/patients/<uuid:patient_id>/documents/<uuid:document_id>/withdraw")
@requires(Permission.RECORD_SCREENING)
def withdraw_document(patient_id: uuid.UUID, document_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient = found(patient_id, "documents")
    document = _paper(patient, document_id)
    form = ReasonForm()
    if attempt(form, lambda: papers.withdraw_document(document, reason=form.reason.data, by=actor(), at=clock.now())):
        return redirect(url_for(".show_documents", patient_id=patient.id), 303)
    return _documents_page(patient, reason=form), 422


# --- the numbers of others -------------------------------------------------------------------------------------------


def _identifiers_page(patient: Patient, form: IdentifierForm | None = None, reason: ReasonForm | None = None) -> str:
    return render_template(
        "patients/identifiers.html",
        patient=patient,
        identifiers=queries.identifiers(patient.id),
        form=form or reason,
        identifier_form=form or IdentifierForm(formdata=None),
        reason_form=reason or ReasonForm(formdata=None),
    )


@bp.get("/patients/<uuid:patient_id>/identifiers")
@requires(Permission.EDIT_DEMOGRAPHICS)
def show_identifiers(patient_id: uuid.UUID) -> ResponseReturnValue:
    return _identifiers_page(found(patient_id, "identifiers"))


@bp.post("/patients/<uuid:patient_id>/identifiers")
@requires(Permission.EDIT_DEMOGRAPHICS)
def add_identifier(patient_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient = found(patient_id, "identifiers")
    form = IdentifierForm()
    made = attempt(
        form,
        lambda: papers.add_identifier(
            patient, system=form.system.data or "", value=form.value.data or "", by=actor(), at=clock.now()
        ),
    )
    if made is None:
        return _identifiers_page(patient, form), 422
    return redirect(url_for(".show_identifiers", patient_id=patient.id), 303)


def _number(patient: Patient, identifier_id: uuid.UUID) -> PatientIdentifier:
    return next((row for row in queries.identifiers(patient.id) if row.id == identifier_id), None) or abort(404)


@bp.post("/patients/<uuid:patient_id>/identifiers/<uuid:identifier_id>/remove")
@requires(Permission.EDIT_DEMOGRAPHICS)
def remove_identifier(patient_id: uuid.UUID, identifier_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient = found(patient_id, "identifiers")
    identifier = _number(patient, identifier_id)
    form = ReasonForm()
    if not form.validate_on_submit():
        return _identifiers_page(patient, reason=form), 422
    papers.remove_identifier(patient, identifier, reason=form.reason.data or "", by=actor(), at=clock.now())
    return redirect(url_for(".show_identifiers", patient_id=patient.id), 303)


# --- who looked ------------------------------------------------------------------------------------------------------

_PAGE = 100


@bp.get("/patients/<uuid:patient_id>/access")
@requires(Permission.READ_ACCESS_REPORT)
def show_access(patient_id: uuid.UUID) -> ResponseReturnValue:
    """Who opened this chart, for physicians who have signed something about the patient; others are told so."""
    patient = found(patient_id, "who looked")
    is_own = has_signed_about(actor().id, patient.id)
    entries = trail.readings_of(patient.id, before=_before(), limit=_PAGE) if is_own else []
    people = accounts.staff_by_id({entry.actor_id for entry in entries if entry.actor_id})
    return render_template(
        "patients/access.html",
        patient=patient,
        bar=bar(patient, now=clock.now()),
        is_own=is_own,
        lines=[(entry, people.get(entry.actor_id) if entry.actor_id else None, _what(entry)) for entry in entries],
        older=entries[-1].at.isoformat() if len(entries) == _PAGE else None,
    )


def _before() -> datetime | None:
    text = request.args.get("before")
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        abort(404)
    return found if found is None or found.tzinfo is not None else abort(404)


def _what(entry: AuditEntry) -> str:
    """Which page was opened, in words."""
    said = json.loads(entry.body)
    if entry.action is AuditAction.CHART_OPENED:
        return f"opened the restricted chart ({said['kind']}): {said['why']}"
    page = said.get("page", {})
    name = page.get("page", "") if isinstance(page, dict) else ""
    subject = (entry.subject_kind or "").replace("_", " ").replace("infusion session", "session")
    return ", ".join(part for part in (subject, name) if part)

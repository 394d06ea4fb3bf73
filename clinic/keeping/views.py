"""Take a record out: of one patient, or of the whole clinic."""

import uuid

from flask import Blueprint, Response, abort, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import queries as accounts
from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, same_patient
from clinic.keeping import export, operations, queries
from clinic.keeping.forms import RECIPIENT_WORDS, ExportForm
from clinic.keeping.models import Disclosure
from clinic.keeping.rules import Recipient, can_be_fetched
from clinic.patients import queries as patients
from clinic.patients.models import Patient
from clinic.patients.pages import bar

bp = Blueprint("keeping", __name__)


def _page(patient: Patient | None, form: ExportForm) -> str:
    now = clock.now()
    left = queries.disclosures(patient.id if patient else None)
    ready = [row for row in left if row.recorded_by_id == actor().id and can_be_fetched(row.recorded_at, now)]
    return render_template(
        "keeping/export_patient.html" if patient else "keeping/export_clinic.html",
        patient=patient,
        bar=bar(patient, now=now) if patient else None,
        form=form,
        left=left,
        ready=ready[0] if ready else None,
        people=accounts.staff_by_id({row.recorded_by_id for row in left}),
        words=RECIPIENT_WORDS,
    )


def _begun(patient: Patient | None, form: ExportForm) -> Disclosure | None:
    return attempt(
        form,
        lambda: operations.begin_export(
            patient,
            recipient=Recipient(form.recipient.data),
            to_whom=form.to_whom.data or "",
            reason=form.reason.data or "",
            password=form.password.data or "",
            by=actor(),
            at=clock.now(),
        ),
    )


def _found(patient_id: uuid.UUID) -> Patient:
    patient = patients.patient(patient_id) or abort(404)
    reading.note(AuditAction.PATIENT_READ, patient, actor_id=actor().id, page="export")
    return patient


@bp.get("/patients/<uuid:patient_id>/export")
@requires(Permission.EXPORT_PATIENT)
def show_patient_export(patient_id: uuid.UUID) -> ResponseReturnValue:
    """Ask for a copy of everything about a patient, and see which ones left."""
    return _page(_found(patient_id), ExportForm(formdata=None))


@bp.post("/patients/<uuid:patient_id>/export")
@requires(Permission.EXPORT_PATIENT)
def begin_patient_export(patient_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient = _found(patient_id)
    form = ExportForm()
    if _begun(patient, form) is None:
        return _page(patient, form), 422
    return redirect(url_for(".show_patient_export", patient_id=patient.id), 303)


@bp.get("/clinic/export")
@requires(Permission.EXPORT_CLINIC)
def show_clinic_export() -> ResponseReturnValue:
    """Ask for a copy of everything of the clinic, and see which ones left."""
    return _page(None, ExportForm(formdata=None))


@bp.post("/clinic/export")
@requires(Permission.EXPORT_CLINIC)
def begin_clinic_export() -> ResponseReturnValue:
    form = ExportForm()
    if _begun(None, form) is None:
        return _page(None, form), 422
    return redirect(url_for(".show_clinic_export"), 303)


@bp.get("/patients/<uuid:patient_id>/export/<uuid:disclosure_id>")
@requires(Permission.EXPORT_PATIENT)
def send_patient_export(patient_id: uuid.UUID, disclosure_id: uuid.UUID) -> ResponseReturnValue:
    return _file(_ready(disclosure_id, patient_id))


@bp.get("/clinic/export/<uuid:disclosure_id>")
@requires(Permission.EXPORT_CLINIC)
def send_clinic_export(disclosure_id: uuid.UUID) -> ResponseReturnValue:
    return _file(_ready(disclosure_id, None))


def _ready(disclosure_id: uuid.UUID, patient_id: uuid.UUID | None) -> Disclosure:
    """What the same person has just asked for with the password."""
    asked = queries.disclosure(disclosure_id) or abort(404)
    if asked.patient_id != patient_id or asked.recorded_by_id != actor().id:
        abort(404)
    if not can_be_fetched(asked.recorded_at, clock.now()):
        abort(404, "This copy can no longer be fetched. Ask for another one.")
    return asked


def _file(asked: Disclosure) -> Response:
    """The export, made while it is sent: it is read in a transaction of its own, after that of the request."""
    reading.note(
        AuditAction.EXPORT_SENT, asked, actor_id=actor().id, patient_id=asked.patient_id, is_single=True, page="export"
    )
    secret, clinic_id, at = current_app.config["SECRET_KEY"], db.current_clinic_id(), clock.now()
    pieces = (
        export.of_patient(asked.patient_id, clinic_id, secret=secret, at=at)
        if asked.patient_id
        else export.of_clinic(clinic_id, secret=secret, at=at)
    )
    name = f"{'patient' if asked.patient_id else 'clinic'}-{asked.id.hex[-8:]}.zip"
    return Response(
        pieces, mimetype="application/zip", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


from clinic.keeping import views_accounting, views_retention  # noqa: E402, F401 they add their pages to `bp`

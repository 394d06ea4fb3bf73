"""What left the clinic about one patient: for the patient who asks for it."""

import uuid

from flask import Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.csv_table import csv_text
from clinic.core.permissions import Permission, requires
from clinic.keeping.accounting import ORDERS, what_left
from clinic.keeping.views import bp
from clinic.patients import queries as patients
from clinic.patients.models import Patient
from clinic.patients.pages import bar
from clinic.signatures.queries import has_signed_about

_HEAD = (("when", "When"), ("what", "What"), ("for", "For whom"), ("why", "Why"), ("by", "By"))


def _order() -> str:
    order = request.args.get("sort", "when")
    return order if order in ORDERS else abort(400, "The list cannot be ordered by that.")


def _found(patient_id: uuid.UUID) -> Patient:
    patient = patients.patient(patient_id) or abort(404)
    reading.note(AuditAction.PATIENT_READ, patient, actor_id=actor().id, page="what left")
    return patient


@bp.get("/patients/<uuid:patient_id>/disclosures")
@requires(Permission.READ_ACCESS_REPORT)
def show_disclosures(patient_id: uuid.UUID) -> ResponseReturnValue:
    """Every copy and print, for physicians who have signed something about the patient; others are told so."""
    patient, order = _found(patient_id), _order()
    is_own = has_signed_about(actor().id, patient.id)
    return render_template(
        "keeping/disclosures.html",
        patient=patient,
        bar=bar(patient, now=clock.now()),
        is_own=is_own,
        lines=what_left(patient.id, order=order) if is_own else [],
        order=order,
        head=_HEAD,
    )


@bp.get("/patients/<uuid:patient_id>/disclosures/table")
@requires(Permission.READ_ACCESS_REPORT)
def send_disclosures(patient_id: uuid.UUID) -> ResponseReturnValue:
    """The same lines as a file; its export is a line of the trail."""
    patient, order = _found(patient_id), _order()
    if not has_signed_about(actor().id, patient.id):
        abort(404)
    reading.note(AuditAction.DISCLOSURES_EXPORTED, patient, actor_id=actor().id, is_single=True)
    rows = [
        (left.at.isoformat(), left.what, left.for_whom, left.why, left.by)
        for left in what_left(patient.id, order=order)
    ]
    return Response(
        csv_text([("Time (UTC)", "What", "For whom", "Why", "By"), *rows]),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="disclosures-{patient.id.hex[-8:]}.csv"'},
    )

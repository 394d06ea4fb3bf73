"""A patient's own calendar address, given to the patient by the desk."""

import uuid

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor, clinic
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.permissions import Permission, requires
from clinic.core.requests import same_patient
from clinic.ical import operations, queries
from clinic.ical.rules import FeedKind
from clinic.ical.views import bp, issued_now, show_once
from clinic.patients import queries as patients


@bp.get("/patients/<uuid:patient_id>/calendar-address")
@requires(Permission.BOOK)
def show_patients_address(patient_id: uuid.UUID) -> ResponseReturnValue:
    patient = patients.patient(patient_id) or abort(404)
    reading.note(AuditAction.PATIENT_READ, patient, actor_id=actor().id, page="calendar address")
    issued = issued_now(patient.id)
    return render_template(
        "ical/patients_address.html",
        patient=patient,
        feed=queries.patients_feed(patient.id),
        link=issued[2] if issued else None,
        tells_place=clinic().calendars_tell_place,
    )


@bp.post("/patients/<uuid:patient_id>/calendar-address/issue")
@requires(Permission.BOOK)
def issue_patients(patient_id: uuid.UUID) -> ResponseReturnValue:
    patient = patients.patient(patient_id) or abort(404)
    same_patient(patient.id)
    token = operations.issue(FeedKind.PATIENT, patient, by=actor(), at=clock.now())
    show_once(patient.id, FeedKind.PATIENT, token)
    return redirect(url_for(".show_patients_address", patient_id=patient.id), 303)

"""How long the clinic keeps what, and whose record is held."""

import uuid

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import queries as accounts
from clinic.accounts.current import actor, clinic
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, same_patient
from clinic.keeping import retention
from clinic.keeping.forms import CLASS_WORDS, UNIT_WORDS, HoldForm, PeriodForm
from clinic.keeping.retention_rules import PeriodUnit, RetentionClass
from clinic.keeping.views import bp
from clinic.patients import queries as patients
from clinic.patients.models import Patient
from clinic.patients.pages import bar


def _page(form: PeriodForm) -> str:
    standings = retention.report(clinic(), at=clock.now())
    by = {standing.period.recorded_by_id for standing in standings if standing.period}
    return render_template(
        "keeping/retention.html",
        standings=standings,
        people=accounts.staff_by_id(by),
        form=form,
        words=CLASS_WORDS,
        units=UNIT_WORDS,
    )


@bp.get("/clinic/retention")
@requires(Permission.READ_RESOURCES)
def show_retention() -> ResponseReturnValue:
    """What is past its period, in numbers: no patient stands here."""
    return _page(PeriodForm(formdata=None))


@bp.post("/clinic/retention")
@requires(Permission.SET_RETENTION)
def set_period() -> ResponseReturnValue:
    form = PeriodForm()
    made = attempt(
        form,
        lambda: retention.set_period(
            RetentionClass(form.kind.data),
            None if form.number.data is None else int(form.number.data),
            PeriodUnit(form.unit.data) if form.unit.data else None,
            reason=form.reason.data or "",
            by=actor(),
            at=clock.now(),
        ),
    )
    if made is None:
        return _page(form), 422
    flash("Saved. Nothing was taken away")
    return redirect(url_for(".show_retention"), 303)


# --- whose record is held --------------------------------------------------------------------------------------------


def _found(patient_id: uuid.UUID) -> Patient:
    patient = patients.patient(patient_id) or abort(404)
    reading.note(AuditAction.PATIENT_READ, patient, actor_id=actor().id, page="hold")
    return patient


def _hold_page(patient: Patient, form: HoldForm) -> str:
    rows = retention.holds(patient.id)
    return render_template(
        "keeping/hold.html",
        patient=patient,
        bar=bar(patient, now=clock.now()),
        rows=rows,
        is_held=bool(rows) and rows[0].is_held,
        people=accounts.staff_by_id({row.recorded_by_id for row in rows}),
        form=form,
    )


@bp.get("/patients/<uuid:patient_id>/hold")
@requires(Permission.HOLD_RECORD)
def show_hold(patient_id: uuid.UUID) -> ResponseReturnValue:
    return _hold_page(_found(patient_id), HoldForm(formdata=None))


@bp.post("/patients/<uuid:patient_id>/hold")
@requires(Permission.HOLD_RECORD)
def begin_hold(patient_id: uuid.UUID) -> ResponseReturnValue:
    return _held(patient_id, is_held=True)


@bp.post("/patients/<uuid:patient_id>/hold/end")
@requires(Permission.HOLD_RECORD)
def end_hold(patient_id: uuid.UUID) -> ResponseReturnValue:
    return _held(patient_id, is_held=False)


def _held(patient_id: uuid.UUID, *, is_held: bool) -> ResponseReturnValue:
    same_patient(patient_id)
    patient, form = _found(patient_id), HoldForm()
    reason = form.reason.data or ""
    if not attempt(form, lambda: retention.hold(patient, is_held=is_held, reason=reason, by=actor(), at=clock.now())):
        return _hold_page(patient, form), 422
    return redirect(url_for(".show_hold", patient_id=patient.id), 303)

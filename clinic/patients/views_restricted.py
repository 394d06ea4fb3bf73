"""Restricted charts: who may open one, the glass that others break, and who looks at that afterwards."""

import uuid

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the published types

from clinic.accounts import operations as accounts
from clinic.accounts import queries as staff
from clinic.accounts.current import actor
from clinic.accounts.second_person import clinicians
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, same_patient
from clinic.patients import queries, restricting
from clinic.patients.forms import KIND_WORDS, GlassForm, RestrictionForm, ReviewForm
from clinic.patients.models import ChartOpening, Patient
from clinic.patients.pages import bar
from clinic.patients.restricting_rules import REVIEW_WITHIN, OpeningKind
from clinic.patients.views import bp, found

# --- who may open a chart --------------------------------------------------------------------------------------------


def _restriction_form(*, is_drawn: bool) -> RestrictionForm:
    form = RestrictionForm(formdata=None) if is_drawn else RestrictionForm()
    form.team.choices = [SelectChoice(value=str(person.id), label=person.name) for person in clinicians()]
    return form


def _restriction_page(patient: Patient, form: RestrictionForm) -> str:
    restriction = restricting.restriction_of(patient.id)
    team = restricting.team_of(restriction) if restriction else frozenset()
    if restriction is not None and form.team.data is None:
        form.team.data = [str(staff_id) for staff_id in team]
    return render_template(
        "patients/restriction.html",
        patient=patient,
        bar=bar(patient, now=clock.now()),
        restriction=restriction,
        team=[person.name for person in staff.staff_by_id(team).values()],
        form=form,
    )


@bp.get("/patients/<uuid:patient_id>/restriction")
@requires(Permission.RESTRICT_CHART)
def show_restriction(patient_id: uuid.UUID) -> ResponseReturnValue:
    return _restriction_page(found(patient_id, "restriction"), _restriction_form(is_drawn=True))


@bp.post("/patients/<uuid:patient_id>/restriction")
@requires(Permission.RESTRICT_CHART)
def restrict(patient_id: uuid.UUID) -> ResponseReturnValue:
    """Leave the chart to those who treat the patient."""
    same_patient(patient_id)
    patient, form = found(patient_id, "restriction"), _restriction_form(is_drawn=False)
    made = attempt(
        form,
        lambda: restricting.restrict(
            patient,
            [uuid.UUID(key) for key in form.team.data or []],
            form.reason.data or "",
            by=actor(),
            at=clock.now(),
        ),
    )
    if made is None:
        return _restriction_page(patient, form), 422
    flash("Restricted. Others open it by break-glass only")
    return redirect(url_for(".list_patients"), 303)


@bp.post("/patients/<uuid:patient_id>/restriction/lift")
@requires(Permission.RESTRICT_CHART)
def lift_restriction(patient_id: uuid.UUID) -> ResponseReturnValue:
    """Open the chart to everybody who may read charts."""
    same_patient(patient_id)
    patient, form = found(patient_id, "restriction"), _restriction_form(is_drawn=False)
    lifted = attempt(form, lambda: restricting.lift(patient, form.reason.data or "", by=actor(), at=clock.now()))
    if lifted is None:
        return _restriction_page(patient, form), 422
    return redirect(url_for(".show_patient", patient_id=patient.id), 303)


# --- the glass -------------------------------------------------------------------------------------------------------


def _glass_page(patient: Patient, form: GlassForm) -> str:
    return render_template("patients/break_glass.html", patient=patient, form=form)


def _closed(patient_id: uuid.UUID) -> Patient:
    """A patient whose chart is closed to the person at the screen; the page shows the name that every list shows."""
    patient = queries.patient(patient_id)
    if patient is None or patient.id not in restricting.closed_to(actor().id, at=clock.now()):
        abort(404)
    return patient


@bp.get("/patients/<uuid:patient_id>/break-glass")
@requires(Permission.BREAK_GLASS)
def show_glass(patient_id: uuid.UUID) -> ResponseReturnValue:
    return _glass_page(_closed(patient_id), GlassForm(formdata=None))


@bp.post("/patients/<uuid:patient_id>/break-glass")
@requires(Permission.BREAK_GLASS)
def break_glass(patient_id: uuid.UUID) -> ResponseReturnValue:
    """Open one restricted chart for an hour; the own password is asked for, and somebody else looks at it."""
    same_patient(patient_id)
    patient, form = _closed(patient_id), GlassForm()

    def open_it() -> ChartOpening:
        at = clock.now()
        accounts.check_password(actor(), form.password.data or "", at=at, refused=AuditAction.SIGN_IN_REFUSED)
        return restricting.open_chart(patient, OpeningKind(form.kind.data), form.reason.data or "", by=actor(), at=at)

    if attempt(form, open_it) is None:
        return _glass_page(patient, form), 422
    return redirect(url_for(".show_patient", patient_id=patient.id), 303)


@bp.post("/break-glass/<uuid:opening_id>/end")
@requires(Permission.BREAK_GLASS)
def end_opening(opening_id: uuid.UUID) -> ResponseReturnValue:
    if restricting.end_opening(opening_id, by=actor(), at=clock.now()) is None:
        abort(404)
    flash("The chart is closed again")
    return redirect(url_for("home"), 303)


# --- who looks at it -------------------------------------------------------------------------------------------------


def _openings_page(form: ReviewForm, refused_id: uuid.UUID | None = None) -> str:
    waiting, done = restricting.unreviewed(), restricting.reviews()
    openings = [*waiting, *(opening for _, opening in done)]
    people = {opening.opened_by_id for opening in openings} | {review.recorded_by_id for review, _ in done}
    return render_template(
        "patients/openings.html",
        waiting=waiting,
        done=done,
        people=staff.staff_by_id(people),
        patients=queries.patients_by_id({opening.patient_id for opening in openings}),
        kinds=KIND_WORDS,
        overdue_before=clock.now() - REVIEW_WITHIN,
        form=form,
        refused_id=refused_id,
    )


@bp.get("/break-glass")
@requires(Permission.REVIEW_OPENING)
def list_openings() -> ResponseReturnValue:
    """The restricted charts that somebody opened, first those that nobody has looked at."""
    return _openings_page(ReviewForm(formdata=None))


@bp.post("/break-glass/<uuid:opening_id>/review")
@requires(Permission.REVIEW_OPENING)
def review_opening(opening_id: uuid.UUID) -> ResponseReturnValue:
    """Say what one found; nobody does for oneself."""
    form = ReviewForm()
    opening = restricting.opening(opening_id)
    if opening is None:
        abort(404)
    is_in_order = form.verdict.data == "yes"
    made = attempt(
        form,
        lambda: restricting.review(
            opening, is_in_order=is_in_order, note=form.note.data or "", by=actor(), at=clock.now()
        ),
    )
    if made is None:
        return _openings_page(form, opening_id), 422
    flash("Noted")
    return redirect(url_for(".list_openings"), 303)

"""Referrals of a patient: who sent the patient here and for what, and whether a physician accepts."""

import uuid

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, onward, place_in_inbox, same_patient
from clinic.patients import referrals
from clinic.patients.forms import CorrectReferralForm, ReferralForm, VerdictForm
from clinic.patients.models import Patient, Referral
from clinic.patients.pages import bar, today
from clinic.patients.referral_queries import current_referrals, earlier_referrals
from clinic.patients.referral_rules import ReferralDecision
from clinic.patients.views import bp, found


def _page(
    patient: Patient, form: ReferralForm | None = None, verdict: VerdictForm | None = None, at: uuid.UUID | None = None
) -> str:
    """`at` is the referral that a refused form is about."""
    rows = current_referrals(patient.id)
    chosen = next((row for row in rows if row.id == (at or _asked())), rows[0] if rows else None)
    is_correcting = isinstance(form, CorrectReferralForm) or (chosen is not None and "correct" in request.args)
    if form is None:
        form = CorrectReferralForm(formdata=None, obj=chosen) if is_correcting else ReferralForm(formdata=None)
    return render_template(
        "patients/referrals.html",
        patient=patient,
        bar=bar(patient, now=clock.now()),
        referrals=rows,
        chosen=chosen,
        earlier=earlier_referrals(patient.id),
        form=verdict if verdict is not None and verdict.errors else form,
        referral_form=form,
        verdict_form=verdict or VerdictForm(formdata=None),
        is_correcting=is_correcting,
        inbox=place_in_inbox(),
    )


def _asked() -> uuid.UUID | None:
    return request.args.get("at", type=uuid.UUID)


@bp.get("/patients/<uuid:patient_id>/referrals")
@requires(Permission.READ_CHART)
def show_referrals(patient_id: uuid.UUID) -> ResponseReturnValue:
    return _page(found(patient_id, "referrals"))


@bp.post("/patients/<uuid:patient_id>/referrals")
@requires(Permission.RECORD_SCREENING)
def record_referral(patient_id: uuid.UUID) -> ResponseReturnValue:
    same_patient(patient_id)
    patient = found(patient_id, "referrals")
    form, now = ReferralForm(), clock.now()
    made = attempt(form, lambda: referrals.record(patient, form.said(), by=actor(), at=now, today=today(now)))
    if made is None:
        return _page(patient, form), 422
    return redirect(url_for(".show_referrals", patient_id=patient.id), 303)


def _referral(patient: Patient, referral_id: uuid.UUID) -> Referral:
    return next((row for row in current_referrals(patient.id) if row.id == referral_id), None) or abort(404)


@bp.post("/patients/<uuid:patient_id>/referrals/<uuid:referral_id>/correct")
@requires(Permission.RECORD_SCREENING)
def correct_referral(patient_id: uuid.UUID, referral_id: uuid.UUID) -> ResponseReturnValue:
    """Write it down again, as when more information came."""
    same_patient(patient_id)
    patient = found(patient_id, "referrals")
    referral = _referral(patient, referral_id)
    form, now = CorrectReferralForm(), clock.now()

    def act() -> Referral:
        return referrals.correct(
            referral, form.said(), reason=form.reason.data or "", by=actor(), at=now, today=today(now)
        )

    if attempt(form, act) is None:
        return _page(patient, form, at=referral.id), 422
    return redirect(url_for(".show_referrals", patient_id=patient.id), 303)


@bp.post("/patients/<uuid:patient_id>/referrals/<uuid:referral_id>/decide")
@requires(Permission.SETTLE_SCREENING)
def decide_referral(patient_id: uuid.UUID, referral_id: uuid.UUID) -> ResponseReturnValue:
    """Accept, decline, or ask for more information."""
    same_patient(patient_id)
    patient = found(patient_id, "referrals")
    referral = _referral(patient, referral_id)
    form = VerdictForm()

    def act() -> object:
        decision = ReferralDecision(form.decision.data)
        return referrals.decide(referral, decision, form.reason.data, by=actor(), at=clock.now())

    if attempt(form, act) is None:
        return _page(patient, verdict=form, at=referral.id), 422
    flash("Decided")
    return redirect(onward(url_for(".show_referrals", patient_id=patient.id)), 303)

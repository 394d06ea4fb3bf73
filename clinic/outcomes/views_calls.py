"""Pages about the call after a session, and who is still to be called."""

import uuid
from datetime import datetime, timedelta

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import same_patient
from clinic.outcomes import operations, queries
from clinic.outcomes.forms import CallForm
from clinic.outcomes.models import FollowUpCall, OutcomeResult
from clinic.outcomes.rules import MOST_CALLS, FollowUp, Instrument, Occasion, follow_up_state
from clinic.outcomes.views_shared import bar, bp, link
from clinic.outcomes.wording import asked_in, result_text
from clinic.sessions.models import InfusionSession

FOLLOW_UP_WITHIN = timedelta(hours=72)
"""How long after the discharge the call is made (domain reference 1.1, stage 12)."""


def _load_session(infusion_id: uuid.UUID) -> InfusionSession:
    infusion = queries.session(infusion_id) or abort(404)
    if request.method == "POST":
        same_patient(infusion.patient_id)
    return infusion


def _draw_calls(infusion: InfusionSession, form: CallForm) -> str:
    reading.note(AuditAction.SESSION_READ, infusion, actor_id=actor().id, page="follow-up")
    calls = queries.calls_of_session(infusion.id)
    state = follow_up_state([call.is_reached for call in calls])
    return render_template(
        "outcomes/follow_up.html",
        infusion=infusion,
        bar=bar(infusion.patient, weight=infusion.weight, chair=infusion.chair.name),
        calls=calls,
        state=state,
        FollowUp=FollowUp,
        most_calls=MOST_CALLS,
        due_until=infusion.discharge.discharged_at + FOLLOW_UP_WITHIN if infusion.discharge else None,
        answers=[(asked_in(row).name, result_text(row)) for row in _said(infusion)],
        form=form,
        session_url=link("sessions.show_session", infusion_id=infusion.id),
    )


def _said(infusion: InfusionSession) -> list[OutcomeResult]:
    return [row for row in queries.results_of_session(infusion.id) if row.occasion is Occasion.FOLLOW_UP]


@bp.get("/sessions/<uuid:infusion_id>/follow-up")
@requires(Permission.READ_OUTCOME)
def show_follow_up(infusion_id: uuid.UUID) -> ResponseReturnValue:
    return _draw_calls(_load_session(infusion_id), CallForm.at(clock.now()))


@bp.post("/sessions/<uuid:infusion_id>/follow-up")
@requires(Permission.RECORD_OUTCOME)
def record_follow_up(infusion_id: uuid.UUID) -> ResponseReturnValue:
    infusion = _load_session(infusion_id)
    form = CallForm()
    if form.validate_on_submit():
        try:
            call = _record(infusion, form)
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash("Call saved" if call.is_reached else "Attempt saved")
            return redirect(url_for(".show_follow_up", infusion_id=infusion_id), 303)
    return _draw_calls(infusion, form), 422


def _record(infusion: InfusionSession, form: CallForm) -> FollowUpCall:
    """Keep the call, and what the patient answered in it as outcomes of the session."""
    called_at, at, is_reached = form.instant(), clock.now(), form.is_reached.data == "yes"
    if not is_reached and (form.pain.data or form.change.data):
        raise RuleBroken("Somebody who was not reached has answered nothing.", field="is_reached")
    call = operations.record_follow_up_call(
        infusion, called_at=called_at, is_reached=is_reached, text=form.text.data, by=actor(), at=at
    )
    for instrument, answer in ((Instrument.NRS, form.pain.data), (Instrument.PGIC, form.change.data)):
        if answer:
            _answer(infusion, instrument, int(answer), called_at=called_at, at=at)
    return call


def _answer(
    infusion: InfusionSession, instrument: Instrument, answer: int, *, called_at: datetime, at: datetime
) -> None:
    operations.record_outcome(
        infusion.course,
        instrument,
        [answer],
        occasion=Occasion.FOLLOW_UP,
        answered_at=called_at,
        infusion=infusion,
        by=actor(),
        at=at,
    )


@bp.get("/follow-up-calls")
@requires(Permission.READ_OUTCOME)
def list_due_calls() -> ResponseReturnValue:
    now = clock.now()
    infusions = queries.sessions_to_call(now - FOLLOW_UP_WITHIN, now)
    calls = queries.calls_by_session([row.id for row in infusions])
    rows = [(row, len(calls.get(row.id, ()))) for row in infusions]
    reading.note(AuditAction.BOARD_READ, None, actor_id=actor().id, page="follow-up calls")
    waiting = [(row, tried) for row, tried in rows if tried < MOST_CALLS]
    return render_template("outcomes/due_calls.html", rows=waiting, most_calls=MOST_CALLS, within=FOLLOW_UP_WITHIN)

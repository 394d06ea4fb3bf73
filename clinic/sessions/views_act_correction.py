"""Corrections of what was recorded about the pump, by the one who recorded it or a physician."""

import uuid
from datetime import datetime
from typing import Any, Final

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt
from clinic.core.times import clock_label
from clinic.sessions import operations, queries
from clinic.sessions.forms_acts import ActCorrectionForm, number
from clinic.sessions.models import AdministrationEvent, InfusionSession
from clinic.sessions.pages_log import log_rows
from clinic.sessions.progress import current, progress
from clinic.sessions.pump_rules import KIND_WORDS
from clinic.sessions.rules import AdministrationKind
from clinic.sessions.views_shared import bp, frame, load, zone

# What the nurse read or did in an act of each kind, besides its time and its reason.
_QUANTITIES: Final = {
    AdministrationKind.START: ("rate_ml_h", "volume_to_infuse_ml"),
    AdministrationKind.RATE_CHANGE: ("rate_ml_h", "pump_volume_ml"),
    AdministrationKind.PAUSE: (),
    AdministrationKind.RESUME: ("rate_ml_h",),
    AdministrationKind.BOLUS: ("bolus_mg", "bolus_over_min"),
    AdministrationKind.BAG_CHANGE: ("volume_to_infuse_ml", "rate_ml_h", "pump_volume_ml"),
    AdministrationKind.STOP: ("pump_volume_ml",),
}


@bp.get("/acts/<uuid:event_id>/correct")
@requires(Permission.RUN_SESSION)
def show_act_correction(event_id: uuid.UUID) -> ResponseReturnValue:
    """An act at the pump as it was recorded, to be corrected or withdrawn."""
    event, infusion = _act(event_id)
    was = {name: getattr(event, name) for name in _QUANTITIES[event.kind]}
    form = ActCorrectionForm(formdata=None, said=event.reason, **was)
    form.draw(event.happened_at, zone())
    return _page(infusion, event, form)


@bp.post("/acts/<uuid:event_id>/correct")
@requires(Permission.RUN_SESSION)
def correct_act(event_id: uuid.UUID) -> ResponseReturnValue:
    """Put a corrected entry in the place of one about the pump, or withdraw it; the first stays, struck through."""
    event, infusion = _act(event_id)
    form, now = ActCorrectionForm(), clock.now()
    is_withdrawn = request.form.get("act") == "withdraw"

    def act() -> AdministrationEvent:
        reason = form.reason.data or ""
        if is_withdrawn:
            return operations.void_administration(event, reason, by=actor(), at=now)
        return operations.correct_administration(event, _changes(event, form, now), reason, by=actor(), at=now)

    if attempt(form, act) is not None:
        flash("Withdrawn. The entry stays, struck through." if is_withdrawn else "Corrected. The first entry stays.")
        return redirect(url_for(".show_session", infusion_id=infusion.id), 303)
    event, infusion = _act(event_id)
    return _page(infusion, event, form, 422)


def _changes(event: AdministrationEvent, form: ActCorrectionForm, now: datetime) -> dict[str, Any]:
    """Return what was changed; the time keeps its seconds unless another minute was typed."""
    changes: dict[str, Any] = {name: number(form[name]) for name in _QUANTITIES[event.kind]}
    changes["reason"] = (form.said.data or "").strip() or None
    if form.at.data is not None and f"{form.at.data:%H:%M}" != clock_label(event.happened_at, zone())[:5]:
        changes["happened_at"] = form.moment(now, zone())
    return changes


def _act(event_id: uuid.UUID) -> tuple[AdministrationEvent, InfusionSession]:
    found = queries.administration(event_id)
    if found is None:
        abort(404)
    infusion = load(found.infusion_id)
    return next(row for row in infusion.administrations if row.id == event_id), infusion


def _page(
    infusion: InfusionSession, event: AdministrationEvent, form: ActCorrectionForm, status: int = 200
) -> ResponseReturnValue:
    now = clock.now()
    rows = log_rows(infusion, progress(infusion, now), late_min=None)
    page = render_template(
        "sessions/correct_act.html",
        **frame(infusion, now),
        form=form,
        row=event,
        stands_at=event.happened_at,
        was=next((row.title for row in rows if row.act_id == event.id), KIND_WORDS[event.kind]),
        may_correct=event.recorded_by_id == actor().id or actor().may(Permission.SIGN_ORDER),
        is_standing=event in current(infusion.administrations),
        fields=[form[name] for name in _QUANTITIES[event.kind]],
        action_url=url_for(".correct_act", event_id=event.id),
        back_to=url_for(".show_session", infusion_id=infusion.id),
    )
    return page, status

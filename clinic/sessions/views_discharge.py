"""The way out: the score, the checks, and how the patient left."""

import uuid
from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.accounts.models import Staff
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, unchanged_since_drawn
from clinic.protocols.rules import DischargeScale
from clinic.sessions import operations, queries
from clinic.sessions.event_rules import DischargeExit, IvAction
from clinic.sessions.forms_discharge import DischargeForm
from clinic.sessions.models import InfusionSession
from clinic.sessions.pages_discharge import discharge_page, named_escort
from clinic.sessions.progress import current, last_stop, progress
from clinic.sessions.rules import SessionStatus
from clinic.sessions.views_shared import bp, frame, load, physicians, proved, zone
from clinic.sessions.views_sheet import drawn


def _page(infusion: InfusionSession, form: DischargeForm, status: int = 200) -> ResponseReturnValue:
    now = clock.now()
    form.offer(physicians())
    going = progress(infusion, now)
    page = render_template(
        "sessions/discharge.html",
        **frame(infusion, now),
        form=form,
        page=discharge_page(infusion, going, form.items, zone=zone()),
        following=queries.next_of_course(infusion.course_id, now),
        physician=infusion.course.physician.name,
    )
    return page, status


@bp.get("/sessions/<uuid:infusion_id>/discharge")
@requires(Permission.RUN_SESSION)
def show_discharge(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Score and checks, nothing answered before."""
    infusion = load(infusion_id)
    if infusion.status is not SessionStatus.RECOVERING:
        return redirect(url_for(".show_session", infusion_id=infusion.id), 303)
    return _page(infusion, drawn(DischargeForm(formdata=None)))


@bp.post("/sessions/<uuid:infusion_id>/discharge")
@requires(Permission.RUN_SESSION)
def discharge(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Save the score, or discharge the patient with it."""
    infusion, form, now = load(infusion_id), DischargeForm(), clock.now()
    form.offer(physicians())
    if infusion.status is not SessionStatus.RECOVERING:
        return redirect(url_for(".show_session", infusion_id=infusion.id), 303)
    unchanged_since_drawn(infusion, "This session was changed meanwhile. Look at it again.")
    is_score_alone = request.form.get("act") == "score"

    def act() -> bool:
        when = form.moment(now, zone(), after=last_stop(infusion))
        _assess(infusion, form, when, now)
        if not is_score_alone:
            _discharge(infusion, form, when, now)
        return True

    if attempt(form, act):
        flash("Score saved." if is_score_alone else "Discharged. Write and sign the session note.")
        onwards = ".show_discharge" if is_score_alone else ".show_session"
        return redirect(url_for(onwards, infusion_id=infusion.id), 303)
    return _page(load(infusion_id), form, 422)


def _assess(infusion: InfusionSession, form: DischargeForm, when: datetime, now: datetime) -> None:
    if all(item is None for item in form.items):
        return
    scale = infusion.order_version.terms.discharge_scale or DischargeScale.MPADSS
    operations.assess_discharge(infusion, scale, form.items, assessed_at=when, by=actor(), at=now)


def _discharge(infusion: InfusionSession, form: DischargeForm, when: datetime, now: datetime) -> None:
    escort = named_escort(infusion)
    is_here = form.escort_here.data == "yes"
    # Who says that the escort is here has said how the patient leaves.
    way = form.exit.data or (DischargeExit.HOME_WITH_ESCORT if is_here else None)
    if way is None:
        raise RuleBroken("Choose how the patient leaves.", field="exit")
    is_removed = form.line_removed.data == "yes"
    if is_removed and not any(row.action is IvAction.REMOVED for row in current(infusion.iv_records)):
        operations.record_iv(infusion, IvAction.REMOVED, happened_at=when, by=actor(), at=now)
    operations.discharge(
        infusion,
        discharged_at=when,
        exit=DischargeExit(way),
        is_cannula_removed=is_removed,
        is_escort_present=is_here,
        escort_name=(form.escort_name.data or "").strip() or (escort.contact_name if escort else None),
        escort_phone=(form.escort_phone.data or "").strip() or (escort.contact_phone if escort else None),
        instructions=_instructions(form),
        language=form.language.data,
        destination=form.destination.data,
        reason=form.reason.data,
        override_by=_override_by(form, now),
        override_reason=form.override_reason.data,
        by=actor(),
        at=now,
    )


def _instructions(form: DischargeForm) -> str | None:
    """Return what was handed out and said; nothing counts as given unless somebody said yes."""
    if form.sheet_given.data != "yes":
        return None
    which = (form.instructions.data or "").strip()
    driving = "knows: no driving today" if form.no_driving.data == "yes" else ""
    return ", ".join(part for part in ("sheet for home", which, driving) if part)


def _override_by(form: DischargeForm, now: datetime) -> Staff | None:
    if not form.override_by_id.data:
        return None
    return proved(
        form.override_by_id.data,
        form.password.data or "",
        permission=Permission.OVERRIDE_DISCHARGE,
        at=now,
        field="override_by_id",
    )

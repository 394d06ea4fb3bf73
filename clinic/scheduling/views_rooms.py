"""Chairs: what each has, and when it is closed."""

import uuid
from collections.abc import Sequence
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock, formats
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.forms import Form
from clinic.core.permissions import Permission, requires
from clinic.scheduling import operations, operations_rooms, queries, queries_rooms
from clinic.scheduling.forms import ChairForm, ClosureForm, ReasonForm, chair_choices, instant_of
from clinic.scheduling.forms_rooms import FeaturesForm
from clinic.scheduling.models import Appointment, Chair
from clinic.scheduling.operations import ChairInUse
from clinic.scheduling.operations_breaking import WouldBreak
from clinic.scheduling.rules import ChairKind
from clinic.scheduling.views import bp


def _chairs_page(
    *, chair: ChairForm | None = None, closure: ClosureForm | None = None, standing: Sequence[Appointment] = ()
) -> str:
    chairs, sites = queries.chairs(), queries.sites()
    form: Form | None = chair or closure
    chair = chair or ChairForm(formdata=None)
    closure = closure or ClosureForm(formdata=None, prefix="close-")
    chair.offer(sites)
    closure.chair.choices = chair_choices(chairs)
    return render_template(
        "scheduling/chairs.html",
        chairs=chairs,
        has_sites=len(sites) > 1,
        closures=queries.closures_between(clock.now()),
        form=form,
        chair_form=chair,
        closure_form=closure,
        standing=standing,
        replan_url=_replan_url() if standing else None,
    )


def _replan_url() -> str:
    """The new plan that makes room for the closure that was typed, and then closes the chair."""
    names = ("chair", "from_day", "from_time", "until_day", "until_time", "reason")
    typed: dict[str, Any] = {name: request.form.get(f"close-{name}") for name in names}
    return url_for(".show_replan", what="chair", **typed)


@bp.get("/calendar/chairs/<uuid:chair_id>")
@requires(Permission.BOOK)
def show_chair(chair_id: uuid.UUID) -> ResponseReturnValue:
    chair = queries_rooms.chair(chair_id) or abort(404)
    return _chair_page(chair, FeaturesForm.of(chair))


@bp.post("/calendar/chairs/<uuid:chair_id>/change")
@requires(Permission.BOOK)
def change_chair(chair_id: uuid.UUID) -> ResponseReturnValue:
    chair = queries_rooms.chair(chair_id) or abort(404)
    form = FeaturesForm()
    standing: Sequence[Appointment] = ()
    if form.validate():
        try:
            operations_rooms.change_chair(
                chair, form.features, by=actor(), at=clock.now(), seen=form.seen.data, drawn=form.drawn.data
            )
        except Conflict as conflict:
            raise form.explain(conflict, type(form).of(chair), url_for(".show_chair", chair_id=chair.id)) from None
        except WouldBreak as refusal:
            form.refuse(refusal)
            form.seen.data, standing = refusal.key, refusal.standing
        else:
            flash(f"Chair {chair.name} is changed.")
            return redirect(url_for(".list_chairs"), 303)
    return _chair_page(chair, form, standing), 422


@bp.post("/calendar/chairs/<uuid:chair_id>/retire")
@requires(Permission.BOOK)
def retire_chair(chair_id: uuid.UUID) -> ResponseReturnValue:
    chair = queries_rooms.chair(chair_id) or abort(404)
    try:
        operations_rooms.retire_chair(chair, by=actor(), at=clock.now())
    except ChairInUse as refusal:
        flash(refusal.message, "warn")
        return _chair_page(chair, FeaturesForm.of(chair), refusal.standing), 422
    flash(f"Chair {chair.name} is offered no more.")
    return redirect(url_for(".list_chairs"), 303)


def _chair_page(chair: Chair, form: FeaturesForm, standing: Sequence[Appointment] = ()) -> str:
    return render_template("scheduling/chair.html", chair=chair, form=form, standing=standing)


@bp.get("/calendar/chairs")
@requires(Permission.BOOK)
def list_chairs() -> ResponseReturnValue:
    return _chairs_page()


@bp.post("/calendar/chairs/add")
@requires(Permission.BOOK)
def add_chair() -> ResponseReturnValue:
    form = ChairForm()
    form.offer(queries.sites())
    if form.validate():
        try:
            made = operations.add_chair(
                uuid.UUID(form.site.data),
                form.name.data or "",
                kind=ChairKind(form.kind.data),
                by=actor(),
                at=clock.now(),
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash(f"Added {made.kind} {made.name}.")
            return redirect(url_for(".list_chairs"), 303)
    return _chairs_page(chair=form), 422


@bp.post("/calendar/chairs/close")
@requires(Permission.BOOK)
def close_chair() -> ResponseReturnValue:
    form = ClosureForm(prefix="close-")
    chairs = queries.chairs()
    form.chair.choices = chair_choices(chairs)
    standing: Sequence[Appointment] = ()
    if form.validate():
        starts_at = instant_of(form.from_day, form.from_time)
        ends_at = instant_of(form.until_day, form.until_time)
        chair = next(each for each in chairs if str(each.id) == form.chair.data)
        if starts_at is not None and ends_at is not None:
            try:
                operations.close_chair(
                    chair,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    reason=form.reason.data or "",
                    by=actor(),
                    at=clock.now(),
                )
            except RuleBroken as refusal:
                form.refuse(refusal)
                standing = refusal.standing if isinstance(refusal, ChairInUse) else ()
            else:
                flash(f"Chair {chair.name} is closed from {formats.weekday_day(starts_at)} {formats.clock(starts_at)}.")
                return redirect(url_for(".list_chairs"), 303)
    return _chairs_page(closure=form, standing=standing), 422


@bp.post("/calendar/closures/<uuid:closure_id>/reopen")
@requires(Permission.BOOK)
def reopen_chair(closure_id: uuid.UUID) -> ResponseReturnValue:
    closure = queries.closure(closure_id) or abort(404)
    form = ReasonForm()
    if form.validate():
        try:
            operations.reopen_chair(closure, reason=form.reason.data or "", by=actor(), at=clock.now())
        except RuleBroken as refusal:
            flash(refusal.message, "warn")
        else:
            flash(f"Chair {closure.chair.name} is open again.")
    else:
        flash("Nothing was changed: say why the chair is open again.", "warn")
    return redirect(url_for(".list_chairs"), 303)

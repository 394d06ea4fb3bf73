"""Chairs and their closures; who is on duty in a week."""

import uuid
from collections.abc import Sequence
from datetime import date, timedelta

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import queries as accounts
from clinic.accounts.current import actor
from clinic.accounts.models import Staff
from clinic.core import clock, formats, times
from clinic.core.errors import RuleBroken
from clinic.core.forms import Form
from clinic.core.permissions import Permission, Role, requires
from clinic.scheduling import operations, queries
from clinic.scheduling.forms import ChairForm, ClosureForm, ReasonForm, ShiftForm, chair_choices, instant_of
from clinic.scheduling.models import Appointment, Shift
from clinic.scheduling.operations import ChairInUse
from clinic.scheduling.rules import ChairKind, week_of
from clinic.scheduling.views import bp, today, week_asked
from clinic.scheduling.week import start_of_day

_ON_DUTY = (Role.NURSE, Role.PHYSICIAN)


# --- chairs ----------------------------------------------------------------------------------------------------------


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
    )


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


# --- shifts ----------------------------------------------------------------------------------------------------------


def _days(monday: date) -> list[date]:
    return [monday + timedelta(days=step) for step in range(7)]


def _shift_form(monday: date, people: Sequence[Staff], form: ShiftForm) -> ShiftForm:
    form.staff_id.choices = {"": "Choose"} | {str(each.id): each.name for each in people}
    form.days.choices = {str(day): f"{formats.weekday(day)} {day.day}" for day in _days(monday)}
    return form


def _shifts_page(monday: date, form: ShiftForm | None = None) -> str:
    zone = formats.zone.get()
    people = accounts.staff_in_role(*_ON_DUTY)
    shifts = queries.shifts_between(start_of_day(monday, zone), start_of_day(monday + timedelta(days=7), zone))
    table: dict[Staff, dict[date, list[Shift]]] = {}
    for shift in sorted(shifts, key=lambda each: (each.staff.family_name, each.staff.given_name)):
        day = times.local(shift.starts_at, zone).date()
        table.setdefault(shift.staff, {}).setdefault(day, []).append(shift)
    return render_template(
        "scheduling/shifts.html",
        monday=monday,
        this_week=week_of(today()),
        before=monday - timedelta(days=7),
        after=monday + timedelta(days=7),
        days=_days(monday),
        table=table,
        form=form,
        shift_form=_shift_form(monday, people, form or ShiftForm(formdata=None)),
    )


@bp.get("/calendar/shifts")
@requires(Permission.BOOK)
def list_shifts() -> ResponseReturnValue:
    return _shifts_page(week_of(week_asked()))


@bp.post("/calendar/shifts/add")
@requires(Permission.BOOK)
def add_shifts() -> ResponseReturnValue:
    monday = week_of(week_asked())
    people = accounts.staff_in_role(*_ON_DUTY)
    form = _shift_form(monday, people, ShiftForm())
    if form.validate():
        person = next(each for each in people if str(each.id) == form.staff_id.data)
        try:
            for text in form.days.data or ():
                start, end = form.instants(date.fromisoformat(text))
                operations.add_shift(person, starts_at=start, ends_at=end, by=actor(), at=clock.now())
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash(f"{person.name} is on duty.")
            return redirect(url_for(".list_shifts", week=monday), 303)
    return _shifts_page(monday, form), 422


@bp.post("/calendar/shifts/<uuid:shift_id>/remove")
@requires(Permission.BOOK)
def remove_shift(shift_id: uuid.UUID) -> ResponseReturnValue:
    shift = queries.shift(shift_id) or abort(404)
    monday = week_of(times.local(shift.starts_at, formats.zone.get()).date())
    operations.remove_shift(shift, by=actor(), at=clock.now())
    flash(f"Removed the shift of {shift.staff.name}.")
    return redirect(url_for(".list_shifts", week=monday), 303)

"""Who is on duty in a week, with breaks and limits of their own."""

import uuid
from collections.abc import Sequence
from datetime import date, time, timedelta

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import queries as accounts
from clinic.accounts.current import actor
from clinic.accounts.models import Staff
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, formats, times
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.forms import Form
from clinic.core.permissions import Permission, Role, requires
from clinic.scheduling import operations, operations_shifts, queries, queries_rooms
from clinic.scheduling.cover import without_duty
from clinic.scheduling.forms import ShiftForm, instant_on
from clinic.scheduling.forms_rooms import BreakForm, ShiftLimitsForm
from clinic.scheduling.models import Shift
from clinic.scheduling.operations_breaking import WouldBreak
from clinic.scheduling.rules import week_of
from clinic.scheduling.views import bp, today, week_asked
from clinic.scheduling.week import start_of_day

_ON_DUTY = (Role.NURSE, Role.PHYSICIAN)


def _days(monday: date) -> list[date]:
    return [monday + timedelta(days=step) for step in range(7)]


def _shift_form(monday: date, people: Sequence[Staff], form: ShiftForm) -> ShiftForm:
    form.staff_id.choices = {"": "Choose"} | {str(each.id): each.name for each in people}
    form.days.choices = {str(day): f"{formats.weekday(day)} {day.day}" for day in _days(monday)}
    return form


def _shifts_page(monday: date, form: ShiftForm | None = None) -> str:
    zone = formats.zone.get()
    people = accounts.staff_in_role(*_ON_DUTY)
    first, last = start_of_day(monday, zone), start_of_day(monday + timedelta(days=7), zone)
    shifts = queries.shifts_between(first, last)
    table: dict[Staff, dict[date, list[Shift]]] = {}
    for shift in sorted(shifts, key=lambda each: (each.staff.family_name, each.staff.given_name)):
        day = times.local(shift.starts_at, zone).date()
        table.setdefault(shift.staff, {}).setdefault(day, []).append(shift)
    uncovered = without_duty(shifts, max(first, clock.now()), last)
    if uncovered:
        reading.note(AuditAction.BOARD_READ, None, actor_id=actor().id, page="shifts")
    return render_template(
        "scheduling/shifts.html",
        monday=monday,
        this_week=week_of(today()),
        before=monday - timedelta(days=7),
        after=monday + timedelta(days=7),
        days=_days(monday),
        table=table,
        uncovered=uncovered,
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


@bp.get("/calendar/shifts/<uuid:shift_id>")
@requires(Permission.BOOK)
def show_shift(shift_id: uuid.UUID) -> ResponseReturnValue:
    return _shift_page(queries.shift(shift_id) or abort(404))


def _shift_page(shift: Shift, form: Form | None = None, broken: RuleBroken | None = None) -> str:
    """One shift with its breaks and limits; what a change would leave outside is shown, and named in the form."""
    limits = form if isinstance(form, ShiftLimitsForm) else ShiftLimitsForm.of(shift)
    pause = form if isinstance(form, BreakForm) else BreakForm(formdata=None, prefix="break-")
    if broken is not None and form is not None:
        form.refuse(broken)
        if isinstance(broken, WouldBreak):
            form["seen"].data = broken.key
    return render_template(
        "scheduling/shift.html",
        shift=shift,
        day=times.local(shift.starts_at, formats.zone.get()).date(),
        form=form,
        limits_form=limits,
        break_form=pause,
        broken=broken if isinstance(broken, WouldBreak) else None,
    )


@bp.post("/calendar/shifts/<uuid:shift_id>/limits")
@requires(Permission.BOOK)
def set_shift_limits(shift_id: uuid.UUID) -> ResponseReturnValue:
    shift, form = queries.shift(shift_id) or abort(404), ShiftLimitsForm()
    if not form.validate():
        return _shift_page(shift, form), 422
    at_once, per_quarter = form.patients_at_once.data, form.starts_per_quarter.data
    try:
        operations_shifts.set_shift_limits(
            shift,
            patients_at_once=None if at_once is None else int(at_once),
            starts_per_quarter=None if per_quarter is None else int(per_quarter),
            by=actor(),
            at=clock.now(),
            seen=form.seen.data,
            drawn=form.drawn.data,
        )
    except Conflict as conflict:
        raise form.explain(conflict, type(form).of(shift), url_for(".show_shift", shift_id=shift.id)) from None
    except RuleBroken as refusal:
        return _shift_page(shift, form, refusal), 422
    flash("The limits of this shift are set.")
    return redirect(url_for(".show_shift", shift_id=shift.id), 303)


@bp.post("/calendar/shifts/<uuid:shift_id>/break")
@requires(Permission.BOOK)
def add_break(shift_id: uuid.UUID) -> ResponseReturnValue:
    shift, form = queries.shift(shift_id) or abort(404), BreakForm(prefix="break-")
    if not form.validate():
        return _shift_page(shift, form), 422
    day = times.local(shift.starts_at, formats.zone.get()).date()
    try:
        start, end = instant_on(day, form.from_time.data or time(), form.until_time.data or time())
        operations_shifts.add_break(
            shift, starts_at=start, ends_at=end, by=actor(), at=clock.now(), seen=form.seen.data
        )
    except RuleBroken as refusal:
        return _shift_page(shift, form, refusal), 422
    flash(f"{shift.staff.name} has a break at {formats.clock(start)}.")
    return redirect(url_for(".show_shift", shift_id=shift.id), 303)


@bp.post("/calendar/shifts/breaks/<uuid:break_id>/remove")
@requires(Permission.BOOK)
def remove_break(break_id: uuid.UUID) -> ResponseReturnValue:
    found = queries_rooms.one_break(break_id) or abort(404)
    shift = found.shift
    operations_shifts.remove_break(found, by=actor(), at=clock.now())
    flash("Removed the break.")
    return redirect(url_for(".show_shift", shift_id=shift.id), 303)


@bp.post("/calendar/shifts/<uuid:shift_id>/remove")
@requires(Permission.BOOK)
def remove_shift(shift_id: uuid.UUID) -> ResponseReturnValue:
    shift = queries.shift(shift_id) or abort(404)
    monday = week_of(times.local(shift.starts_at, formats.zone.get()).date())
    try:
        operations.remove_shift(shift, by=actor(), at=clock.now(), seen=request.form.get("seen"))
    except WouldBreak as refusal:
        return _shift_page(shift, broken=refusal), 422
    flash(f"Removed the shift of {shift.staff.name}.")
    return redirect(url_for(".list_shifts", week=monday), 303)

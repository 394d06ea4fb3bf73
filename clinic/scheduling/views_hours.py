"""When the clinic is open: weekly hours and closed days. Who may set them sees first what would stand outside."""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import operations as accounts
from clinic.accounts.current import actor
from clinic.core import clock, formats
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt
from clinic.scheduling import operations_hours, queries, queries_rooms
from clinic.scheduling.forms import ReasonForm
from clinic.scheduling.forms_rooms import ClosedForm, HoursForm, NewSiteForm, SiteForm
from clinic.scheduling.models import Appointment
from clinic.scheduling.models_rooms import ClosedDay, OpeningHours
from clinic.scheduling.operations_breaking import WouldBreak
from clinic.scheduling.views import bp, today

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Day(NamedTuple):
    """A weekday of a site with its rows."""

    name: str
    rows: list[OpeningHours]


def minute_words(minute: int) -> str:
    """08:00, or 24:00 for the end of the day."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def part_words(row: ClosedDay) -> str:
    """Which part of the day is closed."""
    if row.from_min is None or row.until_min is None:
        return "all day"
    return f"{minute_words(row.from_min)} to {minute_words(row.until_min)}"


def break_seen(form: SiteForm, refusal: RuleBroken) -> Sequence[Appointment]:
    """Show a refusal; what would stand outside is named in the form, so that it can be sent again."""
    form.refuse(refusal)
    if isinstance(refusal, WouldBreak):
        form.seen.data = refusal.key
        return refusal.standing
    return ()


def _page(
    *,
    hours: HoursForm | None = None,
    closed: ClosedForm | None = None,
    place: NewSiteForm | None = None,
    standing: Sequence[Appointment] = (),
) -> str:
    sites, rows = queries.sites(), queries_rooms.opening_hours()
    form = hours or closed or place
    hours = hours or HoursForm(formdata=None)
    closed = closed or ClosedForm(formdata=None, prefix="close-")
    for each in (hours, closed):
        each.offer(sites)
    return render_template(
        "scheduling/hours.html",
        weeks=[
            (site, [Day(name, _of(rows, site.id, number)) for number, name in enumerate(_WEEKDAYS, start=1)])
            for site in sites
        ],
        has_sites=len(sites) > 1,
        has_hours={row.site_id for row in rows},
        closed_days=[(row, part_words(row)) for row in queries_rooms.closed_days(today())],
        minute_words=minute_words,
        today=today(),
        form=form,
        hours_form=hours,
        closed_form=closed,
        place_form=place or NewSiteForm(formdata=None, prefix="site-"),
        standing=standing,
    )


def _of(rows: Sequence[OpeningHours], site_id: uuid.UUID, weekday: int) -> list[OpeningHours]:
    day = today()
    return [
        row
        for row in rows
        if row.site_id == site_id and row.weekday == weekday and (row.valid_until is None or row.valid_until >= day)
    ]


@bp.get("/clinic/hours")
@requires(Permission.READ_RESOURCES)
def list_hours() -> ResponseReturnValue:
    return _page()


@bp.post("/clinic/hours/set")
@requires(Permission.SET_RESOURCES)
def set_hours() -> ResponseReturnValue:
    form, sites = HoursForm(), queries.sites()
    form.offer(sites)
    standing: Sequence[Appointment] = ()
    if form.validate():
        try:
            operations_hours.set_hours(
                form.chosen_site(sites),
                [int(number) for number in form.weekdays.data or ()],
                form.spans,
                valid_from=form.valid_from.data or today(),
                valid_until=form.valid_until.data,
                by=actor(),
                at=clock.now(),
                seen=form.seen.data,
            )
        except RuleBroken as refusal:
            standing = break_seen(form, refusal)
        else:
            flash(f"The hours are set from {formats.day(form.valid_from.data or today())} on.")
            return redirect(url_for(".list_hours"), 303)
    return _page(hours=form, standing=standing), 422


@bp.post("/clinic/sites")
@requires(Permission.SET_RESOURCES)
def add_site() -> ResponseReturnValue:
    form = NewSiteForm(prefix="site-")
    made = attempt(form, lambda: accounts.add_site(form.name.data or "", by=actor(), at=clock.now()))
    if made is None:
        return _page(place=form), 422
    flash(f"{made.name} is a site of the clinic now: it has hours, chairs and drug cabinets of its own.")
    return redirect(url_for(".list_hours"), 303)


@bp.post("/clinic/hours/close")
@requires(Permission.SET_RESOURCES)
def close_days() -> ResponseReturnValue:
    form, sites = ClosedForm(prefix="close-"), queries.sites()
    form.offer(sites)
    standing: Sequence[Appointment] = ()
    if form.validate() and form.from_on.data and form.until_on.data:
        try:
            made = operations_hours.close_days(
                form.chosen_site(sites),
                from_on=form.from_on.data,
                until_on=form.until_on.data,
                span=form.span,
                reason=form.reason.data or "",
                by=actor(),
                at=clock.now(),
                seen=form.seen.data,
            )
        except RuleBroken as refusal:
            standing = break_seen(form, refusal)
        else:
            flash(f"Closed from {formats.weekday_day(made.from_on)}: {made.reason}.")
            return redirect(url_for(".list_hours"), 303)
    return _page(closed=form, standing=standing), 422


@bp.post("/clinic/hours/closed/<uuid:row_id>/reopen")
@requires(Permission.SET_RESOURCES)
def reopen_days(row_id: uuid.UUID) -> ResponseReturnValue:
    row = queries_rooms.one_closed_day(row_id) or abort(404)
    form = ReasonForm()
    if form.validate():
        try:
            operations_hours.reopen_days(row, reason=form.reason.data or "", by=actor(), at=clock.now())
        except RuleBroken as refusal:
            flash(refusal.message, "warn")
        else:
            flash(f"Open again: {formats.weekday_day(row.from_on)}.")
    else:
        flash("Nothing was changed: say why these days are open again.", "warn")
    return redirect(url_for(".list_hours"), 303)

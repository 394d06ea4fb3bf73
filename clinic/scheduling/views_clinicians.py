"""Which supervising clinicians are on site in a week."""

import uuid
from collections.abc import Sequence
from datetime import date, timedelta

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import queries as accounts
from clinic.accounts.current import actor
from clinic.accounts.models import Staff
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, formats, times
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, Role, requires
from clinic.scheduling import operations_people, queries, queries_rooms
from clinic.scheduling.cover import without_clinician
from clinic.scheduling.forms_rooms import PresenceForm
from clinic.scheduling.models_rooms import Presence
from clinic.scheduling.operations_breaking import WouldBreak
from clinic.scheduling.rules import week_of
from clinic.scheduling.views import bp, week_asked
from clinic.scheduling.week import start_of_day


def _form(monday: date, people: Sequence[Staff], form: PresenceForm) -> PresenceForm:
    days = [monday + timedelta(days=step) for step in range(7)]
    form.staff_id.choices = {"": "Choose"} | {str(each.id): each.name for each in people}
    form.days.choices = {str(day): f"{formats.weekday(day)} {day.day}" for day in days}
    form.offer(queries.sites())
    return form


def _page(
    monday: date, form: PresenceForm | None = None, *, broken: WouldBreak | None = None, row: Presence | None = None
) -> str:
    zone, people = formats.zone.get(), accounts.staff_in_role(Role.PHYSICIAN)
    first, last = start_of_day(monday, zone), start_of_day(monday + timedelta(days=7), zone)
    rows = queries_rooms.presences(first, last)
    uncovered = without_clinician(rows, max(first, clock.now()), last)
    if uncovered:
        reading.note(AuditAction.BOARD_READ, None, actor_id=actor().id, page="clinicians on site")
    return render_template(
        "scheduling/clinicians.html",
        monday=monday,
        before=monday - timedelta(days=7),
        after=monday + timedelta(days=7),
        rows=rows,
        uncovered=uncovered,
        has_sites=len(queries.sites()) > 1,
        form=form,
        presence_form=_form(monday, people, form or PresenceForm(formdata=None)),
        broken=broken,
        broken_row=row,
    )


@bp.get("/clinic/clinicians")
@requires(Permission.BOOK)
def list_clinicians() -> ResponseReturnValue:
    return _page(week_of(week_asked()))


@bp.post("/clinic/clinicians/add")
@requires(Permission.BOOK)
def add_clinicians() -> ResponseReturnValue:
    monday = week_of(week_asked())
    people = accounts.staff_in_role(Role.PHYSICIAN)
    form = _form(monday, people, PresenceForm())
    if form.validate():
        person = next(each for each in people if str(each.id) == form.staff_id.data)
        site = form.chosen_site(queries.sites())
        try:
            for text in form.days.data or ():
                start, end = form.instants(date.fromisoformat(text))
                operations_people.add_presence(site, person, starts_at=start, ends_at=end, by=actor(), at=clock.now())
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash(f"{person.name} is on site.")
            return redirect(url_for(".list_clinicians", week=monday), 303)
    return _page(monday, form), 422


@bp.post("/clinic/clinicians/<uuid:row_id>/remove")
@requires(Permission.BOOK)
def remove_clinician(row_id: uuid.UUID) -> ResponseReturnValue:
    row = queries_rooms.one_presence(row_id) or abort(404)
    monday = week_of(times.local(row.starts_at, formats.zone.get()).date())
    try:
        operations_people.remove_presence(row, by=actor(), at=clock.now(), seen=request.form.get("seen"))
    except WouldBreak as refusal:
        return _page(monday, broken=refusal, row=row), 422
    except RuleBroken as refusal:
        flash(refusal.message, "warn")
    else:
        flash(f"{row.staff.name} is not on site then.")
    return redirect(url_for(".list_clinicians", week=monday), 303)

"""The whole trail for the auditor: who did what, when and from where, in whose record; never what was written there."""

import uuid
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

import sqlalchemy as sa
from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from wtforms import StringField
from wtforms.validators import Length

from clinic.accounts import queries as accounts
from clinic.accounts.current import actor
from clinic.accounts.models import Staff
from clinic.audit import queries as trail
from clinic.audit import reading
from clinic.audit.queries import SealedEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db, formats
from clinic.core.csv_table import csv_text
from clinic.core.forms import Form
from clinic.core.moments import DayField
from clinic.core.permissions import Permission, requires
from clinic.core.times import date_label, local
from clinic.patients.models import Patient
from clinic.reports.views_shared import bp

_PAGE: Final = 200
_WEEK: Final = timedelta(days=7)


class TrailForm(Form):
    """Which days, whose record, whose acts. It only asks: no post."""

    from_on = DayField("First day", required=True)
    until_on = DayField("Last day", required=True)
    mrn = StringField("MRN", [Length(max=60)])

    class Meta:
        """A question in the address carries no token."""

        csrf = False


@dataclass(frozen=True, slots=True)
class TrailRow:
    """A line without what was written: the record's number stands for the patient."""

    line: SealedEntry
    who: str
    mrn: str
    page: str


def _form() -> TrailForm:
    today = local(clock.now(), formats.zone.get()).date()
    usual = {"from_on": date_label(today - _WEEK), "until_on": date_label(today), "mrn": ""}
    form = TrailForm(MultiDict(usual | {name: request.args[name] for name in usual if request.args.get(name)}))
    form.validate()
    return form


def _rows(form: TrailForm, *, limit: int | None) -> list[TrailRow]:
    first, last, mrn = form.from_on.data, form.until_on.data, (form.mrn.data or "").strip()
    if form.errors or first is None or last is None:
        return []
    patient_id = db.session.scalar(sa.select(Patient.id).where(Patient.mrn == mrn)) if mrn else None
    if mrn and patient_id is None:
        form.mrn.errors = ["No record has this MRN"]
        return []
    zone = formats.zone.get()
    lines = trail.trail(
        patient_id=patient_id,
        first=datetime.combine(first, time(), zone),
        until=datetime.combine(last + timedelta(days=1), time(), zone),
        limit=limit,
    )
    return _told(lines)


def _told(lines: list[SealedEntry]) -> list[TrailRow]:
    people: dict[uuid.UUID, Staff] = accounts.staff_by_id({one.entry.actor_id for one in lines if one.entry.actor_id})
    keys = {one.entry.patient_id for one in lines if one.entry.patient_id}
    of_keys = sa.select(Patient.id, Patient.mrn).where(Patient.id.in_(keys))
    numbers = {row.id: row.mrn for row in db.session.execute(of_keys)}
    rows = []
    for one in lines:
        who = people.get(one.entry.actor_id) if one.entry.actor_id else None
        page = one.details.get("page")
        page = page.get("page") if isinstance(page, dict) else page
        mrn = numbers.get(one.entry.patient_id) if one.entry.patient_id else None
        rows.append(TrailRow(one, who.name if who else "", mrn or "", str(page or "")))
    return rows


@bp.get("/audit/records")
@requires(Permission.READ_TRAIL)
def show_whole_trail() -> ResponseReturnValue:
    """Every act of the clinic, newest first, or those about one record: who opened it, changed it, printed it."""
    form = _form()
    rows = _rows(form, limit=_PAGE)
    page = render_template(
        "reports/whole_trail.html", rows=rows, form=form, is_cut=len(rows) == _PAGE, sealed=trail.sealed_lines()
    )
    return page, 422 if form.errors else 200


@bp.get("/audit/records/table")
@requires(Permission.READ_TRAIL)
def send_whole_trail() -> ResponseReturnValue:
    """The same lines as a file, all of them; the export is a line of the trail itself."""
    form = _form()
    rows = _rows(form, limit=None)
    days = f"{form.from_on.data} to {form.until_on.data}"
    reading.note(AuditAction.TRAIL_EXPORTED, None, actor_id=actor().id, is_single=True, days=days)
    table = [
        (
            one.line.number or "",
            one.line.entry.at.isoformat(),
            one.who,
            one.line.entry.action.value,
            one.mrn,
            one.page,
            one.line.entry.address or "",
            one.line.mac or "",
        )
        for one in rows
    ]
    return Response(
        csv_text([("Line", "Time (UTC)", "Who", "Did", "MRN", "Page", "From", "Seal"), *table]),
        mimetype="text/csv",
        headers={"Content-Disposition": 'attachment; filename="whole-trail.csv"'},
    )

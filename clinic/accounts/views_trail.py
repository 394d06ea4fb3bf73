"""The trail on screen: an admin sees the acts on accounts, everybody the own acts (SD-10), and nobody a patient."""

import uuid
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta

from flask import Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from clinic.accounts import current, queries
from clinic.accounts.models import Staff
from clinic.accounts.views import bp
from clinic.audit import queries as trail
from clinic.audit import reading
from clinic.audit.queries import ACCOUNT_ACTIONS, SealedEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, formats, times
from clinic.core.csv_table import csv_text
from clinic.core.days import BadDay, parse_day
from clinic.core.permissions import Permission, requires, signed_in

_PAGE = 100
_WEEK = timedelta(days=7)


def _day(name: str, default: date) -> date:
    text = request.args.get(name, "").strip()
    try:
        found = parse_day(text) if text else default
    except BadDay as problem:
        abort(400, str(problem))
    # A day's edges are instants, which the first and the last year do not all have.
    return found if MINYEAR < found.year < MAXYEAR else abort(400, "Enter a date such as 18-Nov-2025")


def _key(name: str) -> uuid.UUID | None:
    text = request.args.get(name, "")
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        abort(404)


def _period() -> tuple[date, date]:
    """The days asked for, both included; the last seven when nothing is asked for."""
    last = _day("until", times.local(clock.now(), formats.zone.get()).date())
    return _day("from", last - _WEEK), last


def _found(first: date, last: date, *, limit: int | None) -> list[SealedEntry]:
    zone = formats.zone.get()
    return trail.trail(
        actions=ACCOUNT_ACTIONS,
        person_id=_key("person"),
        first=datetime.combine(first, time(), zone),
        until=datetime.combine(last + timedelta(days=1), time(), zone),
        before_id=_key("before"),
        limit=limit,
    )


def _people(lines: list[SealedEntry]) -> dict[uuid.UUID, Staff]:
    keys = {key for line in lines for key in (line.entry.actor_id, line.entry.subject_id) if key is not None}
    return queries.staff_by_id(keys)


@bp.get("/audit")
@requires(Permission.READ_ACCOUNT_EVENTS)
def show_trail() -> ResponseReturnValue:
    """What happened to the accounts of this clinic, newest first, and one line in full."""
    first, last = _period()
    lines = _found(first, last, limit=_PAGE)
    chosen = _key("entry")
    return render_template(
        "accounts/trail.html",
        lines=lines,
        people=_people(lines),
        chosen=next((line for line in lines if line.entry.id == chosen), None),
        staff=queries.staff_of_clinic(),
        person_id=_key("person"),
        first=first,
        last=last,
        older=lines[-1].entry.id if len(lines) == _PAGE else None,
        sealed=trail.sealed_lines(),
    )


@bp.get("/audit/table")
@requires(Permission.READ_ACCOUNT_EVENTS)
def send_trail() -> ResponseReturnValue:
    """The same lines as a file; the export is a line of the trail itself."""
    first, last = _period()
    lines = _found(first, last, limit=None)
    people = _people(lines)
    days = f"{first} to {last}"
    reading.note(AuditAction.TRAIL_EXPORTED, None, actor_id=current.actor().id, is_single=True, days=days)
    rows = [
        (
            line.number or "",
            line.entry.at.isoformat(),
            _name(people, line.entry.actor_id),
            line.entry.action.value,
            _name(people, line.entry.subject_id),
            line.entry.body,
            line.entry.address or "",
            line.mac or "",
        )
        for line in lines
    ]
    return Response(
        csv_text([("Line", "Time (UTC)", "Who", "Did", "About", "Details", "From", "Seal"), *rows]),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="audit-{first}-to-{last}.csv"'},
    )


def _name(people: dict[uuid.UUID, Staff], key: uuid.UUID | None) -> str:
    person = people.get(key) if key else None
    return person.name if person else ""


@bp.get("/account/acts")
@signed_in
def show_own_acts() -> ResponseReturnValue:
    """Everything I did here, by which a stranger at my sign-in is found."""
    lines = trail.trail(actor_id=current.actor().id, before_id=_key("before"), limit=_PAGE)
    return render_template(
        "accounts/own_acts.html", lines=lines, older=lines[-1].entry.id if len(lines) == _PAGE else None
    )

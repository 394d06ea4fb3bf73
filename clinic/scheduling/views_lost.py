"""Why appointments were lost: counts by reason, as a page and as a file."""

from datetime import date, datetime, time, timedelta

from flask import Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor, clinic
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import formats
from clinic.core.csv_table import csv_text
from clinic.core.days import BadDay, parse_day
from clinic.core.permissions import Permission, requires
from clinic.scheduling import queries_lost
from clinic.scheduling.forms_rooms import LOSS_WORDS
from clinic.scheduling.views import bp, today

_OWN_WORDS = "in own words"


def _day(name: str, default: date) -> date:
    text = request.args.get(name, "").strip()
    try:
        return parse_day(text) if text else default
    except BadDay as problem:
        abort(400, str(problem))


def _period() -> tuple[date, date]:
    """The days asked for, both included; this month so far when nothing is asked for."""
    last = _day("until", today())
    return _day("from", last.replace(day=1)), last


def _instants(first: date, last: date) -> tuple[datetime, datetime]:
    zone = formats.zone.get()
    return datetime.combine(first, time(), zone), datetime.combine(last + timedelta(days=1), time(), zone)


@bp.get("/clinic/lost")
@requires(Permission.READ_RESOURCES)
def show_lost() -> ResponseReturnValue:
    first, last = _period()
    span = _instants(first, last)
    # The desk's own words may name a patient: they are for those who read the calendar.
    words = queries_lost.own_words(*span) if actor().may(Permission.READ_CALENDAR) else []
    return render_template(
        "scheduling/lost.html",
        first=first,
        last=last,
        rows=[(row, LOSS_WORDS[row.kind]) for row in queries_lost.lost_counts(*span)],
        counts=queries_lost.appointment_counts(*span),
        words=words,
        own_words=_OWN_WORDS,
    )


@bp.get("/clinic/lost/table")
@requires(Permission.READ_RESOURCES)
def send_lost() -> ResponseReturnValue:
    first, last = _period()
    lines = [
        (LOSS_WORDS[row.kind], row.reason or _OWN_WORDS, row.count)
        for row in queries_lost.lost_counts(*_instants(first, last))
    ]
    days = f"{first} to {last}"
    reading.note(AuditAction.LOST_EXPORTED, clinic(), actor_id=actor().id, is_single=True, days=days)
    name = f"lost-appointments-{first}-to-{last}.csv"
    return Response(
        csv_text([("State", "Reason", "Appointments"), *lines]),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )

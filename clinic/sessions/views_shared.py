"""What every page of a session begins with: the blueprint, the one loader, the frame around the content."""

import hashlib
import uuid
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, flash, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import queries as staff_queries
from clinic.accounts.current import actor, clinic
from clinic.accounts.models import Staff
from clinic.accounts.second_person import clinicians, proved
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.permissions import Role
from clinic.core.requests import same_patient
from clinic.core.times import local
from clinic.scheduling import operations as scheduling
from clinic.sessions import queries
from clinic.sessions.chart import parts, screens
from clinic.sessions.models import InfusionSession
from clinic.sessions.pages_chart import chart_input
from clinic.sessions.pages_last import last_session
from clinic.sessions.pages_log import NEWEST, log_rows
from clinic.sessions.pages_patient import patient_bar
from clinic.sessions.pages_session import due_box, order_panel, state_cell, strip_cells
from clinic.sessions.progress import Progress, progress, undo_until

__all__ = [
    "MAY_WAIT",
    "bp",
    "clinicians",
    "frame",
    "fresh_or",
    "load",
    "news_of",
    "physicians",
    "proved",
    "say_beyond",
    "session_page",
    "session_url",
    "sheet_parts",
    "today",
    "zone",
]

bp = Blueprint("sessions", __name__)

# What a device may keep while the network is away. What rests on a signature, an order or a second person cannot wait.
MAY_WAIT: Final = frozenset(
    {
        "sessions.record_vitals",
        "sessions.record_event",
        "sessions.record_care",
        "sessions.record_row_note",
        "sessions.record_notice",
        "sessions.record_line",
        "sessions.give_prn",
        "sessions.pause",
        "sessions.stop",
    }
)
# The pages that a device holds in memory, to be opened when the network is away.
_HELD: Final = ("sessions.show_vitals", "sessions.show_event", "sessions.show_pause", "sessions.show_stop")


def zone() -> ZoneInfo:
    """Return the clinic's time zone."""
    return ZoneInfo(clinic().zone)


def today(now: datetime) -> date:
    """Return the clinic's calendar day."""
    return local(now, zone()).date()


def load(infusion_id: uuid.UUID) -> InfusionSession:
    """Return a session of this clinic with all its rows, or answer 404; a form of another patient is refused."""
    infusion = queries.flowsheet(infusion_id)
    if infusion is None:
        abort(404)
    if request.method == "POST":
        same_patient(infusion.patient_id)
    return infusion


def frame(infusion: InfusionSession, now: datetime) -> dict[str, Any]:
    """Return what stands at the head of every page of a session, and note that the record was read."""
    reading.note(AuditAction.SESSION_READ, infusion, actor_id=actor().id)
    weight, chair = infusion.weight, infusion.chair.name
    return {
        "infusion": infusion,
        "bar": patient_bar(infusion.patient, weight=weight, chair=chair, now=now, zone=zone()),
        "status": infusion.status.value,
        "may_wait": [url_for(endpoint, infusion_id=infusion.id) for endpoint in sorted(MAY_WAIT)],
        "holds": [url_for(endpoint, infusion_id=infusion.id) for endpoint in _HELD],
    }


def session_page(infusion: InfusionSession, *, status: int = 200, template: str = "", **context: Any) -> Any:
    """Draw the flowsheet, alone or beside the sheet of `template`; everything else is for the sheet."""
    now = clock.now()
    going = progress(infusion, now)
    page = frame(infusion, now) | sheet_parts(infusion, going, now, beside_sheet=bool(template))
    if not template:
        page["before"] = last_session(infusion, now, zone())
    return render_template(template or "sessions/session.html", **page, **context), status


def sheet_parts(
    infusion: InfusionSession, going: Progress, now: datetime, *, beside_sheet: bool = False
) -> dict[str, Any]:
    """Return strip, chart, table, due box and order panel of a session."""
    box = due_box(infusion, going, zone=zone(), now=now)
    rows = log_rows(infusion, going, late_min=clinic().late_entry_after_min)
    data = chart_input(infusion, going, zone=zone(), now=now)
    is_whole = request.args.get("all") == "1"
    return {
        "going": going,
        "state": state_cell(infusion, going, zone()),
        "cells": strip_cells(infusion, going, zone=zone(), now=now),
        "due": box,
        "overdue": box.level == "crit",
        "rows": rows if is_whole else rows[:NEWEST],
        "row_count": len(rows),
        "is_whole": is_whole,
        "untold": next((row for row in rows if row.is_untold), None),
        "unexplained": next((row for row in rows if row.unexplained_id), None),
        "charts": parts(data) if request.args.get("chart") == "parts" else screens(data, beside_sheet=beside_sheet),
        "order": order_panel(infusion, going, zone=zone()),
        "offer": infusion.open_offer,
        "undo_until": undo_until(infusion, now),
        "me": actor().id,
    }


def fresh_or(parts: list[str], draw: Any) -> ResponseReturnValue:
    """Answer 304 when nothing has changed since the browser's copy, else draw the fragment.

    `parts` name everything that the fragment depends on besides the clock, of which it shows whole minutes.
    """
    minute = clock.now().strftime("%Y%m%d%H%M")
    tag = hashlib.sha256("|".join([*parts, minute]).encode()).hexdigest()[:32]
    is_known = request.if_none_match.contains_weak(tag)
    answer = Response(status=304) if is_known else make_response(draw())
    answer.set_etag(tag, weak=True)
    return answer


def news_of(infusion_id: uuid.UUID) -> tuple[InfusionSession | None, str]:
    """Return a session without its rows, and a mark that changes with every act about its patient."""
    infusion = queries.bare(infusion_id)
    return infusion, "" if infusion is None else queries.news_of_patient(infusion.patient_id, infusion.arrived_at)


def physicians() -> list[Staff]:
    """Return the physicians of the clinic."""
    return staff_queries.staff_in_role(Role.PHYSICIAN)


def session_url(infusion: InfusionSession) -> str:
    """Return where a nurse goes on after an entry: the checklist before the start, then the flowsheet."""
    if infusion.administrations or infusion.status.is_closed:
        return url_for("sessions.show_session", infusion_id=infusion.id)
    return url_for("sessions.show_checklist", infusion_id=infusion.id)


def say_beyond(infusion: InfusionSession) -> None:
    """Say that the nurse who has taken over has more patients now than the clinic's limits allow."""
    if infusion.nurse is not None and scheduling.is_beyond(infusion.appointment):
        flash(f"{infusion.nurse.name} has more patients now than the clinic's limits allow.", "warn")

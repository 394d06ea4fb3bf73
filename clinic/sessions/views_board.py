"""Today: chairs by time, whom to go to next, and the door."""

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor, clinic
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import same_patient, unchanged_since_drawn
from clinic.core.times import date_label
from clinic.scheduling import queries as schedule
from clinic.scheduling.answers import answers_to, given_back
from clinic.scheduling.models import Appointment
from clinic.sessions import operations, queries
from clinic.sessions.pages_board import board_page, midnight
from clinic.sessions.views_shared import bp, fresh_or, session_url, today, zone

# No board is drawn further away than this from today.
_FAR = timedelta(days=3660)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@bp.get("/today")
@requires(Permission.READ_BOARD)
def show_today() -> ResponseReturnValue:
    """The board of a day, with the list of what to do next."""
    return render_template("sessions/today.html", **_board())


@bp.get("/today/fragment")
@requires(Permission.READ_BOARD)
def refresh_today() -> ResponseReturnValue:
    """Board and list alone, for a page that keeps itself fresh; 304 while nothing has changed."""
    parts = [
        queries.news_of_clinic(_day_began()),
        str(actor().id),
        request.query_string.decode("ascii", "replace"),
    ]
    return fresh_or(parts, lambda: render_template("sessions/_board.html", **_board()))


def _day_began() -> datetime:
    return midnight(today(clock.now()), zone())


def _board() -> dict[str, Any]:
    now = clock.now()
    on, is_clinical = _chosen_day(today(now)), actor().may(Permission.READ_SESSION)
    start = midnight(on, zone())
    end = midnight(on + timedelta(days=1), zone())
    rows = queries.board(start, end, now=now, is_clinical=is_clinical)
    is_mine = request.args.get("view") == "mine"
    page = board_page(
        rows,
        chairs=schedule.chairs(),
        closures=schedule.closures_between(start, end),
        courses=schedule.course_facts(row.appointment.course_id for row in rows) if is_clinical else {},
        on=on,
        zone=zone(),
        now=now,
        only=actor() if is_mine else None,
        is_clinical=is_clinical,
        offers=queries.offered_to(actor()) if is_clinical else {},
        answers={key: given.answer for key, given in answers_to(row.appointment.id for row in rows).items()},
        given_back=given_back(start, end),
    )
    reading.note(AuditAction.BOARD_READ, None, actor_id=actor().id, day=on.isoformat())
    return {
        "page": page,
        "overdue": page.is_overdue and is_clinical,
        "view": "mine" if is_mine else "all",
        "on": on,
        "day": None if on == today(now) else on.isoformat(),
        "is_today": on == today(now),
        "heading": "Today" if on == today(now) else f"{_WEEKDAYS[on.weekday()]} {date_label(on)}",
        "before": (on - timedelta(days=1)).isoformat(),
        "after": (on + timedelta(days=1)).isoformat(),
        "following": queries.next_day_booked(max(end, now)) if page.is_empty else None,
        "place": clinic().zone.rsplit("/", maxsplit=1)[-1].replace("_", " "),
        "is_clinical": is_clinical,
    }


def _chosen_day(otherwise: date) -> date:
    try:
        chosen = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return otherwise
    return chosen if abs(chosen - otherwise) < _FAR else otherwise


# --- the door --------------------------------------------------------------------------------------------------------


@bp.get("/appointments/<uuid:appointment_id>")
@requires(Permission.READ_BOARD)
def show_appointment(appointment_id: uuid.UUID) -> ResponseReturnValue:
    """What a booked time has become: its session once the patient has arrived, else the appointment in its week."""
    appointment = _appointment(appointment_id)
    known = queries.infusion_of_appointment(appointment.id)
    if known is not None and actor().may(Permission.READ_SESSION):
        return redirect(session_url(known))
    return redirect(_in_its_week(appointment))


def _in_its_week(appointment: Appointment) -> str:
    return url_for("scheduling.show_appointment", appointment_id=appointment.id)


@bp.post("/appointments/<uuid:appointment_id>/arrive")
@requires(Permission.BOOK)
def arrive(appointment_id: uuid.UUID) -> ResponseReturnValue:
    """The patient is here: the visit begins."""
    appointment = _appointment(appointment_id)
    known = queries.infusion_of_appointment(appointment.id)
    if known is not None:  # somebody else has checked the patient in meanwhile
        return redirect(_onwards(known), 303)
    unchanged_since_drawn(appointment, "This appointment was changed meanwhile. Look at it again.")
    now = clock.now()
    try:
        infusion = operations.arrive(appointment, arrived_at=now, by=actor(), at=now)
    except RuleBroken as refusal:
        # The reason may name a diagnosis or a drug: the desk is only told whom to ask.
        is_clinical = actor().may(Permission.READ_SESSION)
        flash(refusal.message if is_clinical else "Not yet. Ask the nurse or physician.", "warn")
        return redirect(_in_its_week(appointment), 303)
    flash(f"{appointment.patient.name} has arrived.")
    return redirect(_onwards(infusion), 303)


@bp.post("/appointments/<uuid:appointment_id>/not-arrived")
@requires(Permission.BOOK)
def undo_arrival(appointment_id: uuid.UUID) -> ResponseReturnValue:
    """The patient is not here after all: the booked time stands again."""
    appointment = _appointment(appointment_id)
    infusion = queries.infusion_of_appointment(appointment.id) or abort(404)
    now = clock.now()
    try:
        again = operations.undo_arrival(infusion, by=actor(), at=now)
    except RuleBroken as refusal:
        flash(refusal.message, "warn")
        return redirect(_in_its_week(appointment), 303)
    flash(f"The arrival was taken back. {appointment.patient.name} is booked as before.")
    return redirect(_in_its_week(again), 303)


def _onwards(infusion: Any) -> str:
    return session_url(infusion) if actor().may(Permission.RUN_SESSION) else url_for(".show_today")


def _appointment(appointment_id: uuid.UUID) -> Appointment:
    appointment = schedule.appointment(appointment_id)
    if appointment is None:
        abort(404)
    if request.method == "POST":
        same_patient(appointment.patient_id)
    return appointment

"""Whom to go to next: how each row of the board looks, and the one line that is most urgent for it."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from flask import url_for

from clinic.core.times import clock_label, elapsed_minutes
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import AppointmentStatus
from clinic.scheduling.rules_answers import AnswerKind
from clinic.sessions.due_rules import SettledDue, due_text, wanting_text
from clinic.sessions.models import InfusionSession
from clinic.sessions.pages_session import due_level
from clinic.sessions.pages_words import breach_texts
from clinic.sessions.progress import Progress
from clinic.sessions.queries import BoardRow
from clinic.sessions.rules import SessionStatus

if TYPE_CHECKING:
    from clinic.sessions.pages_board import BoardView

# From here on a patient who is not there counts as late on the board.
LATE_AFTER_MIN: Final = 5
# A booking so far ahead is for the board, not for the list.
_SOON: Final = timedelta(minutes=30)
# Vitals that fall due so near to each other are taken on one round.
_TOGETHER: Final = timedelta(minutes=3)
_RANKS: Final = {"crit": 0, "warn": 1, "you": 2, "": 3}


@dataclass(frozen=True, slots=True)
class Looks:
    """How a row looks: class of its block, status word, what is due, and the group it is counted in."""

    look: str
    state: str
    group: str
    appointment_id: uuid.UUID
    infusion_id: uuid.UUID | None = None
    status: SessionStatus | None = None
    state_text: str | None = None
    due_text: str = ""
    due_level: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the patient is in a chair."""
        return self.status is not None and self.status.is_open

    def href(self, *, is_clinical: bool) -> str:
        """Where the row leads: to the appointment until the patient has arrived, then to the session."""
        if not is_clinical or self.infusion_id is None or self.status is None:
            return url_for("scheduling.show_appointment", appointment_id=self.appointment_id)
        if self.status in {SessionStatus.PLANNED, SessionStatus.PRECHECKING, SessionStatus.READY}:
            return url_for("sessions.show_checklist", infusion_id=self.infusion_id)
        return url_for("sessions.show_session", infusion_id=self.infusion_id)


_BOOKED: Final = {
    AppointmentStatus.NO_SHOW: ("done", "did_not_attend", "lost", None),
    AppointmentStatus.CANCELLED: ("done", "cancelled", "gone", None),
    AppointmentStatus.FULFILLED: ("done", "discharged", "done", None),
}
_SESSIONS: Final = {
    SessionStatus.PLANNED: ("you", "arrived", "in chairs", None),
    SessionStatus.PRECHECKING: ("you", "arrived", "in chairs", None),
    SessionStatus.READY: ("you", "ready", "in chairs", None),
    SessionStatus.INFUSING: ("run", "infusing", "in chairs", None),
    SessionStatus.PAUSED: ("warn", "paused", "in chairs", None),
    SessionStatus.RECOVERING: ("rec", "recovering", "in chairs", None),
    SessionStatus.CLOSED_HOME: ("done", "discharged", "done", None),
    SessionStatus.CLOSED_TRANSFER: ("done", "discharged", "done", "Transferred"),
    SessionStatus.CLOSED_AGAINST_ADVICE: ("done", "discharged", "done", "Left against advice"),
    SessionStatus.NOT_DONE: ("done", "cancelled", "gone", "Not done"),
}


def looks_of(row: BoardRow, now: datetime) -> Looks:
    """Return how a row of the board looks at an instant."""
    appointment, infusion, going = row.appointment, row.infusion, row.progress
    if infusion is None:
        return _booked_looks(appointment, now)
    look, state, group, text = _SESSIONS[infusion.status]
    # The desk's rows are loaded without the answers to the checks.
    if going is not None and infusion.status is SessionStatus.PRECHECKING and infusion.gate_answers:
        state = "checklist"
    due, level = ("", "")
    if going is not None and going.next_due is not None and _is_charting(infusion.status):
        level = due_level(going.next_due, now)
        words = due_text(going.next_due.due, now)
        due = f"vitals {words}" if not words.endswith(" late") else f"vitals late {words.removesuffix(' late')}"
    if going is not None and (level == "crit" or outside_now(going)) and infusion.status.is_open:
        look = "crit"
    return Looks(look, state, group, appointment.id, infusion.id, infusion.status, text, due, level)


def _booked_looks(appointment: Appointment, now: datetime) -> Looks:
    if appointment.status in _BOOKED:
        look, state, group, text = _BOOKED[appointment.status]
        return Looks(look, state, group, appointment.id, state_text=text)
    if elapsed_minutes(appointment.starts_at, now) >= LATE_AFTER_MIN:
        return Looks("late", "late", "to come", appointment.id)
    return Looks("plan", "booked", "to come", appointment.id)


def _is_charting(status: SessionStatus) -> bool:
    return status in {SessionStatus.INFUSING, SessionStatus.PAUSED, SessionStatus.RECOVERING}


def outside_now(going: Progress) -> list[str]:
    """Return what of the last vitals is outside a running limit, in words."""
    return breach_texts(breach for _, breach in going.outside)


Line = tuple[str, datetime, dict[str, Any]]


def next_entries(
    rows: Sequence[BoardRow], looks: Mapping[uuid.UUID, Looks], view: "BoardView"
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the list of what to do now, most urgent and soonest first, and what comes later today."""
    now: list[Line] = []
    later: list[Line] = []
    dues = _all_due(rows)
    for row in rows:
        line = _line(row, view)
        if line is None:
            continue
        level, at, what = line
        mine = None if row.infusion is None else dues.get(row.infusion.id)
        if "detail" in what and (also := _also_due(mine, dues.values(), view)):
            what = what | {"detail": f"{what['detail']} \N{MIDDLE DOT} {also}"}
        entry = _entry(row, looks[row.appointment.id], view) | {"level": level} | what
        is_far = row.infusion is None and at - view.now > _SOON
        (later if is_far else now).append((level, at, entry))
    ordered = sorted(now, key=lambda line: (_RANKS[line[0]], line[1]))
    return [entry for _, _, entry in ordered], [entry for _, _, entry in sorted(later, key=lambda line: line[1])]


# When vitals fall due: the place, the instant, the chair's name, and whose line that is.
Due: TypeAlias = tuple[uuid.UUID, datetime, str, uuid.UUID]


def _all_due(rows: Sequence[BoardRow]) -> dict[uuid.UUID, Due]:
    """Return for each session that is charted when its vitals fall due, and where."""
    found = [(row.infusion, _vitals_due(row)) for row in rows if row.infusion is not None]
    return {one.id: (one.chair.site_id, due, one.chair.name, one.id) for one, due in found if due is not None}


def _also_due(mine: Due | None, dues: Iterable[Due], view: "BoardView") -> str:
    """Return which other chairs of the same place fall due within a few minutes of this one: one way for both."""
    if mine is None:
        return ""
    site, at, _, session = mine
    near = [
        (due, chair)
        for where, due, chair, whose in dues
        if where == site and whose != session and abs(due - at) <= _TOGETHER
    ]
    return ", ".join(f"also {chair} {clock_label(due, view.day.zone)}" for due, chair in sorted(near)[:2])


def _vitals_due(row: BoardRow) -> datetime | None:
    is_charting = row.infusion is not None and _is_charting(row.infusion.status)
    going = row.progress if is_charting else None
    return going.next_due.due.at if going is not None and going.next_due is not None else None


def _entry(row: BoardRow, looks: Looks, view: "BoardView") -> dict[str, Any]:
    chair = row.infusion.chair if row.infusion else row.appointment.chair
    return {
        "href": looks.href(is_clinical=view.is_clinical),
        "where": "Chair",
        "place": chair.name,
        "name": row.appointment.patient.name,
        "mark": view.marks.get(row.appointment.patient_id),
        "appointment_id": row.appointment.id if looks.group == "to come" else None,
        "patient_id": row.appointment.patient_id,
        "icon": None,
    }


def _line(row: BoardRow, view: "BoardView") -> Line | None:
    infusion, going = row.infusion, row.progress
    if infusion is None:
        return _booked_line(row.appointment, view)
    if not infusion.status.is_open:
        return None
    line = _open_line(infusion, going, view)
    offered_by = view.offers.get(infusion.id)
    if offered_by is None or (line is not None and line[0] == "crit"):
        return line
    what = {"what": f"Take over from {offered_by}", "detail": "offered to you", "icon": "swap"}
    return "you", view.now, what | {"href": url_for("sessions.show_session", infusion_id=infusion.id)}


def _open_line(infusion: InfusionSession, going: Progress | None, view: "BoardView") -> Line | None:
    if infusion.status in {SessionStatus.PRECHECKING, SessionStatus.READY}:
        return _arrived_line(infusion, view)
    if going is None:
        return None
    return _charting_line(infusion, going, view)


def _booked_line(appointment: Appointment, view: "BoardView") -> Line | None:
    if appointment.status is not AppointmentStatus.BOOKED:
        return None
    at, zone = appointment.starts_at, view.day.zone
    late = int(elapsed_minutes(at, view.now))
    booked = f"booked {clock_label(at, zone)}"
    if view.answers.get(appointment.id) is AnswerKind.CONFIRMED:
        booked += " \N{MIDDLE DOT} confirmed"
    if late >= LATE_AFTER_MIN:
        return "", at, {"what": f"Patient {late} min late", "detail": booked}
    what = "Expected now" if late >= 0 else f"Expected in {-late or 1} min"
    if at - view.now > _SOON:
        where = {"where": clock_label(at, zone), "what": "Booked"}
        number = f"session {appointment.session_number}"
        return "", at, where | {"detail": view.courses[appointment.course_id].drug_name if view.is_clinical else number}
    return "", at, {"what": what, "detail": booked}


def _arrived_line(infusion: InfusionSession, view: "BoardView") -> Line:
    arrived = f"arrived {clock_label(infusion.arrived_at, view.day.zone)}"
    if not view.is_clinical:
        return "", infusion.arrived_at, {"what": "Arrived", "detail": arrived, "icon": "half"}
    if infusion.status is SessionStatus.READY:
        return "you", infusion.arrived_at, {"what": "Ready to start", "detail": arrived, "icon": "check"}
    what = "Go on with the checklist" if infusion.gate_answers else "Start the checklist"
    return "you", infusion.arrived_at, {"what": what, "detail": arrived, "icon": "half"}


def _charting_line(infusion: InfusionSession, going: Progress, view: "BoardView") -> Line:
    zone, now = view.day.zone, view.now
    vitals_url = url_for("sessions.show_vitals", infusion_id=infusion.id)
    line = going.next_due
    level = due_level(line, now) if line else ""
    outside = outside_now(going)
    if outside and level != "crit":
        at = max(row.observed_at for row, _ in going.outside)
        detail = f"at {clock_label(at, zone)}" + (f" \N{MIDDLE DOT} recheck {due_text(line.due, now)}" if line else "")
        what = outside[0][:1].upper() + outside[0][1:]
        return "crit", at, {"what": what, "detail": detail, "icon": "warning", "href": vitals_url}
    scoring = _scoring(infusion, going, view)
    if scoring is not None and (line is None or (level != "crit" and scoring[1] <= line.due.at)):
        return scoring
    if line is None:
        at = going.started_at or infusion.arrived_at
        return "", at, {"what": "No vitals planned", "detail": "the order plans none"}
    return _due_line(level, line, vitals_url, view)


def _due_line(level: str, line: SettledDue, href: str, view: "BoardView") -> Line:
    at, words = line.due.at, due_text(line.due, view.now)
    clock = clock_label(at, view.day.zone)
    icon = {"crit": "warning", "warn": "clock"}.get(level)
    due = f"were due {clock}" if level == "crit" else f"due {clock}"
    detail = " \N{MIDDLE DOT} ".join(part for part in (due, wanting_text(line)) if part)
    return level, at, {"what": f"Vitals {words}", "detail": detail, "icon": icon, "href": href}


def _scoring(infusion: InfusionSession, going: Progress, view: "BoardView") -> Line | None:
    """Return when the discharge may be scored: once the order's time of recovery is over."""
    if infusion.status is not SessionStatus.RECOVERING or going.stopped_at is None:
        return None
    at = going.stopped_at + timedelta(minutes=infusion.order_version.terms.recovery_min or 0)
    href = url_for("sessions.show_discharge", infusion_id=infusion.id)
    clock = clock_label(at, view.day.zone)
    if at <= view.now:
        return "you", at, {"what": "Discharge scoring", "detail": f"since {clock}", "icon": "recover", "href": href}
    return "", at, {"what": f"Discharge scoring {due_text(at, view.now)}", "detail": f"due {clock}", "href": href}

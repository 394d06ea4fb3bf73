"""Is this paper still what the record says? The code of a print is typed, or comes with the address."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import queries as staff_queries
from clinic.accounts.current import actor, clinic
from clinic.audit import queries as audit_queries
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.permissions import Permission, requires
from clinic.courses import queries as courses
from clinic.druglog import stock_queries
from clinic.notes import queries as notes
from clinic.notes.course_review import course_review
from clinic.notes.operations_letter import letter_content
from clinic.notes.printed import course_content, notes_content
from clinic.patients.models import Patient
from clinic.reports.views_drug_reports import DRUG_REPORT, report_again
from clinic.reports.views_drugs import COUNT_SHEET, LOSS_REPORT, loss_content, sheet_content
from clinic.reports.views_shared import bp
from clinic.sessions import queries as sessions
from clinic.sessions.models import InfusionSession
from clinic.sessions.pages_print import record_content
from clinic.signatures.printing import is_unchanged

_LONGEST: Final = 64


@dataclass(frozen=True, slots=True)
class Printed:
    """What a print was made of, as it stands today: whose, what, where to read it, and the content of its code."""

    patient: Patient | None
    page: str
    subject: str
    day: datetime | None
    address: str
    content: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CheckedPrint:
    """What became of the record since it was printed with this code the last time."""

    record: Printed
    printed_at: datetime
    printed_by: str
    is_unchanged: bool


@bp.get("/prints")
@requires(Permission.READ_SESSION)
def check_print() -> ResponseReturnValue:
    """Whether the record is unchanged since a print, by the check code in its foot."""
    typed = request.args.get("code", "")[:_LONGEST]
    code = re.sub(r"[^0-9a-f]", "", typed.lower())
    found = _checked(code) if code else None
    return render_template("reports/prints.html", typed=typed, found=found)


def _checked(code: str) -> CheckedPrint | None:
    lines = [line for line in audit_queries.prints_with(code) if json.loads(line.body)["page"].get("code") == code]
    line = lines[0] if lines else None
    if line is None or line.subject_id is None:
        return None
    said = json.loads(line.body)["page"]
    record = _drug_report(said) if said["page"] == DRUG_REPORT else None
    find = _RECORDS.get(said["page"])
    record = find(line.subject_id) if find else record
    if record is None:
        return None
    staff = staff_queries.staff_with_roles(line.actor_id) if line.actor_id else None
    return CheckedPrint(record, line.at, staff.name if staff else "", is_unchanged(code, record.content))


def _record(infusion_id: uuid.UUID) -> Printed | None:
    infusion = sessions.flowsheet(infusion_id)
    if infusion is None:
        return None
    reading.note(AuditAction.SESSION_READ, infusion, actor_id=actor().id)
    address = url_for("sessions.show_session", infusion_id=infusion.id)
    return _of_session(infusion, "record", address, record_content(infusion))


def _session_note(infusion_id: uuid.UUID) -> Printed | None:
    infusion = notes.session(infusion_id)
    if infusion is None:
        return None
    reading.note(AuditAction.NOTE_READ, infusion, actor_id=actor().id, page="session note")
    address = url_for("notes.show_session_note", infusion_id=infusion.id)
    return _of_session(infusion, "note", address, notes_content(infusion, notes.notes_of_session(infusion_id)))


def _of_session(infusion: InfusionSession, page: str, address: str, content: Mapping[str, object]) -> Printed:
    return Printed(infusion.patient, page, f"session {infusion.number}", infusion.arrived_at, address, content)


def _course(course_id: uuid.UUID) -> Printed | None:
    course = courses.review_page(course_id)
    if course is None:
        return None
    reading.note(AuditAction.COURSE_READ, course, actor_id=actor().id, page="course on paper")
    review = course_review(course, actor(), zone=ZoneInfo(clinic().zone), now=clock.now())
    address = url_for("notes.show_course", course_id=course.id)
    name = f"course {course.number}"
    return Printed(course.patient, "course", name, course.created_at, address, course_content(review))


def _letter(letter_id: uuid.UUID) -> Printed | None:
    letter = notes.letter(letter_id)
    if letter is None:
        return None
    reading.note(AuditAction.LETTER_READ, letter, actor_id=actor().id)
    address = url_for("notes.print_letter", letter_id=letter.id)
    name = f"course {letter.course.number}"
    return Printed(letter.patient, "letter", name, letter.recorded_at, address, letter_content(letter))


def _count_sheet(sheet_id: uuid.UUID) -> Printed | None:
    sheet = stock_queries.sheet(sheet_id)
    if sheet is None:
        return None
    reading.note(AuditAction.DRUG_LOG_READ, sheet, actor_id=actor().id)
    address = url_for("druglog.show_sheet", sheet_id=sheet.id)
    return Printed(None, COUNT_SHEET, sheet.cabinet.name, sheet.counted_at, address, sheet_content(sheet))


def _loss_report(discrepancy_id: uuid.UUID) -> Printed | None:
    found = stock_queries.discrepancy(discrepancy_id)
    if found is None:
        return None
    reading.note(AuditAction.DRUG_LOG_READ, found, actor_id=actor().id)
    address = url_for("druglog.show_discrepancy", discrepancy_id=found.id)
    return Printed(None, LOSS_REPORT, found.drug_name, found.opened_at, address, loss_content(found))


def _drug_report(said: Mapping[str, str]) -> Printed:
    reading.note(AuditAction.DRUG_LOG_READ, None, actor_id=actor().id, page=f"report {said['kind']}")
    title, address, content = report_again(said)
    return Printed(None, DRUG_REPORT, f"{title}, {said['from_on']} to {said['until_on']}", None, address, content)


_RECORDS: Final[Mapping[str, Callable[[uuid.UUID], Printed | None]]] = {
    "record": _record,
    "session note": _session_note,
    "course on paper": _course,
    "letter": _letter,
    COUNT_SHEET: _count_sheet,
    LOSS_REPORT: _loss_report,
}

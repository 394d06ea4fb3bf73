"""The session record on paper or as a PDF."""

import uuid
from zoneinfo import ZoneInfo

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from clinic.accounts.current import clinic
from clinic.audit.rules import AuditAction
from clinic.core import clock, pdf
from clinic.core.permissions import Permission, requires
from clinic.core.times import local
from clinic.notes.pages import signed_lines
from clinic.notes.queries import notes_of_session
from clinic.reports.views_shared import bp
from clinic.sessions import queries
from clinic.sessions.pages_patient import patient_bar
from clinic.sessions.pages_print import printed_session, record_content
from clinic.sessions.progress import progress
from clinic.signatures.printing import printed
from clinic.signatures.queries import signatures_by_subject


@bp.get("/sessions/<uuid:infusion_id>/print")
@requires(Permission.READ_SESSION)
def print_session(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The record of a session, to print: a usual one fits one page."""
    infusion = queries.flowsheet(infusion_id) or abort(404)
    now, zone = clock.now(), ZoneInfo(clinic().zone)
    code = printed(AuditAction.SESSION_PRINTED, infusion, record_content(infusion), page="record")
    notes = notes_of_session(infusion_id)
    offset = local(now, zone).strftime("%z")
    page = render_template(
        "sessions/print.html",
        infusion=infusion,
        bar=patient_bar(infusion.patient, weight=infusion.weight, chair=infusion.chair.name, now=now, zone=zone),
        page=printed_session(
            infusion, progress(infusion, now), now=now, zone=zone, late_min=clinic().late_entry_after_min
        ),
        signed=signed_lines(notes, signatures_by_subject(note.id for note in notes), zone),
        code=code,
        place=f"{clinic().zone.rsplit('/', maxsplit=1)[-1].replace('_', ' ')}, UTC{offset[:3]}:{offset[3:]}",
    )
    return pdf.answer(page, name=f"session-{infusion.number}")

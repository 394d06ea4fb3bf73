"""The session record on paper or as a PDF; every print leaves its own line, with its check code, in the trail."""

import uuid

from flask import current_app, render_template
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor, clinic
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, pdf
from clinic.core.permissions import Permission, requires
from clinic.core.times import local
from clinic.sessions.pages_patient import patient_bar
from clinic.sessions.pages_print import printed_session, record_content
from clinic.sessions.progress import progress
from clinic.sessions.views_shared import bp, load, zone
from clinic.signatures.rules import check_code, spaced


@bp.get("/sessions/<uuid:infusion_id>/print")
@requires(Permission.READ_SESSION)
def print_session(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The record of a session, to print: a usual one fits one page."""
    infusion, now, form = load(infusion_id), clock.now(), pdf.asked_for()
    code = check_code(record_content(infusion), secret=current_app.config["SECRET_KEY"])
    reading.note(
        AuditAction.SESSION_PRINTED, infusion, actor_id=actor().id, is_single=True, page="record", form=form, code=code
    )
    going = progress(infusion, now)
    shown = printed_session(infusion, going, now=now, zone=zone(), late_min=clinic().late_entry_after_min)
    offset = local(now, zone()).strftime("%z")
    page = render_template(
        "sessions/print.html",
        infusion=infusion,
        bar=patient_bar(infusion.patient, weight=infusion.weight, chair=infusion.chair.name, now=now, zone=zone()),
        page=shown,
        code=spaced(code),
        printed_by=actor().name,
        place=f"{clinic().zone.rsplit('/', maxsplit=1)[-1].replace('_', ' ')}, UTC{offset[:3]}:{offset[3:]}",
    )
    return pdf.answer(page, name=f"session-{infusion.number}")

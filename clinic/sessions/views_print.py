"""The session record on paper; every print leaves its own line in the trail."""

import uuid

from flask import render_template
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor, clinic
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.permissions import Permission, requires
from clinic.core.times import local
from clinic.sessions.pages_patient import patient_bar
from clinic.sessions.pages_print import printed_session
from clinic.sessions.progress import progress
from clinic.sessions.views_shared import bp, load, zone


@bp.get("/sessions/<uuid:infusion_id>/print")
@requires(Permission.READ_SESSION)
def print_session(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The record of a session, to print: a usual one fits one page."""
    infusion, now = load(infusion_id), clock.now()
    reading.note(AuditAction.SESSION_PRINTED, infusion, actor_id=actor().id, is_single=True)
    going = progress(infusion, now)
    shown = printed_session(infusion, going, now=now, zone=zone(), late_min=clinic().late_entry_after_min)
    offset = local(now, zone()).strftime("%z")
    return render_template(
        "sessions/print.html",
        infusion=infusion,
        bar=patient_bar(infusion.patient, weight=infusion.weight, chair=infusion.chair.name, now=now, zone=zone()),
        page=shown,
        printed_by=actor().name,
        place=f"{clinic().zone.rsplit('/', maxsplit=1)[-1].replace('_', ' ')}, UTC{offset[:3]}:{offset[3:]}",
    )

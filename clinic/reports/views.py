"""Is this paper still what the record says? The code of a print is typed, or comes with the address."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from clinic.accounts import queries as staff_queries
from clinic.accounts.current import actor
from clinic.audit import queries as audit_queries
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core.permissions import Permission, requires
from clinic.sessions import queries as sessions
from clinic.sessions.models import InfusionSession
from clinic.sessions.pages_print import record_content
from clinic.signatures.rules import check_code

bp = Blueprint("reports", __name__)
_LONGEST: Final = 64


@dataclass(frozen=True, slots=True)
class CheckedPrint:
    """What became of the record since it was printed with this code the last time."""

    infusion: InfusionSession
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
    infusion = sessions.flowsheet(line.subject_id) if line is not None and line.subject_id is not None else None
    if line is None or infusion is None:
        return None
    reading.note(AuditAction.SESSION_READ, infusion, actor_id=actor().id)
    content = record_content(infusion)
    secrets = [current_app.config["SECRET_KEY"], *(current_app.config["SECRET_KEY_FALLBACKS"] or ())]
    staff = staff_queries.staff_with_roles(line.actor_id) if line.actor_id else None
    return CheckedPrint(
        infusion=infusion,
        printed_at=line.at,
        printed_by=staff.name if staff else "",
        is_unchanged=any(check_code(content, secret=secret) == code for secret in secrets),
    )

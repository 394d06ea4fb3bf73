"""A page that leaves the clinic: its line in the trail, and the code that tells later whether its record changed."""

from collections.abc import Mapping

from flask import current_app

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import db, pdf
from clinic.core.requests import installation_secrets
from clinic.signatures.rules import check_code, spaced


def printed(
    action: AuditAction,
    subject: db.Base,
    content: Mapping[str, object],
    *,
    page: str,
    asked: Mapping[str, str] | None = None,
) -> str:
    """Note a print of `subject` and return the check code of what it holds, as people read it out.

    `page` names the sheet, `asked` what was asked of it; `/prints` finds the content again by them. Raises RuleBroken
    for a PDF that cannot be made.
    """
    form = pdf.asked_for()
    code = check_code(content, secret=current_app.config["SECRET_KEY"])
    details = {"page": page, "form": form, "code": code} | dict(asked or {})
    reading.note(action, subject, actor_id=actor().id, patient_id=None, is_single=True, **details)
    return spaced(code)


def is_unchanged(code: str, content: Mapping[str, object]) -> bool:
    """Whether a record still holds what it held when it was printed with a code, under this secret or an older one."""
    secrets = installation_secrets()
    return any(check_code(content, secret=secret) == code for secret in secrets)

"""What the pages of this area begin with: the blueprint, the co-signers, links to pages of other areas."""

from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, url_for

from clinic.accounts import queries as accounts
from clinic.accounts.current import clinic
from clinic.accounts.models import Staff
from clinic.core.permissions import Role

bp = Blueprint("notes", __name__)


def zone() -> ZoneInfo:
    """Return the clinic's time zone."""
    return ZoneInfo(clinic().zone)


def link(endpoint: str, **values: Any) -> str | None:
    """Return the address of a page of another area, or None where that area has no such page."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None


def cosigners(author: Staff) -> list[Staff]:
    """Return the physicians who may co-sign what a person wrote."""
    return [person for person in accounts.staff_in_role(Role.PHYSICIAN) if person.id != author.id]

"""What left the clinic about one patient, from every place where it is written down: copies and prints."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from clinic.accounts import queries as accounts
from clinic.audit.models import AuditEntry
from clinic.audit.rules import PRINTS, AuditAction
from clinic.core import db
from clinic.keeping.forms import RECIPIENT_WORDS
from clinic.keeping.models import Disclosure


@dataclass(frozen=True, slots=True)
class Left:
    """One thing that left: when, what, for whom and why where that was said, and by whom."""

    at: datetime
    what: str
    for_whom: str
    why: str
    by: str


ORDERS: Final[dict[str, Callable[[Left], Any]]] = {
    "when": lambda left: left.at,
    "what": lambda left: left.what.casefold(),
    "for": lambda left: left.for_whom.casefold(),
    "why": lambda left: left.why.casefold(),
    "by": lambda left: left.by.casefold(),
}
"""By what the list can be ordered."""


def what_left(patient_id: uuid.UUID, *, order: str = "when") -> list[Left]:
    """Everything that left about a patient, the latest first, then in the order asked for."""
    about_all = Disclosure.patient_id.is_(None)
    copies = db.session.scalars(sa.select(Disclosure).where((Disclosure.patient_id == patient_id) | about_all)).all()
    # What was asked for and never fetched did not leave.
    fetched = sa.select(AuditEntry.subject_id).where(
        AuditEntry.action == AuditAction.EXPORT_SENT, AuditEntry.subject_id.in_([copy.id for copy in copies])
    )
    sent = set(db.session.scalars(fetched))
    prints = db.session.scalars(
        sa.select(AuditEntry).where(
            AuditEntry.clinic_id == db.current_clinic_id(),
            AuditEntry.patient_id == patient_id,
            AuditEntry.action.in_(PRINTS),
        )
    ).all()
    copies = [copy for copy in copies if copy.id in sent]
    people = accounts.staff_by_id(
        {copy.recorded_by_id for copy in copies} | {entry.actor_id for entry in prints if entry.actor_id}
    )
    found = [
        Left(
            copy.recorded_at,
            "copy of the record" if copy.patient_id else "copy of the whole clinic",
            f"{RECIPIENT_WORDS[copy.recipient]}: {copy.to_whom}",
            copy.reason,
            people[copy.recorded_by_id].name,
        )
        for copy in copies
    ]
    for entry in prints:
        person = people.get(entry.actor_id) if entry.actor_id else None
        found.append(Left(entry.at, f"print: {_page(entry)}", "", "", person.name if person else ""))
    found.sort(key=ORDERS["when"], reverse=True)
    return found if order == "when" else sorted(found, key=ORDERS[order])


def _page(entry: AuditEntry) -> str:
    """Which print it was, in words."""
    told = json.loads(entry.body).get("page")
    return str(told.get("page", "page")) if isinstance(told, dict) else "page"

"""A draft goes back to its author, with what is to be changed in it."""

from datetime import datetime
from typing import Final

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.rows import add_row
from clinic.orders.models import OrderReturn, OrderVersion
from clinic.orders.operations import refuse_moved_on

_ALREADY: Final = "This draft is with its author already."


def send_back(
    version: OrderVersion, reason: str, *, by: Staff, at: datetime, drawn_version: int | None = None
) -> OrderReturn:
    """Send a draft back to its author, who answers by writing it again.

    Raises Conflict when it was written again or sent back since it was read, RuleBroken while it is with its author.
    """
    refuse_moved_on(version, drawn_version)
    if not version.is_open:
        raise RuleBroken("This order is no draft any more.")
    if version.drafted_by_id == by.id:
        raise RuleBroken("This is your own draft. Go on writing it instead.")
    if version.open_return is not None:
        raise RuleBroken(_ALREADY)
    if not reason.strip():
        raise RuleBroken("Say what is to be changed.", field="return_reason")
    returned = OrderReturn(
        order_version_id=version.id,
        revision=version.version,
        reason=reason.strip(),
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add_row(returned, clash=_ALREADY)
    db.session.expire(version, ["returns"])
    audit.record(
        AuditAction.ORDER_SENT_BACK,
        version,
        actor_id=by.id,
        at=at,
        patient_id=version.order.patient_id,
        number=version.number,
        author_id=version.drafted_by_id,
        reason=returned.reason,
    )
    return returned

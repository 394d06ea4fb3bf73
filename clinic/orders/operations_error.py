"""A signed order turns out to have been entered in error: it says so, with a reason and a signature, and stays."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.rows import add_row
from clinic.orders.models import OrderError, OrderVersion
from clinic.orders.operations import move
from clinic.orders.rules import OrderStatus
from clinic.signatures import operations as signatures
from clinic.signatures.rules import Meaning

_ALREADY = "This order was entered in error already, as its page says."


def enter_in_error(
    version: OrderVersion, *, reason: str, booked: Sequence[str], by: Staff, password: str, at: datetime
) -> OrderError:
    """Mark a signed version as entered in error; no version before it comes back into force.

    `booked` says in words which sessions were booked under it, as the signer read them. Whether a session ran under it
    is the caller's to know.
    """
    if version.signature is None:
        raise RuleBroken("Nobody has signed this order. Drop the draft instead.")
    if version.status is OrderStatus.ENTERED_IN_ERROR:
        raise RuleBroken(_ALREADY)
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    error = OrderError(
        order_version_id=version.id, reason=reason.strip(), booked=list(booked), recorded_at=at, recorded_by_id=by.id
    )
    add_row(error, clash=_ALREADY)
    db.session.expire(version, ["error"])
    signatures.sign(
        error,
        error_content(error),
        meaning=Meaning.AUTHOR,
        by=by,
        password=password,
        at=at,
        patient_id=version.order.patient_id,
    )
    move(version, OrderStatus.ENTERED_IN_ERROR, by=by, at=at, reason=error.reason)
    return error


def error_content(error: OrderError) -> Mapping[str, object]:
    """What the signature covers: which signed content was an error, why, and what was booked under it."""
    signed = error.order_version.signature
    return {
        "order_version": error.order_version_id,
        "digest": signed.digest if signed else None,
        "reason": error.reason,
        "booked": error.booked,
    }

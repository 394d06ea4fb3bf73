"""Orders: the states of a version, and the one door to the rules about doses, limits and checks.

What an order shares with a protocol stands there, one module per question: `dose_rules` (what does it come to),
`limit_rules` (is a value outside), `text_rules` (what was written). `check_rules` asks: is this act within the order?
"""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from clinic.core.findings import Finding, FindingLevel
from clinic.orders.check_rules import (
    RateTerms,
    check_duration,
    check_prn,
    check_projected_total,
    check_pump_volume,
    check_rate,
    check_step,
    check_validity,
    refusal_to_book,
)
from clinic.orders.dosing_rules import DosingWeight
from clinic.patients.weight_rules import check_weight
from clinic.protocols.dose_rules import (
    DoseBasis,
    PumpRate,
    dose_rate_mg_h,
    planned_total_mg,
    pump_rate_ml_h,
    rate_from,
    rate_in,
    rate_mg_h,
    rate_steps,
    round_to_pump_step,
    total_mg,
)
from clinic.protocols.limit_rules import (
    Breach,
    Comparator,
    Limit,
    LimitLevel,
    StatedLimit,
    Vital,
    breaches,
    is_breached,
    limit_text,
)
from clinic.protocols.text_rules import PrnText, order_sentence, parse_limits, parse_prn

__all__ = [
    "Breach",
    "Comparator",
    "DoseBasis",
    "DosingWeight",
    "Ending",
    "Finding",
    "FindingLevel",
    "Limit",
    "LimitLevel",
    "OrderCosign",
    "OrderStatus",
    "PrnText",
    "PumpRate",
    "RateTerms",
    "SpokenMode",
    "StatedLimit",
    "Vital",
    "breaches",
    "check_duration",
    "check_prn",
    "check_projected_total",
    "check_pump_volume",
    "check_rate",
    "check_step",
    "check_validity",
    "check_weight",
    "dose_rate_mg_h",
    "ending",
    "is_breached",
    "is_signature_overdue",
    "limit_text",
    "may_become",
    "order_sentence",
    "parse_limits",
    "parse_prn",
    "planned_total_mg",
    "pump_rate_ml_h",
    "rate_from",
    "rate_in",
    "rate_mg_h",
    "rate_steps",
    "refusal_to_book",
    "round_to_pump_step",
    "total_mg",
]


class OrderStatus(StrEnum):
    """Where an order version stands. A change of the order is a new version; this one is superseded, and readable."""

    DRAFT = "draft"
    PENDING_SIGNATURE = "pending-signature"
    ACTIVE = "active"
    ON_HOLD = "on-hold"
    COMPLETED = "completed"
    SUPERSEDED = "superseded"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"


class Ending(StrEnum):
    """How a version in force ends by itself (REFERENCE 7.2). It follows from its days and sessions; no row says it."""

    COMPLETED = "completed"
    EXPIRED = "expired"


def ending(on: date, valid_until: date | None, sessions_used: int, sessions_allowed: int | None) -> Ending | None:
    """Return how a version has ended by a clinic date: every session that it allows is used, or its time is over."""
    codes = {found.code for found in check_validity(on, None, valid_until, sessions_used, sessions_allowed)}
    if "order-no-sessions-left" in codes:
        return Ending.COMPLETED
    return Ending.EXPIRED if "order-expired" in codes else None


class OrderCosign(StrEnum):
    """When a second physician signs an order: before it comes into force, or later, while it is used."""

    FIRST = "first"
    LATER = "later"


class SpokenMode(StrEnum):
    """How an order was spoken to the person who wrote it down."""

    VERBAL = "verbal"
    TELEPHONE = "telephone"


def is_signature_overdue(spoken_at: datetime, now: datetime, within_hours: int | None) -> bool:
    """Whether the speaker's signature is due longer than the clinic allows; a clinic without a limit marks nothing."""
    return within_hours is not None and now - spoken_at > timedelta(hours=within_hours)


# REFERENCE 7.2. Also allowed: taking back or dropping what nobody has signed, and ending an order that is on hold. A
# spoken order goes through the same states and is active while its signature is still due.
_NEXT: Final = {
    OrderStatus.DRAFT: {OrderStatus.PENDING_SIGNATURE, OrderStatus.CANCELLED},
    OrderStatus.PENDING_SIGNATURE: {OrderStatus.ACTIVE, OrderStatus.DRAFT, OrderStatus.CANCELLED},
    OrderStatus.ACTIVE: {
        OrderStatus.ON_HOLD,
        OrderStatus.COMPLETED,
        OrderStatus.SUPERSEDED,
        OrderStatus.STOPPED,
        OrderStatus.CANCELLED,
    },
    OrderStatus.ON_HOLD: {OrderStatus.ACTIVE, OrderStatus.SUPERSEDED, OrderStatus.STOPPED, OrderStatus.CANCELLED},
}


def may_become(current: OrderStatus, wanted: OrderStatus) -> bool:
    """Return whether a version may go from one state to another. Any may turn out to have been entered in error, once.

    Stopped is for after a dose was given, cancelled for before; the caller knows which.
    """
    if wanted is OrderStatus.ENTERED_IN_ERROR:
        return current is not OrderStatus.ENTERED_IN_ERROR
    return wanted in _NEXT.get(current, set())

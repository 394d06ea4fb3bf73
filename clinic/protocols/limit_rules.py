"""Limits that a clinician entered, and what a set of vitals says about them.

A limit states when it is *breached*. Nothing here knows a good or a bad value: bounds come from the signed order alone.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

from clinic.core.units import format_number


class LimitLevel(StrEnum):
    """When a limit speaks: before the start, to notify the physician, to hold the infusion."""

    START = "start"
    NOTIFY = "notify"
    HOLD = "hold"


class Vital(StrEnum):
    """One thing looked at on the bedside sheet."""

    SBP = "sbp"
    DBP = "dbp"
    MAP = "map"
    HR = "hr"
    RR = "rr"
    SPO2 = "spo2"
    O2_L_MIN = "o2_l_min"
    ETCO2 = "etco2"
    TEMP = "temp"
    SEDATION = "sedation"
    PAIN = "pain"
    DISSOCIATION = "dissociation"
    NAUSEA = "nausea"


class Comparator(StrEnum):
    """A limit is breached when the value stands so to the bound."""

    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    EQ = "eq"


_COMPARE: Final[dict[Comparator, Callable[[Decimal, Decimal], bool]]] = {
    Comparator.LT: operator.lt,
    Comparator.LE: operator.le,
    Comparator.GT: operator.gt,
    Comparator.GE: operator.ge,
    Comparator.EQ: operator.eq,
}


class StatedLimit(Protocol):
    """Whatever states a bound: a `Limit` of plain values or a row of the same names."""

    @property
    def level(self) -> LimitLevel: ...

    @property
    def vital(self) -> Vital: ...

    @property
    def comparator(self) -> Comparator: ...

    @property
    def bound(self) -> Decimal: ...


@dataclass(frozen=True)
class Limit:
    """One bound a clinician entered: `vital` breaches it when its value is `comparator` `bound`."""

    level: LimitLevel
    vital: Vital
    comparator: Comparator
    bound: Decimal


@dataclass(frozen=True)
class Breach:
    """A value outside a limit."""

    limit: StatedLimit
    value: Decimal


def is_breached(limit: StatedLimit, value: Decimal | int) -> bool:
    """Return whether `value`, in the vital's own unit, is outside one limit."""
    return _COMPARE[limit.comparator](Decimal(value), limit.bound)


def breaches(limits: Iterable[StatedLimit], reading: Mapping[Vital, Decimal | int | None]) -> list[Breach]:
    """Return the limits that a reading breaches, in their own order. A vital that was not taken breaches nothing."""
    found = []
    for limit in limits:
        value = reading.get(limit.vital)
        if value is not None and is_breached(limit, value):
            found.append(Breach(limit, Decimal(value)))
    return found


def limit_text(limits: Iterable[StatedLimit]) -> str:
    """Return in words what is within the limits of one vital: "90 to 160", "at least 94%", "2 or less", "under 170".

    Of several bounds on one side the tightest counts. No limits give an empty text.
    """
    given = list(limits)
    if not given:
        return ""
    if len({limit.vital for limit in given}) > 1:
        raise ValueError("The limits of one vital at a time.")
    unit = "%" if given[0].vital is Vital.SPO2 else ""
    low, high = _tightest_low(given), _tightest_high(given)
    parts = [_range_text(low, high, unit)] if low or high else []
    parts += [f"not {format_number(limit.bound)}{unit}" for limit in given if limit.comparator is Comparator.EQ]
    return " and ".join(parts)


def _tightest_low(limits: list[StatedLimit]) -> StatedLimit | None:
    # At the same bound "or less" is the tighter one: it refuses the bound itself too.
    low = [limit for limit in limits if limit.comparator in {Comparator.LT, Comparator.LE}]
    return max(low, key=lambda limit: (limit.bound, limit.comparator is Comparator.LE), default=None)


def _tightest_high(limits: list[StatedLimit]) -> StatedLimit | None:
    high = [limit for limit in limits if limit.comparator in {Comparator.GT, Comparator.GE}]
    return min(high, key=lambda limit: (limit.bound, limit.comparator is Comparator.GT), default=None)


def _range_text(low: StatedLimit | None, high: StatedLimit | None, unit: str) -> str:
    if low and high and low.comparator is Comparator.LT and high.comparator is Comparator.GT:
        return f"{format_number(low.bound)} to {format_number(high.bound)}{unit}"
    alone = low is None or high is None
    parts = []
    if low:
        number = f"{format_number(low.bound)}{unit}"
        parts.append(f"at least {number}" if low.comparator is Comparator.LT else f"over {number}")
    if high:
        number = f"{format_number(high.bound)}{unit}"
        at_most = f"{number} or less" if alone else f"at most {number}"
        parts.append(at_most if high.comparator is Comparator.GT else f"under {number}")
    return " and ".join(parts)

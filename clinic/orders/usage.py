"""How many sessions were used under an order. Sessions stand above orders: they say here how they are counted."""

import uuid
from collections.abc import Callable
from datetime import date

from clinic.orders.models import OrderVersion
from clinic.orders.rules import Ending, ending

_counters: list[Callable[[uuid.UUID], int]] = []


def counted_by(counter: Callable[[uuid.UUID], int]) -> None:
    """Let sessions say how many were used under an order (its key)."""
    _counters[:] = [counter]


def ending_of(version: OrderVersion, on: date) -> Ending | None:
    """How a version that stands has ended by a day of the clinic, if it has."""
    if not version.is_standing:
        return None
    used = sum(counter(version.order_id) for counter in _counters)
    return ending(on, version.valid_until, used, version.sessions_allowed)

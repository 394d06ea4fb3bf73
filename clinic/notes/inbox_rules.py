"""What stands in the inbox, in which group, and what comes first: the gravest, then the oldest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol, TypeVar

from clinic.core.times import elapsed_minutes


class ItemKind(StrEnum):
    """What an item is about."""

    NOTE = "note"
    RETURNED = "returned"
    SPOKEN = "spoken"
    ORDER = "order"
    RENEW = "renew"
    EVENT = "event"
    SENT = "sent"
    TOLD = "told"
    SCREENING = "screening"
    DECISION = "decision"
    ANSWER = "answer"
    PROTOCOL = "protocol"
    COSIGN_ORDER = "cosign-order"
    DECLINED = "declined"
    REFERRAL = "referral"


class Group(StrEnum):
    """The parts of the inbox, in their order on the page."""

    BEFORE = "before"
    SIGN = "sign"
    DECIDE = "decide"
    COSIGN = "cosign"
    INFORMATION = "information"


GRAVE: Final = 3
"""The grade from which an adverse event is grave: severe (domain reference 2.5)."""

EVENTS_FOR: Final = timedelta(days=14)
"""How long a lesser adverse event that nobody has reviewed stays in the list; a grave one stays until it is."""

PAGE: Final = 40
"""How many items stand on one page of the list."""

_MINUTES_PER_HOUR: Final = 60
_HOURS_PER_DAY: Final = 24
_GROUPS: Final = {
    ItemKind.NOTE: Group.COSIGN,
    ItemKind.RETURNED: Group.SIGN,
    ItemKind.SPOKEN: Group.SIGN,
    ItemKind.ORDER: Group.SIGN,
    ItemKind.RENEW: Group.BEFORE,
    ItemKind.EVENT: Group.INFORMATION,
    ItemKind.SENT: Group.SIGN,
    ItemKind.TOLD: Group.INFORMATION,
    ItemKind.SCREENING: Group.DECIDE,
    ItemKind.DECISION: Group.DECIDE,
    ItemKind.ANSWER: Group.SIGN,
    ItemKind.PROTOCOL: Group.SIGN,
    ItemKind.COSIGN_ORDER: Group.COSIGN,
    ItemKind.DECLINED: Group.SIGN,
    ItemKind.REFERRAL: Group.DECIDE,
}


_BEFORE: Final = frozenset({ItemKind.ORDER, ItemKind.SCREENING, ItemKind.DECISION, ItemKind.COSIGN_ORDER})


def group_of(kind: ItemKind, *, is_before_a_session: bool = False, gravity: int = 0, is_open: bool = False) -> Group:
    """Return the part of the inbox that an item stands in.

    What a booked session waits for comes before everything else. A grave event asks for a signature; a lesser one is
    for information until somebody looks at it. So is what the physician was told and has replied to; without a reply
    (`is_open`) it asks for one. A note or a draft that is with its author again is for information (`is_open`).
    """
    if kind in {ItemKind.NOTE, ItemKind.ORDER} and is_open:
        return Group.INFORMATION
    if is_before_a_session and kind in _BEFORE:
        return Group.BEFORE
    if (kind is ItemKind.EVENT and gravity >= GRAVE) or (kind is ItemKind.TOLD and is_open):
        return Group.SIGN
    return _GROUPS[kind]


def gravity_of(grade: int | None, *, is_serious: bool | None) -> int:
    """Return how grave an adverse event is, 1 to 5; a serious one is never less than severe, an ungraded one is 1."""
    return max(grade or 1, GRAVE if is_serious else 1)


class Ranked(Protocol):
    """What the order of the inbox is made from. `since` is when the item began to wait, or must be done by."""

    @property
    def group(self) -> Group: ...
    @property
    def gravity(self) -> int: ...
    @property
    def is_mine(self) -> bool: ...
    @property
    def since(self) -> datetime: ...


Item = TypeVar("Item", bound=Ranked)


def ranked(items: Iterable[Item]) -> list[Item]:
    """Return the inbox in its order: by group, one's own before the clinic's, the gravest first, then the oldest."""
    places = list(Group)
    return sorted(items, key=lambda item: (places.index(item.group), not item.is_mine, -item.gravity, item.since))


def grouped(items: Sequence[Item]) -> Mapping[Group, list[Item]]:
    """Return the items by group, every group in its place even when it is empty."""
    return {group: [item for item in items if item.group is group] for group in Group}


def pages_of(items: Sequence[Item]) -> list[Sequence[Item]]:
    """Return the items in pages; an empty list is one empty page."""
    return [items[start : start + PAGE] for start in range(0, max(len(items), 1), PAGE)]


def age_words(since: datetime, now: datetime) -> str:
    """Return how long something has waited: "40 min", "3 h", "2 days"."""
    return _span(int(elapsed_minutes(since, now)))


def until_words(then: datetime, now: datetime) -> str:
    """Return how soon something comes: "in 1 day 20 h", "in 16 h", "in 25 min", "now"."""
    minutes = int(elapsed_minutes(now, then))
    if minutes <= 0:
        return "now"
    days, hours = divmod(minutes // _MINUTES_PER_HOUR, _HOURS_PER_DAY)
    if days and hours:
        return f"in {_days(days)} {hours} h"
    return f"in {_span(minutes)}"


def _span(minutes: int) -> str:
    if minutes < _MINUTES_PER_HOUR:
        return f"{max(minutes, 0)} min"
    hours = minutes // _MINUTES_PER_HOUR
    return f"{hours} h" if hours < _HOURS_PER_DAY else _days(hours // _HOURS_PER_DAY)


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def outside_words(outside: int, events: int) -> str:
    """Return "1 value outside limits, 1 event." or, when there was neither, an empty text."""
    parts = []
    if outside:
        parts.append(f"{outside} {'value' if outside == 1 else 'values'} outside limits")
    if events:
        parts.append(f"{events} {'event' if events == 1 else 'events'}")
    return f"{', '.join(parts)}." if parts else ""


@dataclass(frozen=True)
class OrderSpan:
    """A version of an order: whether it is in force, on which days of the clinic, and for how many sessions."""

    is_in_force: bool
    valid_from: date | None
    valid_until: date | None
    sessions_allowed: int | None = None


def is_covered(versions: Iterable[OrderSpan], on: date, session: int = 1) -> bool:
    """Whether some version of an order may be used on a day of the clinic for the session that is given as this one."""
    return any(
        version.is_in_force
        and (version.valid_from is None or version.valid_from <= on)
        and (version.valid_until is None or on <= version.valid_until)
        and (version.sessions_allowed is None or session <= version.sessions_allowed)
        for version in versions
    )

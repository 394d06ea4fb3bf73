"""Which waiting patients fit a time that has become free, and in what order, on plain values."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from clinic.core.times import date_label
from clinic.scheduling.rules import DayPart, Stretch

_NOON: Final = 12
_PART_WORDS: Final = {DayPart.MORNING: "mornings", DayPart.AFTERNOON: "afternoons"}
_DAY_WORDS: Final = ("", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Wish(Protocol):
    """When a waiting patient can come."""

    @property
    def weekdays(self) -> tuple[int, ...] | None: ...
    @property
    def part(self) -> DayPart | None: ...
    @property
    def from_on(self) -> date | None: ...
    @property
    def until_on(self) -> date | None: ...
    @property
    def notice_hours(self) -> int: ...


def can_come(wish: Wish, starts_at: datetime, *, at: datetime, zone: ZoneInfo) -> bool:
    """Return whether the patient can come at a time, told now."""
    wall = starts_at.astimezone(zone)
    is_morning = wall.hour < _NOON
    return (
        starts_at >= at + timedelta(hours=wish.notice_hours)
        and (wish.weekdays is None or wall.isoweekday() in wish.weekdays)
        and (wish.part is None or (wish.part is DayPart.MORNING) is is_morning)
        and (wish.from_on is None or wish.from_on <= wall.date())
        and (wish.until_on is None or wall.date() <= wish.until_on)
    )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A waiting session: how long it takes, since when it waits, what it holds now, and what the order says against."""

    key: object
    minutes: int | None
    since: datetime
    now_at: datetime | None
    note: str | None


def fitting(candidates: Iterable[Candidate], free: Stretch) -> list[Candidate]:
    """Return those who fit a free time, the best first.

    Whom the order's spacing suits comes before whom it does not, whoever holds no time before whoever holds one, a
    later one before a sooner one, and then whoever waits longest.
    """
    found = [
        each
        for each in candidates
        if each.minutes is not None and free.starts_at + timedelta(minutes=each.minutes) <= free.ends_at
    ]
    return sorted(
        found,
        key=lambda each: (
            each.note is not None,
            each.now_at is not None,
            -each.now_at.timestamp() if each.now_at else 0,
            each.since,
        ),
    )


def wish_words(wish: Wish) -> str:
    """Say when the patient can come: "Mon, Wed, mornings, told 24 h before"."""
    parts = [
        ", ".join(_DAY_WORDS[number] for number in wish.weekdays) if wish.weekdays else "any day",
        _PART_WORDS[wish.part] if wish.part else "at any time",
        f"from {date_label(wish.from_on)}" if wish.from_on else "",
        f"until {date_label(wish.until_on)}" if wish.until_on else "",
        f"told {wish.notice_hours} h before",
    ]
    return ", ".join(part for part in parts if part)

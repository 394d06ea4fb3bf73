"""Slots of the clinic's wall clock, and the instants that they stand for."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from clinic.core import times
from clinic.scheduling.optimiser.problem import Shape
from clinic.scheduling.phase_rules import WHOLE, Parts

SLOT: Final = 5  # minutes
DAY: Final = 24 * 60 // SLOT


@dataclass(frozen=True, slots=True)
class Frame:
    """The days that are looked at, on the clinic's wall."""

    first: date
    length: int
    zone: ZoneInfo

    def instant(self, day: int, slot: int) -> datetime:
        """When a slot begins."""
        wall = datetime.combine(self.first + timedelta(days=day), time()) + timedelta(minutes=slot * SLOT)
        return wall.replace(tzinfo=self.zone).astimezone(UTC)

    def offset(self, day: int) -> int:
        """Minutes east of UTC at noon."""
        noon = datetime.combine(self.first + timedelta(days=day), time(12), tzinfo=self.zone)
        return int((noon.utcoffset() or timedelta()).total_seconds()) // 60

    def day(self, instant: datetime) -> int:
        """The number of the day that an instant lies in."""
        return (times.local(instant, self.zone).date() - self.first).days

    def spans(self, start: datetime, end: datetime, *, is_inward: bool = False) -> Iterator[tuple[int, int, int]]:
        """The slots of each day that a time touches, or with `is_inward` fills."""
        from_wall, to_wall = times.local(start, self.zone), times.local(end, self.zone)
        first, last = (from_wall.date() - self.first).days, (to_wall.date() - self.first).days
        early, late = (SLOT - 1, 0) if is_inward else (0, SLOT - 1)
        for day in range(max(first, 0), min(last, self.length - 1) + 1):
            begin = (from_wall.hour * 60 + from_wall.minute + early) // SLOT if day == first else 0
            until = (to_wall.hour * 60 + to_wall.minute + late) // SLOT if day == last else DAY
            if begin < until:
                yield day, begin, until


def shape_of(slots: int, parts: Parts = WHOLE, needs: frozenset[str] = frozenset()) -> Shape:
    """A session that holds a chair with what it needs and a nurse for so many slots, with its phases."""
    prep = min(slots_of(parts.before), slots)
    recovery = min(slots_of(parts.after), slots - prep)
    return Shape(prep, slots - prep - recovery, recovery, load=1, is_first=False, needs=needs)


def site_feature(site_id: uuid.UUID) -> str:
    """What a chair has that stands at a site: a course stays at one."""
    return f"site {site_id}"


def slots_of(minutes: int) -> int:
    """Slots that so many minutes touch."""
    return -(-minutes // SLOT)

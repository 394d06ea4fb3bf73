"""Clinic time for people, UTC for the record.

Instants are aware datetimes in UTC. Two local times are never subtracted: within one zone Python compares wall
clocks, so the hour that happens twice in autumn would be lost.
"""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from clinic.core.units import EXACT

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MICROSECONDS_PER_MINUTE: Final = 60_000_000


class NoSuchTime(ValueError):
    """A wall time that the clocks skipped. The message can be shown at the field."""


class AmbiguousTime(ValueError):
    """A wall time that happened twice. `choices` are the two instants, the earlier first; ask which one is meant."""

    def __init__(self, message: str, choices: tuple[datetime, datetime]) -> None:
        """Keep the two instants beside the sentence to show."""
        super().__init__(message)
        self.choices = choices


def utc(instant: datetime) -> datetime:
    """Return the same instant in UTC. Raises `ValueError` for a naive datetime: nobody knows when that is."""
    if instant.utcoffset() is None:
        raise ValueError("A time without a zone is not an instant.")
    return instant.astimezone(UTC)


def local(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the clinic's wall time of an instant, for display only."""
    return utc(instant).astimezone(zone)


def from_local(day: date, clock: time, zone: ZoneInfo, fold: int | None = None) -> datetime:
    """Return the instant (UTC) of a wall time that a person typed.

    `fold` answers "first or second?" for the hour that happens twice: 0 the first, 1 the second; it changes nothing
    elsewhere. Raises `NoSuchTime` for a time the clocks skipped and `AmbiguousTime` when the question is still open.
    """
    wall = datetime.combine(day, clock.replace(tzinfo=None, fold=0))
    first = wall.replace(tzinfo=zone).astimezone(UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first == second:
        return first
    # In the skipped hour neither reading comes back to the same wall time.
    if first.astimezone(zone).replace(tzinfo=None) != wall:
        raise NoSuchTime(
            f"{clock:%H:%M} did not exist on {date_label(day)}: the clocks went forward. Enter another time."
        )
    if fold is None:
        message = f"{clock:%H:%M} happened twice on {date_label(day)}. Choose the first or the second."
        raise AmbiguousTime(message, (first, second))
    return second if fold else first


def clock_label(instant: datetime, zone: ZoneInfo) -> str:
    """Return "01:30", or "01:30 EST" in the two hours of a clock change, when the time alone names two instants."""
    wall = local(instant, zone)
    label = f"{wall:%H:%M}"
    if wall.utcoffset() == wall.replace(fold=1 - wall.fold).utcoffset():
        return label
    letters = wall.tzname() or ""
    # Zones without letters of their own are named by their offset, "-03".
    return f"{label} {'UTC' if letters[:1] in '+-' else ''}{letters}"


def date_label(day: date) -> str:
    """Return a date with the month in letters, which cannot be misread across countries: 18-Nov-2025."""
    return f"{day.day:02d}-{_MONTHS[day.month - 1]}-{day.year:04d}"


def microseconds_between(start: datetime, end: datetime) -> int:
    """Return the microseconds from one instant to another, negative when `end` is earlier."""
    elapsed = utc(end) - utc(start)
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds


def elapsed_minutes(start: datetime, end: datetime) -> Decimal:
    """Return the minutes that truly passed from `start` to `end`, whatever the clocks on the wall did."""
    return EXACT.divide(Decimal(microseconds_between(start, end)), Decimal(_MICROSECONDS_PER_MINUTE))

"""Decisions about hours, closed days and cover, on plain values. The database judges by the same rules."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple, Protocol, TypeVar
from zoneinfo import ZoneInfo

from clinic.scheduling.rules import Stretch

MINUTES_OF_A_DAY: Final = 24 * 60
_MINUTE: Final = timedelta(minutes=1)
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
# No zone changes its clocks twice within a week.
_STEP: Final = timedelta(days=7)


class Span(Protocol):
    """From an instant until another, which no longer belongs to it."""

    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


class Hours(Protocol):
    """A site is open on a weekday, in minutes of the wall."""

    @property
    def weekday(self) -> int: ...
    @property
    def from_min(self) -> int: ...
    @property
    def until_min(self) -> int: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def valid_until(self) -> date | None: ...


class Closed(Protocol):
    """A site is closed on some days, or in a part of each."""

    @property
    def from_on(self) -> date: ...
    @property
    def until_on(self) -> date: ...
    @property
    def from_min(self) -> int | None: ...
    @property
    def until_min(self) -> int | None: ...


ClosedRow = TypeVar("ClosedRow", bound=Closed)


class WallPart(NamedTuple):
    """What an appointment takes of one day of the wall, in seconds from its midnight."""

    day: date
    start: int
    end: int


class Offset(NamedTuple):
    """How far a wall clock is ahead of UTC between two instants."""

    starts_at: datetime
    ends_at: datetime
    minutes: int


# --- the clock on the wall -------------------------------------------------------------------------------------------


def clock_offsets(zone: ZoneInfo) -> list[Offset]:
    """Return a zone's offsets of this century, to the second of each change."""
    changes, at = [_FIRST], _FIRST
    while at < _LAST:
        later = min(at + _STEP, _LAST)
        if _ahead(at, zone) != _ahead(later, zone):
            changes.append(_change_between(at, later, zone))
        at = later
    return [Offset(start, end, _ahead(start, zone)) for start, end in pairwise([*changes, _LAST]) if start < end]


def _ahead(instant: datetime, zone: ZoneInfo) -> int:
    return (instant.astimezone(zone).utcoffset() or timedelta()) // _MINUTE


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    was = _ahead(before, zone)
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if _ahead(middle, zone) == was:
            before = middle
        else:
            after = middle
    return after


def wall_parts(stretch: Span, zone: ZoneInfo) -> list[WallPart]:
    """Return what a stretch takes of each day by the clinic's clock; an end at midnight is 24:00 of the day before."""
    start, end = stretch.starts_at.astimezone(zone), stretch.ends_at.astimezone(zone)
    parts, day = [], start.date()
    while day <= end.date():
        begins = _seconds(start) if day == start.date() else 0
        ends = _seconds(end) if day == end.date() else MINUTES_OF_A_DAY * 60
        if ends > 0 or day == start.date():
            parts.append(WallPart(day, begins, ends))
        day += timedelta(days=1)
    return parts


def _seconds(wall: datetime) -> int:
    return wall.hour * 3600 + wall.minute * 60 + wall.second


# --- hours and closed days -------------------------------------------------------------------------------------------


def hours_on(hours: Iterable[Hours], day: date) -> list[tuple[int, int]] | None:
    """Return the opening of a day in minutes, earliest first; None where no hours were typed for so early a day."""
    rows = list(hours)
    if not any(each.valid_from <= day for each in rows):
        return None
    return sorted((each.from_min, each.until_min) for each in rows if _counts(each, day))


def _counts(each: Hours, day: date) -> bool:
    is_valid = each.valid_from <= day and (each.valid_until is None or day <= each.valid_until)
    return is_valid and each.weekday == day.isoweekday()


def is_within_hours(stretch: Span, hours: Iterable[Hours], zone: ZoneInfo) -> bool:
    """Return whether each part lies inside one opening of its day. Where no hours were typed, it does."""
    rows = list(hours)
    parts = wall_parts(stretch, zone)
    openings = [hours_on(rows, part.day) for part in parts]
    if openings[0] is None:
        return True
    return all(
        any(start * 60 <= part.start and part.end <= end * 60 for start, end in opening or ())
        for part, opening in zip(parts, openings, strict=True)
    )


def closed_then(stretch: Span, closed: Iterable[ClosedRow], zone: ZoneInfo) -> list[ClosedRow]:
    """Return the closed days that a stretch touches."""
    parts = wall_parts(stretch, zone)
    return [each for each in closed if any(_is_closed(each, part) for part in parts)]


def _is_closed(each: Closed, part: WallPart) -> bool:
    if not each.from_on <= part.day <= each.until_on:
        return False
    if each.from_min is None or each.until_min is None:
        return True
    return part.start < each.until_min * 60 and part.end > each.from_min * 60


def open_spans(hours: Iterable[Hours], closed: Iterable[Closed], day: date) -> list[tuple[int, int]] | None:
    """Return the minutes of a day in which a site is open: its hours less what is closed; None for no hours typed.

    Where no hours were typed a closed day is still closed, and the rest of it is open.
    """
    opening = hours_on(hours, day)
    shut = [each for each in closed if each.from_on <= day <= each.until_on]
    if opening is None and not shut:
        return None
    spans = [(0, MINUTES_OF_A_DAY)] if opening is None else opening
    for each in shut:
        start, end = each.from_min or 0, MINUTES_OF_A_DAY if each.until_min is None else each.until_min
        spans = [piece for span in spans for piece in ((span[0], min(span[1], start)), (max(span[0], end), span[1]))]
        spans = [piece for piece in spans if piece[0] < piece[1]]
    return spans


# --- cover -----------------------------------------------------------------------------------------------------------


def outside(stretch: Span, off: Span) -> list[Stretch]:
    """Return what a stretch keeps when a time is taken out of it: nothing, one piece or two."""
    before = Stretch(stretch.starts_at, min(stretch.ends_at, off.starts_at))
    after = Stretch(max(stretch.starts_at, off.ends_at), stretch.ends_at)
    return [piece for piece in (before, after) if piece.starts_at < piece.ends_at]


def is_covered(stretch: Span, rows: Iterable[Span]) -> bool:
    """Return whether each instant of a stretch lies in one of the rows; rows that touch are one."""
    reached = stretch.starts_at
    for row in sorted(rows, key=lambda each: each.starts_at):
        if row.starts_at <= reached < row.ends_at:
            reached = row.ends_at
    return reached >= stretch.ends_at

"""Times as a case file writes them: an instant with its offset, the clinic's wall clock, or a time of day."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

_TIME_OF_DAY = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,6})\d*)?)?"
_PLACE = r"(?:\s*(?P<offset>Z|[+-]\d{1,2}(?::?\d{2})?)|\s*\(?(?P<letters>[A-Za-z]{2,5})\)?)?"
_INSTANT = re.compile(rf"(?:(?P<date>\d{{4}}-\d{{2}}-\d{{2}})[Tt ,]\s*)?{_TIME_OF_DAY}{_PLACE}\s*(?:\[[\w/+-]+\])?")

_FIRST_YEAR, _LAST_YEAR = 1900, 2199
_MICROSECONDS = 60_000_000

# A time of day without a date belongs to the session's day, or to the next one when it would lie this far before it.
_BARE = re.compile(r"(\d{1,2}):")
_BEFORE_START = timedelta(hours=6)


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """One instant of a session: in UTC, and as minutes from the session's start (negative before it).

    Minutes come from subtracting UTC instants, so a night in which the clocks change counts its real length.
    """

    at: datetime
    minute: Decimal

    @classmethod
    def after(cls, start: datetime, minute: Decimal) -> "Moment":
        """The moment so many minutes after `start`, to the microsecond."""
        return cls(at=start + timedelta(microseconds=round(minute * _MICROSECONDS)), minute=minute)

    @classmethod
    def of(cls, at: datetime, start: datetime) -> "Moment":
        return cls(at=at, minute=Decimal((at - start) // timedelta(microseconds=1)) / _MICROSECONDS)


def read_instant(text: str, *, zone: tzinfo | None, on: date | None = None) -> datetime:
    """Turn a written time into an instant in UTC.

    Accepted: `2026-11-01T01:30:00-04:00`, `2026-11-01 01:30 -0400`, `…Z`, `2026-11-01 01:30 EST` (letters as `zone`
    uses them), `2026-11-01 01:30` on the wall clock of `zone`, `2026-11-01 01:30 (second)`, and `10:46` on the
    day `on`.

    Raises ValueError, its text ready to stand behind a name, when the time cannot be told for certain: no offset and
    no zone, an hour that the clock shows twice, an hour that it skips.
    """
    found = _INSTANT.fullmatch(text.strip())
    if found is None:
        raise ValueError("is not a date and time")
    wall = _wall_clock(found, on)
    if found["offset"]:
        return wall.replace(tzinfo=_offset(found["offset"])).astimezone(UTC)
    letters = (found["letters"] or "").upper()
    if letters in {"UTC", "GMT"}:
        return wall.replace(tzinfo=UTC)
    if zone is None:
        raise ValueError("has no offset, and the file names no zone")
    return _in_zone(wall, zone, letters)


def _wall_clock(found: re.Match[str], on: date | None) -> datetime:
    day = date.fromisoformat(found["date"]) if found["date"] else on
    if day is None:
        raise ValueError("has no date")
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(f"is outside the years {_FIRST_YEAR} to {_LAST_YEAR}")
    fraction = (found["fraction"] or "").ljust(6, "0")
    clock = time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0), int(fraction))
    return datetime.combine(day, clock)  # UTC or the zone follows


def _offset(text: str) -> timezone:
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")  # noqa: PLR2004 "-04" or "-0400"
    span = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(span if text[0] == "+" else -span)


def _in_zone(wall: datetime, zone: tzinfo, letters: str) -> datetime:
    """The instant at which the clocks of `zone` show `wall`; `letters` says which one when there are two."""
    readings = [wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    # A time that the clock skips comes back from UTC as another wall time.
    real = [one for one in readings if one.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall]
    if not real:
        raise ValueError(f"does not exist on the clocks of {zone}")
    instants = {one.astimezone(UTC): one for one in real}
    if letters in {"FIRST", "SECOND"}:
        return sorted(instants)[0 if letters == "FIRST" else -1]
    if letters:
        instants = {utc: one for utc, one in instants.items() if (one.tzname() or "").upper() == letters}
    if not instants:
        raise ValueError(f"is not in {letters} on the clocks of {zone}")
    if len(instants) > 1:
        raise ValueError(f"comes twice on the clocks of {zone}: give its offset")
    return next(iter(instants))


@dataclass(frozen=True, slots=True)
class Timeline:
    """What a session's times are counted from, and the zone in which bare wall-clock times are read."""

    start: datetime | None
    zone: ZoneInfo | None

    def moment(self, text: str, *, number: Decimal | None, utc: bool = False) -> Moment:
        """A moment written as minutes from the start (`number`) or as a time (`text`). Raises ValueError as above."""
        if self.start is None:
            if number is not None:
                raise ValueError("counts minutes, but there is no session start to count from")
            at = read_instant(text, zone=UTC if utc else self.zone)
            return Moment(at=at, minute=Decimal(0))
        if number is not None:
            return Moment.after(self.start, number)
        reading_zone = UTC if utc else self.zone
        start = self.start.astimezone(reading_zone or UTC).replace(tzinfo=None)
        day = start.date()
        bare = _BARE.match(text.strip())
        if bare and datetime.combine(day, time()) + timedelta(hours=int(bare[1])) < start - _BEFORE_START:
            day += timedelta(days=1)
        return Moment.of(read_instant(text, zone=reading_zone, on=day), self.start)

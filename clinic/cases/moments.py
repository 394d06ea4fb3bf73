"""Moments under the keys and in the cells of a case file."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from clinic.cases.instants import Moment, Timeline, read_instant
from clinic.cases.reading import Fields, Item, shown

# A year of minutes: more is a slip of the finger, and would leave the calendar.
MAX_MINUTES = 527_040


def instant_of(item: Item, zone: ZoneInfo | None, *, on: date | None = None) -> datetime:
    """A written time, in UTC; a bare `09:15` is on the day `on`. Raises CaseFault where it is not certain."""
    text = item.text()
    try:
        return read_instant(text, zone=zone, on=on)
    except ValueError as error:
        raise item.fault(f"{shown(text)} {_reason(error)}") from None


def moment_of(item: Item, timeline: Timeline, *, utc: bool = False) -> Moment:
    """A cell that holds minutes from the session's start, or a time."""
    if item.is_null:
        item.refuse("a time is missing")
    number = None
    if item.is_number:
        number = _within_a_year(item, item.number())
    text = item.text()
    try:
        return timeline.moment(text, number=number, utc=utc)
    except ValueError as error:
        raise item.fault(f"{shown(text)} {_reason(error)}") from None


def moment_after_hours(item: Item, timeline: Timeline) -> Moment:
    """A moment written as hours from the session's start."""
    minutes = _within_a_year(item, item.number() * 60)
    return timeline.moment("", number=minutes)


def _within_a_year(item: Item, minutes: Decimal) -> Decimal:
    if abs(minutes) > MAX_MINUTES:
        item.refuse(f"{shown(item.scalar())} is more than a year")
    return minutes


def moment(fields: Fields, timeline: Timeline, *bases: str) -> Moment | None:
    """The moment under `onset_min`, `onset_at`, `onset_local`, `onset_utc`, `onset_time` or plain `onset`.

    The empty base stands for the bare endings: `min`, `at`, `time`, `utc`. A flag (`opened: true`) says that it
    happened and leaves open when.
    """
    for base in bases:
        for ending in ("min", "at", "local", "utc", "time", "minute", ""):
            found = fields.find("_".join(part for part in (base, ending) if part) or "at")
            if found is not None and not found.is_flag:
                return moment_of(found, timeline, utc=ending == "utc")
    return None


def _reason(error: ValueError) -> str:
    """Our own refusals are sentences; those of the calendar ("hour must be in 0..23") get a verb."""
    reason = str(error)
    ours = reason.startswith(("is ", "has ", "does ", "comes ", "counts "))
    return reason if ours else f"is not a time: {reason}"

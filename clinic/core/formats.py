"""How values stand on screen and on paper: the template filters, in the clinic's own time."""

from collections.abc import Callable
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from clinic.core import drawing, times, units

zone: ContextVar[ZoneInfo] = ContextVar("zone", default=ZoneInfo("UTC"))  # noqa: B039 a zone never changes
"""The zone of the clinic that this piece of work is for."""

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _as_date(moment: date | datetime) -> date:
    return times.local(moment, zone.get()).date() if isinstance(moment, datetime) else moment


def clock(instant: datetime) -> str:
    """14:27, with the zone's letters in the two hours of a clock change."""
    return times.clock_label(instant, zone.get())


def day(moment: date | datetime) -> str:
    """18-Nov-2025, which cannot be misread across countries."""
    return times.date_label(_as_date(moment))


def short_day(moment: date | datetime) -> str:
    """18-Nov."""
    return day(moment)[:6]


def weekday_day(moment: date | datetime) -> str:
    """Tue 18-Nov-2025."""
    return f"{_WEEKDAYS[_as_date(moment).weekday()]} {day(moment)}"


def weekday(moment: date | datetime) -> str:
    """Tue."""
    return _WEEKDAYS[_as_date(moment).weekday()]


def minutes(total: int | Decimal) -> str:
    """1 h 22 min."""
    hours, rest = divmod(int(total), 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def age(born_on: date, on: date | datetime) -> int:
    """Full years of life on a day."""
    today = _as_date(on)
    return today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))


def quantity(value: Decimal, unit: str, *, spoken: bool = False) -> str:
    """0.5 mg, or 0.5 mg per hour spoken, with a no-break space."""
    return units.format_quantity(value, units.Unit(unit), spoken=spoken)


def iso(instant: datetime) -> str:
    """The instant for a machine, in a `datetime` attribute."""
    return times.utc(instant).isoformat()


FILTERS: dict[str, Callable[..., object]] = {
    "clock": clock,
    "day": day,
    "short_day": short_day,
    "weekday": weekday,
    "weekday_day": weekday_day,
    "minutes": minutes,
    "age": age,
    "number": units.format_number,
    "quantity": quantity,
    "family_upper": str.upper,
    "iso": iso,
    "svg": drawing.svg,
}

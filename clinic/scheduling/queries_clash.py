"""What stands in the way of a wished time, for each rule that can refuse it."""

import uuid
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Protocol

from clinic.core import formats, times
from clinic.scheduling import queries, queries_availability, queries_rooms
from clinic.scheduling.availability_rules import is_said, time_words
from clinic.scheduling.models import Appointment, Pump
from clinic.scheduling.queries import Standing
from clinic.scheduling.room_rules import MINUTES_OF_A_DAY, closed_then, hours_on, wall_parts

_QUARTER = timedelta(minutes=15)
_MINUTE = timedelta(minutes=1)


class Wish(queries.Wish, Protocol):
    """A chair, perhaps a nurse and perhaps a pump, wished for a stretch of time."""

    @property
    def pump(self) -> Pump | None: ...


def in_the_way(constraint: str, wish: Wish, patient_id: uuid.UUID) -> tuple[Standing, ...]:
    """What a refused wish collided with: appointments, or what the clinic has at that time."""
    if constraint == "patient_can_come":
        return _said(wish, patient_id)
    read = _READS.get(constraint)
    return read(wish) if read else queries.standing_in_the_way(constraint, wish, patient_id)


def _said(wish: Wish, patient_id: uuid.UUID) -> tuple[Standing, ...]:
    """What the patient said about the day."""
    on = times.local(wish.starts_at, formats.zone.get()).date()
    rows = queries_availability.hours_of([patient_id]).get(patient_id, [])
    return tuple(
        Standing(
            time_words(row),
            "",
            instant_at(on, row.from_min or 0),
            instant_at(on, MINUTES_OF_A_DAY if row.until_min is None else row.until_min),
        )
        for row in rows
        if is_said(row, on)
    )


def _people(appointments: Iterable[Appointment]) -> tuple[Standing, ...]:
    return tuple(Standing(each.patient.name, each.chair.name, each.starts_at, each.ends_at) for each in appointments)


def _quarter(instant: datetime) -> int:
    return int(instant.timestamp()) // (15 * 60)


def _day_of(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The days of the wall that a time touches, as instants."""
    zone = formats.zone.get()
    first, last = times.local(start, zone).date(), times.local(end, zone).date()
    return instant_at(first, 0), instant_at(last, MINUTES_OF_A_DAY)


def instant_at(day: date, minute: int) -> datetime:
    """The instant of a minute of the wall, 1440 being the end of the day; a skipped one is the change itself."""
    zone = formats.zone.get()
    wall = datetime.combine(day, datetime.min.time(), zone) + timedelta(minutes=minute)
    return times.utc(wall)


def _on_site(wish: Wish) -> tuple[Standing, ...]:
    """Who is on site on the day."""
    there = queries_rooms.presences(*_day_of(wish.starts_at, wish.ends_at), site_id=wish.chair.site_id)
    return tuple(Standing(f"{each.staff.name} is there", "", each.starts_at, each.ends_at) for each in there)


def _neighbours(wish: Wish) -> tuple[Standing, ...]:
    gap = timedelta(minutes=wish.chair.cleaning_min or 0)
    near = queries_rooms.standing(wish.starts_at - gap, wish.ends_at + gap, chair_id=wish.chair.id)
    return _people(near)


def _hours(wish: Wish) -> tuple[Standing, ...]:
    hours = queries_rooms.opening_hours(wish.chair.site_id)
    return tuple(
        Standing("open", "", instant_at(part.day, start), instant_at(part.day, end))
        for part in wall_parts(wish, formats.zone.get())
        for start, end in hours_on(hours, part.day) or ()
    )


def _closed(wish: Wish) -> tuple[Standing, ...]:
    rows = closed_then(wish, queries_rooms.closed_days(site_id=wish.chair.site_id), formats.zone.get())
    return tuple(
        Standing(
            row.reason,
            "",
            instant_at(row.from_on, row.from_min or 0),
            instant_at(row.until_on, MINUTES_OF_A_DAY if row.until_min is None else row.until_min),
        )
        for row in rows
    )


def _shifts(wish: Wish) -> tuple[Standing, ...]:
    found = queries_rooms.shifts_of(wish.nurse.id, *_day_of(wish.starts_at, wish.ends_at)) if wish.nurse else []
    return tuple(Standing("on duty", "", each.starts_at, each.ends_at) for each in found)


def _breaks(wish: Wish) -> tuple[Standing, ...]:
    start = wish.starts_at
    found = queries_rooms.breaks_of(wish.nurse.id, start, start + _MINUTE) if wish.nurse else []
    return tuple(Standing("break", "", each.starts_at, each.ends_at) for each in found)


def _starts(wish: Wish) -> tuple[Standing, ...]:
    start = wish.starts_at
    near = queries_rooms.standing(start - _QUARTER, start + _QUARTER, nurse_id=wish.nurse.id) if wish.nurse else []
    return _people(each for each in near if _quarter(each.starts_at) == _quarter(start))


def _pump_held(wish: Wish) -> tuple[Standing, ...]:
    return _people(queries_rooms.standing(wish.starts_at, wish.ends_at, pump_id=wish.pump.id) if wish.pump else [])


def _pump_out(wish: Wish) -> tuple[Standing, ...]:
    found = queries_rooms.pump_closures(wish.starts_at, wish.ends_at, pump_id=wish.pump.id) if wish.pump else []
    return tuple(Standing(each.reason, "", each.starts_at, each.ends_at) for each in found)


_READS: dict[str, Callable[[Wish], tuple[Standing, ...]]] = {
    "chair_is_clean": _neighbours,
    "site_is_open": _hours,
    "day_is_open": _closed,
    "clinician_is_present": _on_site,
    "nurse_is_on_duty": _shifts,
    "nurse_has_no_break": _breaks,
    "nurse_may_start": _starts,
    "no_overlap_for_pump": _pump_held,
    "pump_is_in_service": _pump_out,
}

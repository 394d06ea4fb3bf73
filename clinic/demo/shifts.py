"""Who is on duty: nurses and physicians, last week, today and the coming four weeks."""

from datetime import datetime, timedelta

from clinic.demo.people import ON_DUTY, DemoWorld
from clinic.demo.timeline import Days
from clinic.scheduling import operations as scheduling

_OPENS, _CLOSES = "07:30", "18:00"
_BEFORE, _AFTER = 5, 20


def add_shifts(world: DemoWorld, days: Days, *, at: datetime) -> None:
    """Put everybody on duty on weekdays. Today counts whatever day it is, and around the clock outside the hours."""
    by = world.person("DESK", at=at)
    for offset in (*range(-_BEFORE, 0), *range(1, _AFTER + 1)):
        day = days.workday(offset)
        for code in ON_DUTY:
            staff = world.person(code, at=at)
            scheduling.add_shift(staff, starts_at=days.at(day, _OPENS), ends_at=days.at(day, _CLOSES), by=by, at=at)
    start, end = days.at(days.today, _OPENS), days.at(days.today, _CLOSES)
    if not days.is_open_now:
        start, end = days.at(days.today, "00:00"), days.at(days.today + timedelta(days=1), "00:00")
    for code in ON_DUTY:
        scheduling.add_shift(world.person(code, at=at), starts_at=start, ends_at=end, by=by, at=at)

"""Who is on duty: nurses and physicians, the last three weeks, today and the coming four."""

from datetime import datetime, timedelta
from itertools import pairwise

from clinic.demo.people import ON_DUTY, DemoWorld
from clinic.demo.timeline import Days
from clinic.scheduling import operations as scheduling

_OPENS, _CLOSES = "07:30", "18:00"
_BEFORE, _AFTER = 15, 20
# The first visit of the board begins less than this before the moment of filling, the last ends less than this after.
_BACK, _AHEAD = timedelta(hours=6), timedelta(hours=5, minutes=29)


def add_shifts(world: DemoWorld, days: Days, *, at: datetime) -> None:
    """Put everybody on duty on weekdays. Today counts whatever day it is."""
    by = world.person("DESK", at=at)
    for offset in (*range(-_BEFORE, 0), *range(1, _AFTER + 1)):
        day = days.workday(offset)
        for code in ON_DUTY:
            staff = world.person(code, at=at)
            scheduling.add_shift(staff, starts_at=days.at(day, _OPENS), ends_at=days.at(day, _CLOSES), by=by, at=at)
    for start, end in around_now(days):
        for code in ON_DUTY:
            scheduling.add_shift(world.person(code, at=at), starts_at=start, ends_at=end, by=by, at=at)


def around_now(days: Days) -> list[tuple[datetime, datetime]]:
    """Today's hours, as far as the board reaches on both sides of now; one shift for each day that they touch."""
    tomorrow = days.today + timedelta(days=1)
    begins = min(days.at(days.today, _OPENS), days.round(days.now - _BACK, 30))
    ends = max(days.at(days.today, _CLOSES), days.round(days.now + _AHEAD, 30))
    midnights = (days.at(day, "00:00") for day in (days.today, tomorrow))
    return list(pairwise([begins, *(at for at in midnights if begins < at < ends), ends]))

"""Booked appointments of a week that what is entered about people does not cover.

The first shift of a week makes that week count: whoever has none is not on duty then. A clinic that enters its shifts
bit by bit sees here whom its booked patients still wait for; the same for clinicians on site.
"""

from collections.abc import Sequence
from datetime import datetime

from clinic.core.permissions import Role
from clinic.scheduling import queries_rooms
from clinic.scheduling.models import Appointment, Shift
from clinic.scheduling.models_rooms import Presence
from clinic.scheduling.room_rules import is_covered


def without_duty(shifts: Sequence[Shift], start: datetime, end: datetime) -> list[Appointment]:
    """Appointments of a time whose nurse has no shift for all of it; none where no nurse has any."""
    if not any(Role.NURSE in each.staff.roles for each in shifts):
        return []
    return [
        each
        for each in queries_rooms.standing(start, end)
        if each.nurse_id and not is_covered(each, [shift for shift in shifts if shift.staff_id == each.nurse_id])
    ]


def without_clinician(presences: Sequence[Presence], start: datetime, end: datetime) -> list[Appointment]:
    """Appointments of a time for which nobody supervises on their site; of sites for which somebody is entered."""
    sites = {each.site_id for each in presences}
    return [
        each
        for each in (queries_rooms.standing(start, end) if sites else [])
        if each.chair.site_id in sites
        and not is_covered(each, [there for there in presences if there.site_id == each.chair.site_id])
    ]

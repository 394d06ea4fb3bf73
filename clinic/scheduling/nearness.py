"""Which other chairs are most like the one that a patient was to have."""

from collections.abc import Sequence

from clinic.scheduling.models import Chair
from clinic.scheduling.optimiser.calendar import Calendar
from clinic.scheduling.optimiser.problem import Course, Place

Ranks = list[tuple[bool, ...]]
"""By place in the list of chairs, how far one is from another; the least is the nearest."""


def ranks(chairs: Sequence[Chair], home: Chair) -> Ranks:
    """At the same site before all, then of the same kind with what the other has, then in the same room."""
    return [
        (
            each.site_id != home.site_id,
            each.kind is not home.kind,
            home.has_bed and not each.has_bed,
            home.is_private and not each.is_private,
            each.room != home.room,
        )
        for each in chairs
    ]


def in_near_chairs(
    calendar: Calendar, courses: Sequence[Course], plan: Sequence[Sequence[Place]], chairs: Sequence[Chair]
) -> list[tuple[Place, ...]]:
    """A plan in which whoever leaves a booked chair is put in the nearest that is free then; `calendar` holds it."""
    found = []
    for course, places in zip(courses, plan, strict=True):
        nearer = []
        for session, place in zip(course.sessions, places, strict=False):
            booked = session.booked
            if booked is None or booked.chair == place.chair:
                nearer.append(place)
                continue
            calendar.remove(course.patient, session.shape, place)
            day, far = calendar.days[place.clinic][place.day], ranks(chairs, chairs[booked.chair])
            free = [n for n in range(len(chairs)) if day.chair_is_free(n, session.shape) >> place.start & 1]
            nearest = place._replace(chair=min(free, key=lambda n: (far[n], n != place.chair, n)))
            calendar.add(course.patient, session.shape, nearest)
            nearer.append(nearest)
        found.append(tuple(nearer))
    return found

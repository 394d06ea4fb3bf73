"""Free places for one session, those that change least first: the same time in the same chair with the same nurse."""

from collections.abc import Mapping, Sequence

from clinic.scheduling.optimiser.calendar import Calendar
from clinic.scheduling.optimiser.day import Day
from clinic.scheduling.optimiser.masks import span
from clinic.scheduling.optimiser.problem import Place, Shape

# What another day, another hour, chair or nurse is worth beside each other.
_DAY, _HOUR, _CHAIR, _NURSE = 12, 6, 8, 5


class FreeSlots:
    """What one clinic's days offer to a session that stands at `now`; new starts are those of `may_start`.

    `ranks` says by chair how far it is from the one of now; the nearest free one is offered.
    """

    def __init__(
        self,
        calendar: Calendar,
        shape: Shape,
        now: Place,
        slots_per_hour: int,
        *,
        able: Mapping[int, frozenset[int]] | None = None,
        ranks: Sequence[tuple[bool, ...]] = (),
    ) -> None:
        self._days, self._able, self._ranks = calendar.days[now.clinic], able or {}, ranks
        self._shape, self._now, self._per_hour = shape, now, slots_per_hour

    def of_day(self, number: int, may_start: int, noon: int) -> list[Place]:
        """The start of each half of a day that is nearest to the time of day where the session stands."""
        day = self._days.get(number)
        if day is None:
            return []
        free = self._free(day) & may_start
        halves = (free & span(0, noon), free >> noon << noon)
        return [self._place(day, _nearest(half, self._now.start)) for half in halves if half]

    def in_chair(self, number: int, chair: int, may_start: int) -> Place | None:
        """The start in one chair on one day that is nearest to the time of day where the session stands."""
        day = self._days.get(number)
        free = self._free(day) & day.chair_is_free(chair, self._shape) & may_start if day else 0
        if day is None or not free:
            return None
        start = _nearest(free, self._now.start)
        return Place(self._now.clinic, number, start, chair, self._nurse(day, start))

    def _free(self, day: Day) -> int:
        free = 0
        for nurse, mask in day.openings(self._shape).nurses:
            free |= mask if self._may_have(day, nurse) else 0
        return free

    def _may_have(self, day: Day, nurse: int) -> bool:
        able = self._able.get(day.number)
        return able is None or nurse in able

    def _place(self, day: Day, start: int) -> Place:
        chair = self._now.chair
        if not day.chair_is_free(chair, self._shape) >> start & 1:
            chair = self._nearest_chair(day, start)
        return Place(self._now.clinic, day.number, start, chair, self._nurse(day, start))

    def _nearest_chair(self, day: Day, start: int) -> int:
        free = [n for n in range(len(self._ranks)) if day.chair_is_free(n, self._shape) >> start & 1]
        return min(free, key=lambda n: (self._ranks[n], n)) if free else day.best_chair(self._shape, start)

    def _nurse(self, day: Day, start: int) -> int:
        able = [
            nurse
            for nurse, mask in day.openings(self._shape).nurses
            if mask >> start & 1 and self._may_have(day, nurse)
        ]
        return self._now.nurse if self._now.nurse in able else able[0]

    def cost(self, place: Place) -> int:
        """How much a place changes."""
        cost = _DAY * abs(place.day - self._now.day)
        cost += _HOUR * abs(place.start - self._now.start) // self._per_hour
        cost += _CHAIR if place.chair != self._now.chair else 0
        return cost + (_NURSE if place.nurse != self._now.nurse else 0)


def _nearest(mask: int, start: int) -> int:
    """The set bit that is nearest to a place, the earlier of two."""
    below, above = mask & ((2 << start) - 1), mask >> start << start
    candidates = []
    if below:
        candidates.append(below.bit_length() - 1)
    if above:
        candidates.append((above & -above).bit_length() - 1)
    return min(candidates, key=lambda slot: (abs(slot - start), slot))

"""What a proposal does to the nurses: how many are needed at its busiest, and where too few are there."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from clinic.scheduling.optimiser.calendar import Calendar
from clinic.scheduling.optimiser.problem import Place


@dataclass(frozen=True, slots=True)
class Peak:
    """The busiest slot of a session: nurses needed with it, without it, and on duty (None where not planned yet)."""

    day: int
    slot: int
    needed: int
    before: int
    on_duty: int | None

    @property
    def is_short(self) -> bool:
        """Whether the session makes one more nurse necessary than are on duty."""
        return self.on_duty is not None and self.needed > max(self.on_duty, self.before)

    @property
    def rank(self) -> tuple[bool, int]:
        """The worse the higher."""
        return self.is_short, self.needed


def peaks(
    calendar: Calendar,
    places: Iterable[Place],
    length: int,
    per_nurse: Callable[[int], int | None],
    on_duty: Callable[[int, int], int | None],
) -> list[Peak]:
    """The busiest slot of each place; `per_nurse` is how many patients one nurse may have on a day, without it none."""
    found = []
    for place in places:
        day, most = calendar.days[place.clinic][place.day], per_nurse(place.day)
        if most is None:
            continue
        slots = range(place.start, place.start + length)
        loads = {slot: day.load(slot) for slot in slots}
        here = [
            Peak(place.day, slot, -(-(load + 1) // most), -(-load // most), on_duty(place.day, slot))
            for slot, load in loads.items()
        ]
        found.append(max(here, key=lambda peak: peak.rank))
    return found

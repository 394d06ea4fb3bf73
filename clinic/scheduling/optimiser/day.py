"""One clinic's day: what is taken, and where a session of some shape could still begin.

Answers are kept until something on the day changes, for the chair and the nurse it changes alone.
"""

from typing import NamedTuple

from clinic.scheduling.optimiser.masks import slots, span, starts
from clinic.scheduling.optimiser.problem import Clinic, DayRecord, Nurse, Place, Shape


class Openings(NamedTuple):
    """Where a shape may begin: slots by what they add to the load above the target, and by nurse."""

    by_level: list[tuple[int, int]]  # (slots of load above the target, mask), cheapest first
    nurses: list[tuple[int, int]]  # (nurse, mask)


_NONE = Openings([], [])


class _Duty:
    """A nurse on this day: her load as one mask per unit, `over[2]` being the slots with two or more."""

    __slots__ = ("_free", "_known", "_nurse", "_over", "_started", "nurse")

    def __init__(self, nurse: Nurse) -> None:
        self.nurse = nurse.nurse
        self._nurse = nurse
        self._free = span(nurse.start, nurse.end)
        self._started = 0
        for begin, end in nurse.breaks:
            self._started |= span(begin, end)  # nothing begins in a break
        self._over = [-1] + [0] * nurse.capacity
        self._known: dict[tuple[int, int], int] = {}

    def starts(self, length: int, load: int) -> int:
        """Where she could begin a session of this length and load."""
        key = (length, load)
        known = self._known.get(key)
        if known is None:
            room = self._nurse.capacity - load + 1
            free = self._free & ~self._over[room] if room > 0 else 0
            known = self._known[key] = starts(free, length) & ~self._started
        return known

    def add(self, start: int, length: int, load: int) -> None:
        taken, over = span(start, start + length), self._over
        for _ in range(load):
            for unit in range(len(over) - 1, 0, -1):
                over[unit] |= over[unit - 1] & taken
        self._started |= 1 << start
        self._known.clear()

    def remove(self, start: int, length: int, load: int) -> None:
        taken, over = span(start, start + length), self._over
        for _ in range(load):
            for unit in range(1, len(over)):
                above = over[unit + 1] if unit + 1 < len(over) else 0
                over[unit] = over[unit] & ~taken | above & taken
        self._started &= ~(1 << start)
        self._known.clear()


class _Chair:
    """A chair on this day; what is taken includes the cleaning afterwards."""

    __slots__ = ("_known", "_open", "features", "taken")

    def __init__(self, open_slots: int, features: frozenset[str]) -> None:
        self._open, self.features, self.taken = open_slots, features, 0
        self._known: dict[int, int] = {}

    def starts(self, length: int, cleaning: int) -> int:
        """Where a session of this length could begin."""
        known = self._known.get(length)
        if known is None:
            known = starts(self._open, length) & starts(~self.taken, length + cleaning)
            self._known[length] = known
        return known

    def change(self, start: int, end: int, sign: int) -> None:
        """Take the slots, or give them back. Two bookings of a real clinic may share a slot at their edges."""
        part = span(start, end)
        self.taken = self.taken | part if sign > 0 else self.taken & ~part
        self._known.clear()


class Day:
    """The state of one day; `above` counts the slots of load above the clinic's target."""

    def __init__(self, clinic: Clinic, record: DayRecord, supervision_slots: int) -> None:
        self.number, self.offset = record.number, record.utc_offset
        self.open, self.close = record.open, record.close
        self._cleaning, self._supervision = clinic.cleaning, supervision_slots
        self._hours = span(record.open, record.close)
        shut: dict[int, int] = {}
        for chair, begin, end in record.closed_chairs:
            shut[chair] = shut.get(chair, 0) | span(begin, end)
        self._chairs = [_Chair(self._hours & ~shut.get(n, 0), has) for n, has in enumerate(clinic.features)]
        self._duties = {nurse.nurse: _Duty(nurse) for nurse in record.nurses}
        self._physicians = [sum(a <= slot < b for a, b in record.physicians) for slot in range(record.close)]
        self._attended = sum(1 << slot for slot, count in enumerate(self._physicians) if count)
        self._limit, self._target = _levels(clinic, record)
        self._load = [0] * record.close
        self._supervised = [0] * record.close
        self.above = 0
        self._known: dict[Shape, Openings] = {}
        self._known_loads: dict[int, tuple[int, list[int]]] = {}

    # --- what is free ---

    def openings(self, shape: Shape) -> Openings:
        """Where a session of this shape could begin on this day."""
        known = self._known.get(shape)
        if known is None:
            known = self._known[shape] = self._find(shape)
        return known

    def _find(self, shape: Shape) -> Openings:
        length = shape.length
        free = starts(self._hours, length) & starts(self._attended, shape.infusion) >> shape.prep
        if shape.is_first and shape.infusion:
            free &= starts(self._free_supervision(), min(self._supervision, shape.infusion)) >> shape.prep
        room, above = self._load_of(shape.load)
        free &= starts(room, length)
        nurses = []
        by_nurse = 0
        if free:
            for number, duty in self._duties.items():
                mask = duty.starts(length, shape.load) & free
                if mask:
                    nurses.append((number, mask))
                    by_nurse |= mask
        by_chair = 0
        if by_nurse:
            for chair in self._chairs:
                if shape.needs <= chair.features:
                    by_chair |= chair.starts(length, self._cleaning)
        free = by_nurse & by_chair
        if not free:
            return _NONE
        return Openings(_by_level(free, length, above), [(number, mask & free) for number, mask in nurses])

    def _load_of(self, load: int) -> tuple[int, list[int]]:
        """The slots with room for so much more load, and running sums of what it adds above the target."""
        known = self._known_loads.get(load)
        if known is None:
            sums, room, total = [0] * (self.close + 1), 0, 0
            for slot in range(self.open, self.close):
                now = self._load[slot]
                if now + load <= self._limit[slot]:
                    room |= 1 << slot
                below = self._target[slot] - now
                if below < load:
                    total += load - below if below > 0 else load
                sums[slot + 1] = total
            known = self._known_loads[load] = (room, sums)
        return known

    def _free_supervision(self) -> int:
        return sum(
            1 << slot for slot in range(self.open, self.close) if self._supervised[slot] < self._physicians[slot]
        )

    def chair_is_free(self, chair: int, shape: Shape) -> int:
        """Where a session of this shape could begin in one chair, for the chair alone."""
        if chair < 0 or not shape.needs <= self._chairs[chair].features:
            return 0
        return self._chairs[chair].starts(shape.length, self._cleaning)

    def best_chair(self, shape: Shape, start: int) -> int:
        """The free chair with the fewest features beyond the needed ones, and the least idle time before the start."""
        before = (1 << start) - 1

        def waste(number: int) -> tuple[int, int, int]:
            chair = self._chairs[number]
            return len(chair.features), start - (chair.taken & before).bit_length(), number

        free = [number for number in range(len(self._chairs)) if self.chair_is_free(number, shape) >> start & 1]
        return min(free, key=waste)

    def has_nurse(self, nurse: int, shape: Shape, start: int) -> bool:
        """Whether a nurse could begin a session of this shape here."""
        duty = self._duties.get(nurse)
        return duty is not None and bool(duty.starts(shape.length, shape.load) >> start & 1)

    def free_for_a_chair(self, shape: Shape) -> int:
        """Where some chair alone would let a session of this shape begin."""
        free = 0
        for number in range(len(self._chairs)):
            free |= self.chair_is_free(number, shape)
        return free

    def free_for_a_nurse(self, shape: Shape) -> int:
        """Where some nurse alone would let a session of this shape begin."""
        free = 0
        for duty in self._duties.values():
            free |= duty.starts(shape.length, shape.load)
        return free

    def load(self, slot: int) -> int:
        """How much the nurses have to do in a slot."""
        return self._load[slot] if slot < self.close else 0

    # --- changes ---

    def add(self, shape: Shape, place: Place) -> None:
        """Take chair, nurse and load for a session."""
        self._duties[place.nurse].add(place.start, shape.length, shape.load)
        self._change(shape, place, 1)

    def remove(self, shape: Shape, place: Place) -> None:
        """Give back what `add` took."""
        self._duties[place.nurse].remove(place.start, shape.length, shape.load)
        self._change(shape, place, -1)

    def _change(self, shape: Shape, place: Place, sign: int) -> None:
        end = place.start + shape.length
        self._chairs[place.chair].change(place.start, end + self._cleaning, sign)
        load, target, change = self._load, self._target, sign * shape.load
        for slot in range(place.start, end):
            was = load[slot]
            now = load[slot] = was + change
            limit = target[slot]
            if now > limit or was > limit:
                self.above += max(0, now - limit) - max(0, was - limit)
        if shape.is_first:
            begin = place.start + shape.prep
            for slot in range(begin, begin + min(self._supervision, shape.infusion)):
                self._supervised[slot] += sign
        self._known.clear()
        self._known_loads.clear()


def _by_level(free: int, length: int, sums: list[int]) -> list[tuple[int, int]]:
    """The slots of a mask by what a session that begins there adds above the target, by running sums of that."""
    if not sums[-1]:
        return [(0, free)]
    masks: dict[int, int] = {}
    for slot in slots(free):
        above = sums[slot + length] - sums[slot]
        masks[above] = masks.get(above, 0) | 1 << slot
    return sorted(masks.items())


def _levels(clinic: Clinic, record: DayRecord) -> tuple[list[int], list[int]]:
    """By slot: the load that must not be passed, and the load above which a day counts as uneven."""
    limit, target = [0] * record.close, [0] * record.close
    for slot in range(record.open, record.close):
        working = [nurse for nurse in record.nurses if nurse.start <= slot < nurse.end]
        resting = [nurse for nurse in working if any(a <= slot < b for a, b in nurse.breaks)]
        capacity = sum(nurse.capacity for nurse in working) - sum(nurse.capacity for nurse in resting)
        limit[slot] = capacity + (clinic.cover_capacity if resting else 0)
        target[slot] = capacity * clinic.level_target // 100
    return limit, target

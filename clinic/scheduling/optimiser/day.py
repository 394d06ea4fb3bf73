"""One clinic's day: what is taken, and where a session of some shape could still begin.

Answers are kept with what stands on the day: a search that tries something and takes it back finds them again.
"""

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from clinic.scheduling.optimiser.masks import slots, span, starts
from clinic.scheduling.optimiser.problem import Clinic, DayRecord, Nurse, Place, Shape


class Openings(NamedTuple):
    """Where a shape may begin: slots by what they add to the load above the target, and by nurse."""

    by_level: list[tuple[int, int]]  # (slots of load above the target, mask), cheapest first
    nurses: list[tuple[int, int]]  # (nurse, mask)


_NONE = Openings([], [])
# For so many offers to courses a day keeps the answers.
MOST_OFFERS = 200
_Duties = tuple[tuple[int, int, int, tuple[tuple[int, int], ...]], ...]


class _Duty:
    """A nurse on this day."""

    __slots__ = ("_free", "_is_one_by_one", "_resting", "by_phase", "capacity")

    def __init__(self, nurse: Nurse) -> None:
        self.capacity = nurse.capacity
        self.by_phase = nurse.by_phase if any(nurse.by_phase) else ()
        self._free = span(nurse.start, nurse.end)
        self._is_one_by_one = nurse.is_one_by_one
        self._resting = 0
        for begin, end in nurse.breaks:
            self._resting |= span(begin, end)  # nothing begins in a break

    def starts(self, busy: "_Busy", shape: Shape) -> int:
        """Where she could begin a session of this shape."""
        room = self.capacity - shape.load + 1
        free = self._free & ~busy.over[room] if room > 0 else 0
        taken = self._resting | busy.started if self._is_one_by_one else self._resting
        may = starts(free, shape.length) & ~taken
        if may and self.by_phase:
            for levels, (before, length) in zip(busy.phases, shape.phases, strict=True):
                if levels and length:
                    may &= starts(~levels[-1], length) >> before
        return may

    def idle(self) -> "_Busy":
        """What she has to do as the day begins: nothing."""
        return _Busy(0, _levels_up_to(self.capacity), tuple(_levels_up_to(most) for most in self.by_phase))


class _Busy(NamedTuple):
    """What a nurse has to do: the slots in which she begins one, and `over[2]` those with a load of two or more.

    `phases` counts the same way for each phase with a limit, every session as one; empty where a phase has none.
    """

    started: int
    over: tuple[int, ...]
    phases: tuple[tuple[int, ...], ...] = ()

    def changed(self, start: int, shape: Shape, *, is_added: bool) -> "_Busy":
        over = _levels_changed(self.over, span(start, start + shape.length), shape.load, is_added=is_added)
        phases = tuple(
            _levels_changed(levels, span(start + before, start + before + length), 1, is_added=is_added)
            for levels, (before, length) in zip(self.phases, shape.phases, strict=False)
        )
        started = self.started | 1 << start if is_added else self.started & ~(1 << start)
        return _Busy(started, over, phases)


def _levels_up_to(most: int | None) -> tuple[int, ...]:
    return () if most is None else (-1, *[0] * most)


def _levels_changed(levels: tuple[int, ...], taken: int, load: int, *, is_added: bool) -> tuple[int, ...]:
    """The slots with so much or more, with a load more or less in those that are taken."""
    over = list(levels)
    for _ in range(load):
        if is_added:
            for unit in range(len(over) - 1, 0, -1):
                over[unit] |= over[unit - 1] & taken
        else:
            for unit in range(1, len(over)):
                above = over[unit + 1] if unit + 1 < len(over) else 0
                over[unit] = over[unit] & ~taken | above & taken
    return tuple(over)


class _State:
    """What stands on a day, never changed, with the answers that hold as long as it stands."""

    __slots__ = ("above", "busy", "chairs", "load", "offers", "openings", "rooms", "supervised", "taken")

    def __init__(
        self, load: list[int], supervised: list[int], taken: list[int], busy: dict[int, _Busy], above: int
    ) -> None:
        self.load, self.supervised, self.taken, self.busy, self.above = load, supervised, taken, busy, above
        self.openings: dict[Shape, Openings] = {}
        self.rooms: dict[int, tuple[int, list[int]]] = {}
        self.chairs: dict[tuple[Shape, int], int] = {}
        self.offers: dict[Hashable, Any] = {}


class Day:
    """One day as it stands now; `above` counts the slots of load above the clinic's target."""

    def __init__(self, clinic: Clinic, record: DayRecord, supervision_slots: int, most_states: int = 1) -> None:
        self.number, self.offset = record.number, record.utc_offset
        self.open, self.close = record.open, record.close
        self._cleaning, self._supervision = clinic.cleaning, supervision_slots
        self._hours = span(record.open, record.close)
        shut: dict[int, int] = {}
        for chair, begin, end in record.closed_chairs:
            shut[chair] = shut.get(chair, 0) | span(begin, end)
        self._chairs = [(self._hours & ~shut.get(n, 0), has) for n, has in enumerate(clinic.features)]
        self._duties = {nurse.nurse: _Duty(nurse) for nurse in record.nurses}
        self._physicians = [sum(a <= slot < b for a, b in record.physicians) for slot in range(record.close)]
        self._attended = sum(1 << slot for slot, count in enumerate(self._physicians) if count)
        self._limit, self._target = _levels(clinic, record)
        busy = {number: duty.idle() for number, duty in self._duties.items()}
        idle = [0] * record.close
        self._state = _State(idle, idle, [0] * len(clinic.features), busy, 0)
        self._stamp = 0  # stands for all sessions on the day
        self._states = {self._stamp: self._state}
        self._most_states = most_states

    @property
    def above(self) -> int:
        return self._state.above

    # --- what is free ---

    def openings(self, shape: Shape) -> Openings:
        """Where a session of this shape could begin on this day."""
        known = self._state.openings.get(shape)
        if known is None:
            known = self._state.openings[shape] = self._find(shape)
        return known

    @property
    def offers(self) -> dict[Hashable, Any]:
        """What was offered to courses as the day stands now, kept for them."""
        offers = self._state.offers
        if len(offers) >= MOST_OFFERS:
            offers.clear()
        return offers

    def _find(self, shape: Shape) -> Openings:
        length = shape.length
        free = starts(self._hours, length) & starts(self._attended, shape.infusion) >> shape.prep
        if shape.is_first and shape.infusion:
            free &= starts(self._free_supervision(), min(self._supervision, shape.infusion)) >> shape.prep
        room, above = self._room_for(shape.load)
        free &= starts(room, length)
        nurses = []
        by_nurse = 0
        if free:
            for number, busy in self._state.busy.items():
                mask = self._duties[number].starts(busy, shape) & free
                if mask:
                    nurses.append((number, mask))
                    by_nurse |= mask
        by_chair = 0
        for number in range(len(self._chairs)):
            if not by_nurse & ~by_chair:
                break
            by_chair |= self.chair_is_free(number, shape)
        free = by_nurse & by_chair
        if not free:
            return _NONE
        return Openings(_by_level(free, length, above), [(number, mask & free) for number, mask in nurses])

    def _room_for(self, load: int) -> tuple[int, list[int]]:
        """The slots with room for so much more load, and running sums of what it adds above the target."""
        known = self._state.rooms.get(load)
        if known is None:
            sums, room, total = [0] * (self.close + 1), 0, 0
            for slot in range(self.open, self.close):
                now = self._state.load[slot]
                if now + load <= self._limit[slot]:
                    room |= 1 << slot
                below = self._target[slot] - now
                if below < load:
                    total += load - below if below > 0 else load
                sums[slot + 1] = total
            known = self._state.rooms[load] = (room, sums)
        return known

    def _free_supervision(self) -> int:
        supervised = self._state.supervised
        return sum(1 << slot for slot in range(self.open, self.close) if supervised[slot] < self._physicians[slot])

    def chair_is_free(self, chair: int, shape: Shape) -> int:
        """Where a session of this shape could begin in one chair, for the chair alone."""
        if chair < 0:
            return 0
        hours, features = self._chairs[chair]
        if not shape.needs <= features:
            return 0
        length = shape.length
        return starts(hours, length) & starts(~self._state.taken[chair], length + self._cleaning)

    def best_chair(self, shape: Shape, start: int) -> int:
        """The free chair with the fewest features beyond the needed ones, and the least idle time before the start."""
        known = self._state.chairs.get((shape, start))
        if known is None:
            before, taken = (1 << start) - 1, self._state.taken

            def waste(chair: int) -> tuple[int, int, int]:
                return len(self._chairs[chair][1]), start - (taken[chair] & before).bit_length(), chair

            free = [chair for chair in range(len(taken)) if self.chair_is_free(chair, shape) >> start & 1]
            known = self._state.chairs[shape, start] = min(free, key=waste)
        return known

    def free_for_a_chair(self, shape: Shape) -> int:
        """Where some chair alone would let a session of this shape begin."""
        free = 0
        for number in range(len(self._chairs)):
            free |= self.chair_is_free(number, shape)
        return free

    def free_for_a_nurse(self, shape: Shape) -> int:
        """Where some nurse alone would let a session of this shape begin."""
        free = 0
        for number, busy in self._state.busy.items():
            free |= self._duties[number].starts(busy, shape)
        return free

    def load(self, slot: int) -> int:
        """How much the nurses have to do in a slot."""
        return self._state.load[slot] if slot < self.close else 0

    # --- changes ---

    def add(self, shape: Shape, place: Place) -> None:
        """Take chair, nurse and load for a session."""
        self._change(shape, place, 1)

    def remove(self, shape: Shape, place: Place) -> None:
        """Give back what `add` took."""
        self._change(shape, place, -1)

    def _change(self, shape: Shape, place: Place, sign: int) -> None:
        self._stamp ^= hash((shape, place))
        state = self._states.get(self._stamp)
        if state is None:
            if len(self._states) >= self._most_states:
                self._states.clear()
            state = self._states[self._stamp] = self._changed(shape, place, sign)
        self._state = state

    def _changed(self, shape: Shape, place: Place, sign: int) -> _State:
        """The state with a session more or less."""
        was, end = self._state, place.start + shape.length
        load, above, target, change = was.load.copy(), was.above, self._target, sign * shape.load
        for slot in range(place.start, end):
            before = load[slot]
            now = load[slot] = before + change
            limit = target[slot]
            if now > limit or before > limit:
                above += max(0, now - limit) - max(0, before - limit)
        supervised = was.supervised
        if shape.is_first:
            supervised = supervised.copy()
            begin = place.start + shape.prep
            for slot in range(begin, begin + min(self._supervision, shape.infusion)):
                supervised[slot] += sign
        part, taken = span(place.start, end + self._cleaning), was.taken.copy()
        # Two bookings of a real clinic may share a slot at their edges.
        taken[place.chair] = taken[place.chair] | part if sign > 0 else taken[place.chair] & ~part
        busy = was.busy.copy()
        busy[place.nurse] = busy[place.nurse].changed(place.start, shape, is_added=sign > 0)
        return _State(load, supervised, taken, busy, above)


def _by_level(free: int, length: int, sums: list[int]) -> list[tuple[int, int]]:
    """The slots of a mask by what a session that begins there adds above the target, by running sums of that."""
    if not sums[-1]:
        return [(0, free)]
    masks: dict[int, int] = {}
    for slot in slots(free):
        above = sums[slot + length] - sums[slot]
        masks[above] = masks.get(above, 0) | 1 << slot
    return sorted(masks.items())


def _levels(clinic: Clinic, record: DayRecord) -> tuple[Sequence[int], Sequence[int]]:
    """By slot: the load that must not be passed, and the load above which a day counts as uneven."""
    duties = tuple((nurse.start, nurse.end, nurse.capacity, nurse.breaks) for nurse in record.nurses)
    return _levels_of(record.open, record.close, duties, clinic.cover_capacity, clinic.level_target)


@lru_cache(maxsize=256)
def _levels_of(
    opens: int, closes: int, duties: _Duties, cover: int, target: int, /
) -> tuple[Sequence[int], Sequence[int]]:
    """The same for nurses without names: most days of a clinic are alike."""
    capacity, is_covered = [0] * closes, [False] * closes
    for start, end, most, breaks in duties:
        resting = {slot for begin, until in breaks for slot in range(begin, until)}
        for slot in range(max(start, opens), min(end, closes)):
            if slot in resting:
                is_covered[slot] = True
            else:
                capacity[slot] += most
    limit = tuple(here + cover if covered else here for here, covered in zip(capacity, is_covered, strict=True))
    return limit, tuple(here * target // 100 for here in capacity)

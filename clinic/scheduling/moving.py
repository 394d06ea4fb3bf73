"""Moving one session: where else it could stand, and what that does to the rest of its course."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from clinic.core import formats, times
from clinic.scheduling import queries, resources
from clinic.scheduling.availability import said_by
from clinic.scheduling.availability_rules import free_spans
from clinic.scheduling.booking import Plan, plan_of, remarks
from clinic.scheduling.course_request import Ask, Standing, request
from clinic.scheduling.frame import DAY, SLOT, Frame, shape_of, site_feature, slots_of
from clinic.scheduling.models import Appointment
from clinic.scheduling.nearness import ranks
from clinic.scheduling.operations import Slot
from clinic.scheduling.optimiser.calendar import Calendar
from clinic.scheduling.optimiser.course_search import CourseSearch
from clinic.scheduling.optimiser.free_slots import FreeSlots
from clinic.scheduling.optimiser.masks import span
from clinic.scheduling.optimiser.problem import Place
from clinic.scheduling.phase_rules import parts_of
from clinic.scheduling.rules import AppointmentStatus
from clinic.scheduling.situation import Situation
from clinic.scheduling.skills import able_of

# Without a window from the order, other places are looked for so many days around.
_AROUND: Final = 14
_AHEAD: Final = 60
_MOST_OFFERED: Final = 5
_NOON: Final = 12 * 60 // SLOT
_QUARTER: Final = 15 // SLOT
_DAY_STARTS: Final = sum(1 << slot for slot in range(0, DAY, _QUARTER))


@dataclass(frozen=True, slots=True)
class Rest:
    """What a move breaks in the rest of its course, and how the other sessions could follow."""

    broken: tuple[str, ...]
    follow: tuple[tuple[Appointment, Slot], ...]


class Mover:
    """The calendar without one appointment, around it."""

    def __init__(self, plan: Plan, appointment: Appointment, *, at: datetime) -> None:
        self._plan, self._appointment, self._at = plan, appointment, at
        zone = formats.zone.get()
        today, there = times.local(at, zone).date(), times.local(appointment.starts_at, zone).date()
        first = min(today, there)
        last = max(there, today) + timedelta(days=_AHEAD)
        self.frame = Frame(first, (last - first).days + 1, zone)
        self._rest = [each for each in plan.standing if each.id != appointment.id]
        self._today = today
        rows = resources.read(first, last, zone, without={appointment.id})
        self.situation = Situation(rows, self.frame, today=today)
        self._calendar = Calendar(self.situation.problem)
        self._minutes = int((appointment.ends_at - appointment.starts_at).total_seconds()) // 60
        self.now = self.situation.place_at(appointment.chair_id, appointment.nurse_id, appointment.starts_at)
        self._said = said_by(appointment.patient_id)
        self._able = able_of(self.situation, [appointment.course_id]).get(appointment.course_id, {})
        here = frozenset({site_feature(appointment.chair.site_id)})
        shape = shape_of(slots_of(self._minutes), parts_of(plan.terms), here)
        far = ranks(rows.chairs, appointment.chair)
        self._free = FreeSlots(self._calendar, shape, self.now, 60 // SLOT, able=self._able, ranks=far)

    # --- where else ---

    def offers(self) -> list[Slot]:
        """Free places inside the order's windows, the least change first."""
        found = [
            place
            for day in self._days()
            if not self._comes(day)
            for place in self._free.of_day(day, self._may_start(day), _NOON)
            if not self._is_here(place)
        ]
        return [self._slot(place) for place in sorted(found, key=self._free.cost)[:_MOST_OFFERED]]

    def in_chairs(self, days: Sequence[date]) -> Iterator[tuple[date, Slot]]:
        """For each chair and day, the free place that is nearest to the time of day where the session stands."""
        for on in days:
            day = (on - self.frame.first).days
            if not 0 <= day < self.frame.length or self._comes(day):
                continue
            for number, chair in enumerate(self.situation.resources.chairs):
                place = None if chair.is_retired else self._free.in_chair(day, number, self._may_start(day))
                if place is not None and not self._is_here(place):
                    yield on, self._slot(place)

    def _slot(self, place: Place) -> Slot:
        return self.situation.slot(self._appointment.session_number, place, self._minutes)

    def _is_here(self, place: Place) -> bool:
        return (place.day, place.start, place.chair) == (self.now.day, self.now.start, self.now.chair)

    def _comes(self, day: int) -> bool:
        return day in self._calendar.visits(str(self._appointment.patient_id))

    def _may_start(self, day: int) -> int:
        """Quarters of an hour, and the very time of day where the session stands; none that has passed."""
        starts = (_DAY_STARTS | 1 << self.now.start) & self._patient_may_start(day)
        if day < self.frame.day(self._at):
            return 0
        if day > self.frame.day(self._at):
            return starts
        wall = times.local(self._at, self.frame.zone)
        passed = (wall.hour * 60 + wall.minute) // SLOT + 1
        return starts >> passed << passed

    def _patient_may_start(self, day: int) -> int:
        """The slots in which the patient has the time for it to begin."""
        spans = free_spans(self._said, self.frame.first + timedelta(days=day))
        if spans is None:
            return -1
        length, mask = slots_of(self._minutes), 0
        for start, end in spans:
            mask |= span(-(-start // SLOT), end // SLOT - length + 1)
        return mask

    def _days(self) -> range:
        """The days that the neighbours in the course leave, by the order."""
        terms, number = self._plan.terms, self._appointment.session_number
        first, last = max(self.now.day - _AROUND, self.frame.day(self._at)), self.now.day + _AROUND
        days = {each.session_number: self.frame.day(each.starts_at) for each in self._rest}
        ask = Ask(terms, self._minutes)
        before, after = days.get(number - 1), days.get(number + 1)
        if before is not None and (gap := ask.gap(number)):
            first, last = max(first, before + gap.least), min(last, before + gap.most)
        if after is not None and (gap := ask.gap(number + 1)):
            first, last = max(first, after - gap.most), min(last, after - gap.least)
        return range(max(first, 0), min(last, self.frame.length - 1) + 1)

    # --- the rest of the course ---

    def rest(self, slot: Slot) -> Rest:
        """What a new place breaks of the spacing that stood before, and how the later sessions could follow it."""
        broken = self._broken(slot)
        return Rest(tuple(broken), tuple(self._follow(slot)) if broken else ())

    def _broken(self, slot: Slot) -> list[str]:
        """The notes about the course's days that the move brings and that were not there before."""
        now = replace(slot, starts_at=self._appointment.starts_at, ends_at=self._appointment.ends_at)
        others = [_as_slot(each) for each in self._rest if each.session_number == slot.session_number + 1]
        plan = replace(
            self._plan, standing=[each for each in self._rest if each.session_number != slot.session_number + 1]
        )
        was = remarks(plan, [now, *others])
        will = remarks(plan, [slot, *others])
        return [
            f"Session {number} is {note}"
            for number, remark in will.items()
            for note in remark.notes
            if note not in was[number].notes and not note.endswith("for all of it")
        ]

    def _follow(self, slot: Slot) -> Iterator[tuple[Appointment, Slot]]:
        """The later sessions of the course, those that have to go elsewhere, with the least that they must change."""
        later = [
            each
            for each in self._rest
            if each.session_number > slot.session_number
            and each.status is AppointmentStatus.BOOKED
            and each.starts_at > self._at
        ]
        if not later:
            return
        zone = self.frame.zone
        rows = resources.read(
            self.frame.first,
            self.frame.first + timedelta(days=self.frame.length - 1),
            zone,
            without={self._appointment.id, *(each.id for each in later)},
        )
        free = Situation(rows, self.frame, today=self._today)
        free_able = able_of(free, [self._appointment.course_id]).get(self._appointment.course_id, {})
        places = {each.session_number: free.place_at(each.chair_id, each.nurse_id, each.starts_at) for each in later}
        nurse_id = slot.nurse.id if slot.nurse else None
        new = Standing(slot.session_number, slot.starts_at, free.place_at(slot.chair.id, nurse_id, slot.starts_at))
        ask = Ask(
            self._plan.terms,
            self._minutes,
            last=self._plan.valid_until,
            said=self._said,
            site_id=slot.chair.site_id,
        )
        # At their own time of day if that can be, else at any.
        for start in (places[later[0].session_number].start, None):
            asked = request(
                str(self._appointment.patient_id),
                replace(ask, start=start),
                list(places),
                [new],
                self.frame,
                at=self._at,
                booked=places,
            )
            course = replace(asked.course, able=free_able)
            found = CourseSearch(free.problem, course).best(Calendar(free.problem))
            if len(found.places) == len(later):
                break
        for each, place in zip(later, found.places, strict=False):
            if place != places[each.session_number]:
                yield each, free.slot(each.session_number, place, self._minutes)


def _as_slot(each: Appointment) -> Slot:
    return Slot(each.session_number, each.chair, each.starts_at, each.ends_at, each.nurse)


def mover_of(appointment: Appointment, *, at: datetime) -> Mover:
    """The calendar around an appointment, without it."""
    course = queries.course_to_book(appointment.course_id) or appointment.course
    return Mover(plan_of(course), appointment, at=at)


def place_value(slot: Slot) -> str:
    """A place as one value of a form: day, time, chair, nurse."""
    wall = times.local(slot.starts_at, formats.zone.get())
    return f"{formats.day(slot.starts_at)}|{wall:%H:%M}|{slot.chair.id}|{slot.nurse.id if slot.nurse else ''}"

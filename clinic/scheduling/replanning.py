"""A new plan after something happened: the least that must change, each change with its reason. It writes nothing.

Only booked appointments that have not begun are moved. First those alone that cannot stay; only where one of them finds
no place may others of the same days make room, on their own day. A patient who has arrived is never moved.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from clinic.core import formats, times
from clinic.scheduling import queries_availability, resources
from clinic.scheduling import queries_planning as queries
from clinic.scheduling.availability import within
from clinic.scheduling.course_request import Ask
from clinic.scheduling.frame import DAY, SLOT, Frame, shape_of, slots_of
from clinic.scheduling.happening import Happening, NurseOff
from clinic.scheduling.models import Appointment
from clinic.scheduling.nearness import in_near_chairs
from clinic.scheduling.operations import Slot
from clinic.scheduling.optimiser import search
from clinic.scheduling.optimiser.calendar import calendar_of
from clinic.scheduling.optimiser.problem import Course, Session
from clinic.scheduling.out_of_step import is_out_of_step
from clinic.scheduling.phase_rules import parts_of
from clinic.scheduling.queries_planning import Held
from clinic.scheduling.resources import Resources
from clinic.scheduling.rules import AppointmentStatus
from clinic.scheduling.situation import COMFORT, NOBODY, Situation
from clinic.scheduling.skills import able_of

# How many days before and after are read for the neighbours of a session and for other days to go to.
_BEFORE: Final = 14
_AFTER: Final = 28
_ELSEWHERE: Final = 14
# Whoever has patients so near to the time counts as busy.
_AROUND: Final = timedelta(hours=2)
_ROUNDS: Final = 60
_ROUNDS_EACH: Final = 6
# Nothing counts but how little changes; on another day the time of day stays, where it costs nothing else.
# Each five minutes count, all day long, and more than that somebody waits at all: two who wait for half an hour are
# better off than one who waits for two. Another nurse and chair are nothing beside that, another day is worst.
_LEAST_CHANGE: Final = replace(
    COMFORT,
    delay=0,
    gap=2,
    preference=1,
    continuity=0,
    level=0,
    move_time=30,
    move_slot=6,
    most_slots=DAY,
    move_day=900,
)
_NO_HOURS: Final[tuple[tuple[int, int], ...]] = ()


Found = dict[uuid.UUID, tuple[Slot, bool] | None]
Days = Mapping[tuple[uuid.UUID, int], int]


@dataclass(frozen=True, slots=True)
class Change:
    """One appointment that shall stand elsewhere or be given to another nurse, and why.

    `slot` is None where no place is left.
    """

    appointment: Appointment
    slot: Slot | None
    reason: str

    @property
    def is_nurse_alone(self) -> bool:
        """Whether the patient notices nothing but another face."""
        old, new = self.appointment, self.slot
        return new is not None and (old.starts_at, old.chair_id) == (new.starts_at, new.chair.id)


class Replan:
    """The days of a happening, as they were read once."""

    def __init__(self, happening: Happening, *, at: datetime) -> None:
        self._happening, self._at = happening, at
        zone = formats.zone.get()
        self._today = times.local(at, zone).date()
        begins = max(times.local(happening.starts_at, zone).date(), self._today)
        ends = max(times.local(happening.ends_at, zone).date(), begins)
        first, last = begins - timedelta(days=_BEFORE), ends + timedelta(days=_AFTER)
        self.frame = Frame(first, (last - first).days + 1, zone)
        self._until = self.frame.length - _AFTER + _ELSEWHERE
        self._before = resources.read(first, last, zone)
        self._after = _least_busy_first(happening.apply(self._before), happening)
        self._affected = {each.id: why for each in self._before.held if (why := self._why(each))}
        self._said = queries_availability.hours_of({each.patient_id for each in self._before.held})
        self._terms = queries.terms_of(each.course_id for each in self._before.held)

    def _why(self, each: Held) -> str | None:
        is_movable = each.status is AppointmentStatus.BOOKED and each.ends_at > self._at
        return self._happening.reason(each, self._before) if is_movable else None

    def _days_by_session(self, held: Iterable[Held]) -> Days:
        return {(each.course_id, each.session_number): self.frame.day(each.starts_at) for each in held}

    def changes(self) -> list[Change]:
        """What has to change, earliest first."""
        if not self._affected:
            return []
        found = self._solve(set(self._affected), ())
        unplaced = {key for key, place in found.items() if place is None}
        reasons = dict(self._affected)
        if unplaced:
            helpers = self._helpers()
            wider = self._solve(set(self._affected), helpers)
            left = {key for key, place in wider.items() if place is None}
            if len(left) < len(unplaced) and not left & set(helpers):
                found = wider
                room_for = self._names(unplaced - left)
                reasons |= dict.fromkeys(helpers, f"makes room for {room_for}")
        return self._as_changes(found, reasons)

    def _helpers(self) -> list[uuid.UUID]:
        """Booked appointments of the affected days that have not begun: they may make room."""
        days = {self.frame.day(each.starts_at) for each in self._before.held if each.id in self._affected}
        return [
            each.id
            for each in self._before.held
            if self.frame.day(each.starts_at) in days
            and each.status is AppointmentStatus.BOOKED
            and each.starts_at > self._at
            and each.id not in self._affected
        ]

    def _names(self, keys: Iterable[uuid.UUID]) -> str:
        people = queries.appointments(keys).values()
        return ", ".join(sorted({each.patient.family_name for each in people}))

    # --- the problem ---

    def _solve(self, affected: Collection[uuid.UUID], helpers: Collection[uuid.UUID]) -> Found:
        """By appointment, where it shall stand and whether that is another place; None where none is left.

        Each looks at where its neighbours in the course stood. Where two that follow each other both moved out of
        the days that the order has between them, the first keeps its new place, and the others are looked for again.
        """
        settled: Found = {}
        while True:
            found = settled | self._solve_around(settled, affected, helpers)
            first = self._out_of_step(found, settled)
            if first is None:
                return found
            settled[first] = found[first]

    def _out_of_step(self, found: Found, settled: Collection[uuid.UUID]) -> uuid.UUID | None:
        """The first appointment whose next one shall stand too near or too far, as neither did before."""
        rows = {(each.course_id, each.session_number): each for each in self._before.held if each.id in found}
        for (course, number), each in sorted(rows.items(), key=lambda row: row[1].starts_at):
            follower = rows.get((course, number + 1))
            one, two = found[each.id], found[follower.id] if follower else None
            if follower is None or one is None or two is None or each.id in settled:
                continue
            was = self.frame.day(follower.starts_at) - self.frame.day(each.starts_at)
            days = self.frame.day(two[0].starts_at) - self.frame.day(one[0].starts_at)
            if is_out_of_step(self._terms.get(course), follower.session_number, was, days):
                return each.id
        return None

    def _solve_around(self, settled: Found, affected: Collection[uuid.UUID], helpers: Collection[uuid.UUID]) -> Found:
        """Places for all but the settled ones, which hold theirs already."""
        moving = [
            each
            for each in self._before.held
            if each.id not in settled and (each.id in affected or each.id in set(helpers))
        ]
        gone = {each.id for each in moving}
        held = [_at(each, settled.get(each.id)) for each in self._after.held if each.id not in gone]
        stage = self._situation(replace(self._after, held=held))
        days = self._days_by_session([*held, *moving])
        able = able_of(stage, {each.course_id for each in moving})
        courses = tuple(
            replace(
                self._course(stage, each, days, may_leave_day=each.id in affected), able=able.get(each.course_id, {})
            )
            for each in moving
        )
        problem = replace(stage.problem, courses=courses)
        rounds = _ROUNDS + _ROUNDS_EACH * len(courses)
        plan = search.solve(problem, lambda done: search.OVER * done // rounds)
        near = in_near_chairs(calendar_of(problem, plan.places), courses, plan.places, stage.resources.chairs)
        found: Found = {}
        for each, course, places in zip(moving, courses, near, strict=True):
            minutes = int((each.ends_at - each.starts_at).total_seconds()) // 60
            now = course.sessions[0].booked
            if not places or now is None:
                found[each.id] = None
                continue
            slot = stage.slot(each.session_number, places[0], minutes)
            if now.nurse == NOBODY and not self._needs_nurse(each):
                # Nobody was named, or somebody who is not on duty: that is no matter of this plan.
                is_moved = (places[0].day, places[0].start, places[0].chair) != (now.day, now.start, now.chair)
                found[each.id] = replace(slot, nurse=None), is_moved
            else:
                found[each.id] = slot, places[0] != now
        return found

    def _needs_nurse(self, each: Held) -> bool:
        return isinstance(self._happening, NurseOff) and each.id in self._affected

    def _situation(self, resources: Resources) -> Situation:
        return Situation(resources, self.frame, today=self._today, weights=_LEAST_CHANGE)

    def _course(self, stage: Situation, each: Held, neighbours: Days, *, may_leave_day: bool) -> Course:
        """One appointment as a course of its own; which days it may go to is said day by day."""
        minutes = int((each.ends_at - each.starts_at).total_seconds()) // 60
        now = stage.place_at(each.chair_id, each.nurse_id, each.starts_at)
        ask = Ask(
            self._terms.get(each.course_id),
            minutes,
            said=self._said.get(each.patient_id, ()),
            site_id=stage.resources.chairs[now.chair].site_id,
        )
        own = (now.start, now.start + slots_of(minutes))
        days = self._other_days(each, ask, now.day, neighbours) if may_leave_day else ()
        exceptions = {day: self._from_now(ask.windows_on(self._date(day)), day) for day in days}
        exceptions[now.day] = (
            *self._from_now(within(ask.starts(0), ask.said, self._date(now.day)), now.day),
            *self._from_now((own,), now.day),
        )
        return Course(
            name=str(each.id),
            patient=str(each.patient_id),
            priority=1,
            clinics=((0, 0),),
            release=0,
            last_done=None,
            weekly=(_NO_HOURS,) * 7,
            exceptions=exceptions,
            preferred=own,
            sessions=(Session(str(each.id), shape_of(slots_of(minutes), parts_of(ask.terms), ask.needs), None, now),),
        )

    def _date(self, day: int) -> date:
        return self.frame.first + timedelta(days=day)

    def _from_now(self, windows: Sequence[tuple[int, int]], day: int) -> tuple[tuple[int, int], ...]:
        today = self.frame.day(self._at)
        if day != today:
            return tuple(windows) if day > today else _NO_HOURS
        wall = times.local(self._at, self.frame.zone)
        passed = (wall.hour * 60 + wall.minute) // SLOT + 1
        return tuple(window for window in windows if window[0] >= passed)

    def _other_days(self, each: Held, ask: Ask, now: int, days: Days) -> range:
        """The days that the neighbours in the course leave, as the order spaces them."""
        first, last = self.frame.day(self._at), self._until
        before = days.get((each.course_id, each.session_number - 1))
        after = days.get((each.course_id, each.session_number + 1))
        if before is not None and (gap := ask.gap(each.session_number)):
            first, last = max(first, before + gap.least), min(last, before + gap.most)
        if after is not None and (gap := ask.gap(each.session_number + 1)):
            first, last = max(first, after - gap.most), min(last, after - gap.least)
        if before is None and after is None:
            first = max(first, now - _ELSEWHERE)
        return range(max(first, 0), min(last, self.frame.length - 1) + 1)

    # --- in the end ---

    def _as_changes(self, found: Found, reasons: Mapping[uuid.UUID, str]) -> list[Change]:
        moved = {key: place for key, place in found.items() if place is None or place[1]}
        rows = queries.appointments(moved)
        changes = [
            Change(rows[key], _with_nurse(place[0], rows[key]) if place else None, reasons[key])
            for key, place in moved.items()
        ]
        return sorted(changes, key=lambda change: change.appointment.starts_at)


def _least_busy_first(resources: Resources, happening: Happening) -> Resources:
    """Of nurses who would do as well, the optimiser takes the first: let it be who has the least to do then."""
    begins, ends = happening.starts_at - _AROUND, happening.ends_at + _AROUND
    busy = Counter(each.nurse_id for each in resources.held if each.starts_at < ends and each.ends_at > begins)
    return replace(resources, duties=sorted(resources.duties, key=lambda duty: busy[duty.staff.id]))


def _at(each: Held, place: tuple[Slot, bool] | None) -> Held:
    """An appointment as it will stand, where that is settled."""
    if place is None:
        return each
    slot = place[0]
    return each._replace(
        chair_id=slot.chair.id,
        nurse_id=slot.nurse.id if slot.nurse else each.nurse_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
    )


def _with_nurse(slot: Slot, appointment: Appointment) -> Slot:
    """A place for which the plan names nobody keeps the nurse of the appointment."""
    return slot if slot.nurse else replace(slot, nurse=appointment.nurse)

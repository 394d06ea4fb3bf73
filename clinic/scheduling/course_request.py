"""What a signed order asks of the calendar, as the optimiser's course: lengths, gaps, days, and what stands already."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from clinic.core import times
from clinic.protocols.models import Terms
from clinic.protocols.spacing_rules import SpacingKind
from clinic.scheduling.availability import within
from clinic.scheduling.availability_rules import PatientTime
from clinic.scheduling.frame import DAY, SLOT, Frame, shape_of, site_feature, slots_of
from clinic.scheduling.optimiser.problem import Course, Done, Gap, Place, Session
from clinic.scheduling.phase_rules import parts_of

# New sessions begin at a quarter of an hour.
_QUARTER: Final = 15 // SLOT
_NOON: Final = 12 * 60 // SLOT
_WEEK: Final = 7
# How many days over the order's least gap are looked through where the order sets no most.
_OPEN_END: Final = 13
# The same behind a session that is late already, or behind clinic days that are closed in a row.
_LATE: Final = 21
_CLOSED_IN_A_ROW: Final = 10
_NO_HOURS: Final[tuple[tuple[int, int], ...]] = ()


class Part(StrEnum):
    """The half of the day in which the sessions begin."""

    MORNINGS = "mornings"
    AFTERNOONS = "afternoons"


@dataclass(frozen=True, slots=True)
class Ask:
    """What is wanted of the calendar: an order's words, with the days apart where the desk typed them."""

    terms: Terms | None
    length_min: int
    apart_days: int | None = None
    part: Part | None = None
    first: date | None = None
    last: date | None = None
    start: int | None = None  # the one slot of the day in which every session shall begin
    said: Sequence[PatientTime] = ()  # when the patient can come
    site_id: uuid.UUID | None = None  # the one site at which all of it shall be

    @property
    def needs(self) -> frozenset[str]:
        """What every chair must have."""
        return frozenset() if self.site_id is None else frozenset({site_feature(self.site_id)})

    def gap(self, number: int) -> Gap | None:
        """How many days after the one before a session stands; None where nobody said."""
        if self.apart_days:
            return Gap(self.apart_days, (self.apart_days, self.apart_days), self.apart_days, 0)
        return gap_of(self.terms, number) if self.terms else None

    def windows(self, weekday: int) -> tuple[tuple[int, int], ...]:
        """The times of a weekday (Monday is 0) in which a session may stand, one for each start."""
        wanted = self.terms.weekdays if self.terms and self.terms.spacing is SpacingKind.WEEKDAYS else None
        return self.starts(0) if not wanted or weekday + 1 in wanted else _NO_HOURS

    def windows_on(self, on: date) -> tuple[tuple[int, int], ...]:
        """The same of a day, as far as the patient can come then."""
        return within(self.windows(on.weekday()), self.said, on)

    def starts(self, soonest: int) -> tuple[tuple[int, int], ...]:
        """Every quarter of an hour of a day from a slot on at which the part of the day lets a session begin."""
        if self.start is not None:
            return ((self.start, self.start + slots_of(self.length_min)),)
        begin = max(soonest, _NOON if self.part is Part.AFTERNOONS else 0)
        end = _NOON if self.part is Part.MORNINGS else DAY
        begin = -(-begin // _QUARTER) * _QUARTER
        length = slots_of(self.length_min)
        return tuple((start, start + length) for start in range(begin, end, _QUARTER))


def gap_of(terms: Terms, number: int) -> Gap | None:
    """The days between a session and the one before, as the order has them; None where it says nothing."""
    least, most = terms.apart_min_days or 1, terms.apart_max_days
    match terms.spacing:
        case SpacingKind.WEEKDAYS if terms.weekdays:
            days = terms.weekdays
            widest = max((after - day - 1) % _WEEK + 1 for day, after in zip(days, (*days[1:], days[0]), strict=True))
            widest = max(widest, least)
            return Gap(least, (least, widest), most or widest + (terms.late_days or 0), 0)
        case SpacingKind.CONSECUTIVE:
            return Gap(least, (least, least), _CLOSED_IN_A_ROW, 0)
        case SpacingKind.BLOCK:
            return Gap(1, (1, 1), 1, 0)
        case SpacingKind.INTERVAL if terms.every_days:
            return _around(terms, terms.every_days)
        case SpacingKind.DECREASING if terms.gaps_days:
            return _around(terms, terms.gaps_days[min(max(number - 2, 0), len(terms.gaps_days) - 1)])
        case SpacingKind.AS_NEEDED:
            until = most or least + _OPEN_END
            return Gap(least, (least, until), until, 0)
    if terms.apart_min_days is None and most is None:
        return None
    return Gap(least, (least, most or least + _WEEK - 1), most or least + _OPEN_END, 0)


def _around(terms: Terms, days: int) -> Gap:
    """A stated gap with the days early and late that are on time."""
    least = max(days - (terms.early_days or 0), terms.apart_min_days or 1)
    most = max(days, min(days + (terms.late_days or 0), terms.apart_max_days or days + (terms.late_days or 0)))
    return Gap(min(least, days), (days, days), most, 0)


@dataclass(frozen=True, slots=True)
class Standing:
    """A session that holds a time: where in the calendar it is."""

    number: int
    starts_at: datetime
    place: Place


@dataclass(frozen=True, slots=True)
class Request:
    """The optimiser's course, and which session of the order each of its sessions is."""

    course: Course
    numbers: tuple[int, ...]
    wanted: frozenset[int]


def request(
    patient: str,
    ask: Ask,
    numbers: Collection[int],
    standing: Iterable[Standing],
    frame: Frame,
    *,
    at: datetime,
    fixed: Mapping[int, Place] | None = None,
    booked: Mapping[int, Place] | None = None,
) -> Request:
    """Sessions to place, with those that stand before and between them.

    What stands before the first of them only says when the course was last here; what stands after it keeps its time.
    `fixed` are places that some of the sessions shall have, `booked` places that others have and may leave.
    """
    fixed, booked = fixed or {}, booked or {}
    first_number = min(numbers)
    by_time = sorted(standing, key=lambda each: each.starts_at)
    before = [each for each in by_time if each.number < first_number or each.starts_at < at]
    after = {each.number: each for each in by_time if each not in before}
    chain = sorted({*numbers, *after})
    today = frame.day(at)
    done = _done(before[-1], frame) if before else None
    stays = {**fixed, **{number: each.place for number, each in after.items()}}
    sessions = [
        Session(
            str(number),
            shape_of(slots_of(ask.length_min), parts_of(ask.terms), ask.needs),
            _gap_from(done if index == 0 else None, ask.gap(number), today),
            stays.get(number) or booked.get(number),
            number in stays,
        )
        for index, number in enumerate(chain)
    ]
    course = Course(
        name="course",
        patient=patient,
        priority=1,
        clinics=((0, 0),),
        release=max(frame.day(at), (ask.first - frame.first).days if ask.first else 0),
        last_done=done,
        weekly=tuple(ask.windows(day) for day in range(_WEEK)),
        exceptions={**_by_day(ask, frame), today: _today(ask, frame, at), **_around_fixed(sessions)},
        preferred=(0, DAY),
        sessions=tuple(sessions),
    )
    return Request(course, tuple(chain), frozenset(numbers))


def _gap_from(done: Done | None, gap: Gap | None, today: int) -> Gap | None:
    """The days after what was done last; where that is late already, as soon as there is a place."""
    if done and gap and done.day + gap.most < today:
        return replace(gap, most=today + _LATE - done.day)
    return gap


def _today(ask: Ask, frame: Frame, at: datetime) -> tuple[tuple[int, int], ...]:
    wall = times.local(at, frame.zone)
    passed = (wall.hour * 60 + wall.minute) // SLOT + 1
    return tuple(window for window in ask.windows_on(wall.date()) if window[0] >= passed)


def _by_day(ask: Ask, frame: Frame) -> dict[int, tuple[tuple[int, int], ...]]:
    """The days of which the patient has said anything; none is looked at where nothing was said."""
    dates = {day: frame.first + timedelta(days=day) for day in range(frame.length)} if ask.said else {}
    return {day: ask.windows_on(on) for day, on in dates.items()}


def _around_fixed(sessions: Iterable[Session]) -> dict[int, tuple[tuple[int, int], ...]]:
    """What stands, stands: whatever weekday and minute it is."""
    return {each.booked.day: ((0, DAY),) for each in sessions if each.booked}


def _done(each: Standing, frame: Frame) -> Done:
    return Done(each.place.day, each.place.start, frame.offset(each.place.day))


def horizon(ask: Ask, count: int, today: date) -> date:
    """The last day that is looked at: as far as the widest gaps reach, and no further than the order."""
    gaps = [gap for number in range(1, count + 2) if (gap := ask.gap(number))]
    reach = sum(gap.most for gap in gaps) or _LATE
    last = max(today, ask.first or today) + timedelta(days=min(reach + 2 * _LATE, 400))
    return min(last, ask.last) if ask.last and ask.last > today else last

"""What the clinic has typed in is what the optimiser sees: it never proposes what the database would refuse."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from clinic.core import db, formats
from clinic.scheduling import (
    operations,
    operations_hours,
    operations_people,
    operations_rooms,
    operations_shifts,
    queries,
    resources,
)
from clinic.scheduling.booking import plan_of
from clinic.scheduling.course_request import Ask
from clinic.scheduling.frame import SLOT, Frame
from clinic.scheduling.proposals import Desk
from clinic.scheduling.situation import Situation
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = date(2025, 11, 17)
LENGTHS = {"precheck_slot_min": 30, "recovery_slot_min": 40, "turnaround_min": 10, "sessions_planned": 6}


@pytest.fixture(autouse=True)
def _wall():
    token = formats.zone.set(NEW_YORK)
    yield
    formats.zone.reset(token)


@pytest.fixture
def course(make_course, make_protocol_version, make_draft):
    return make_course(protocol_version=make_protocol_version(draft=make_draft(**LENGTHS)))


def hours():
    """When the clinic is open on the days of the first fortnight, in hours."""
    rows = resources.read(MONDAY, MONDAY + timedelta(days=13), NEW_YORK)
    situation = Situation(rows, Frame(MONDAY, 14, NEW_YORK), today=MONDAY)
    return {day: tuple(slot * SLOT / 60 for slot in span) for day, span in sorted(situation.hours.items())}


def booked(course, scheduler):
    """Books each proposal and takes it back; the database is the judge."""
    plan = plan_of(queries.course_to_book(course.id))
    desk = Desk(plan, Ask(plan.terms, plan.length_min), at=DESK_OPENS)
    found = desk.proposals()
    for each in found:
        with db.session.begin_nested() as savepoint:
            operations.book(course, each.slots, by=scheduler, at=DESK_OPENS)
            savepoint.rollback()
    return found


def test_without_anything_typed_the_week_of_the_calendar_counts(make_chair):
    make_chair()
    assert hours() == dict.fromkeys((0, 1, 2, 3, 4, 7, 8, 9, 10, 11), (8.0, 17.0))


def test_weeks_without_shifts_take_the_hours_of_the_others(make_chair, make_shift, nurse):
    make_chair()
    make_shift(nurse)  # Wednesday, 08:00 to 17:00
    make_shift(nurse, starts_at=NINE + DAY, ends_at=NINE + DAY + 5 * HOUR)
    assert hours() == {2: (8.0, 17.0), 3: (9.0, 14.0), 9: (8.0, 17.0), 10: (9.0, 14.0)}


@pytest.fixture
def strict_clinic(make_hours, make_shift, site, nurse, physician):
    """Opening hours with a noon, a closed Friday, a clinician from 09:00 on, a nurse with a break."""
    by = {"by": nurse, "at": DESK_OPENS}
    make_hours((8 * 60, 13 * 60), (14 * 60, 19 * 60))
    friday = date(2025, 11, 21)
    operations_hours.close_days(site, from_on=friday, until_on=friday, reason="holiday", **by)
    for day in (0, 1, 5, 6):
        nine = NINE + day * DAY
        shift = make_shift(nurse, starts_at=nine - HOUR, ends_at=nine + 10 * HOUR)
        shift.starts_per_quarter = 1
        operations_shifts.add_break(shift, starts_at=nine, ends_at=nine + HOUR / 2, **by)
        operations_people.add_presence(site, physician, starts_at=nine, ends_at=nine + 10 * HOUR, **by)


@pytest.mark.usefixtures("strict_clinic")
def test_every_rule_of_the_clinic_is_kept(course, make_chair, make_booked, scheduler):
    chair = make_chair()
    cleaned = operations_rooms.Features(cleaning_min=20)
    operations_rooms.change_chair(chair, cleaned, by=scheduler, at=DESK_OPENS)
    make_booked(chair=chair, starts_at=NINE + DAY + 5 * HOUR, hours=1)
    found = booked(course, scheduler)
    assert len(found) > 1
    first = found[0].slots[0].starts_at.astimezone(NEW_YORK)
    assert (first.hour, first.minute) in {(9, 30), (14, 0)}

"""The database refuses what hours, people, cleaning and pumps do not allow, and nothing that nobody typed."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from clinic.core import db, formats
from clinic.core.errors import RuleBroken
from clinic.scheduling import (
    operations,
    operations_hours,
    operations_limits,
    operations_people,
    operations_pumps,
    operations_shifts,
)
from clinic.scheduling.booking import clash_words
from clinic.scheduling.limit_rules import Most
from clinic.scheduling.models import ClockOffset, ShiftBreak
from clinic.scheduling.operations import SlotsTaken
from clinic.scheduling.operations_breaking import StandsInTheWay, seen_key
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def wall():
    token = formats.zone.set(ZoneInfo("America/New_York"))
    yield
    formats.zone.reset(token)


@pytest.fixture
def refusal(make_booked, make_active_course, make_patient):
    """Books one session for another patient; gives the words of the refusal, or None when it was booked."""

    def book(start=NINE, end=None, **slot):
        course = make_active_course(make_patient(allergies=()))
        try:
            make_booked(course, starts_at=start, ends_at=end or start + HOUR, **slot)
        except SlotsTaken as taken:
            return clash_words(taken.clashes[0])
        return None

    return book


# --- hours -----------------------------------------------------------------------------------------------------------


def test_a_clinic_without_hours_is_not_blocked(refusal):
    assert refusal(datetime(2025, 11, 23, 3, 0, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("start", "end", "is_open"),
    [
        (-60, 480, True),  # 08:00 to 17:00, to the minute
        (-61, 60, False),
        (420, 481, False),
        (3 * 24 * 60, 3 * 24 * 60 + 60, False),  # Saturday
    ],
)
def test_a_visit_lies_inside_the_hours(make_hours, refusal, start, end, is_open):
    make_hours()
    assert (refusal(NINE + start * MINUTE, NINE + end * MINUTE) is None) is is_open


def test_the_refusal_says_when_it_is_open(make_hours, refusal):
    make_hours((8 * 60, 12 * 60), (13 * 60, 17 * 60))
    assert refusal(NINE + 3 * HOUR) == (
        "The clinic is not open for all of that time: open, 08:00 to 12:00; open, 13:00 to 17:00."
    )


def test_hours_are_those_of_the_wall_across_a_clock_change(make_hours, refusal):
    """17:00 in New York is 22:00 UTC in winter and 21:00 in summer, which ends on 1-Nov-2026."""
    make_hours()
    assert refusal(datetime(2026, 10, 30, 20, 0, tzinfo=UTC)) is None
    assert refusal(datetime(2026, 10, 30, 21, 0, tzinfo=UTC)) is not None
    assert refusal(datetime(2026, 11, 2, 21, 0, tzinfo=UTC)) is None


def test_a_day_before_the_first_hours_is_not_judged(make_hours, refusal):
    make_hours(valid_from=date(2025, 11, 24))
    assert refusal(NINE - 3 * HOUR) is None
    assert refusal(NINE - 3 * HOUR + 5 * DAY) is not None


def test_a_night_is_open_when_both_its_days_are(make_hours, refusal):
    make_hours((18 * 60, 24 * 60), weekdays=[3])
    make_hours((0, 6 * 60), weekdays=[4])
    assert refusal(NINE + 12 * HOUR, NINE + 21 * HOUR) is None
    assert refusal(NINE + 12 * HOUR, NINE + 21 * HOUR + MINUTE) is not None


def test_a_wall_that_nobody_can_read_is_refused(make_hours, refusal):
    make_hours()
    db.session.execute(sa.delete(ClockOffset))
    assert refusal() is not None


# --- closed days -----------------------------------------------------------------------------------------------------


@pytest.fixture
def close(site, scheduler):
    """Closes the site on Wednesday 19-Nov-2025, or a part of that day."""

    def act(span=None):
        day = date(2025, 11, 19)
        return operations_hours.close_days(
            site, from_on=day, until_on=day, span=span, reason="Founders' day", by=scheduler, at=DESK_OPENS
        )

    return act


@pytest.mark.parametrize(("span", "is_open"), [(None, False), ((600, 1440), True), ((599, 1440), False)])
def test_nobody_is_booked_on_a_closed_day_or_part(close, refusal, span, is_open):
    close(span)
    said = refusal(NINE)
    assert (said is None) is is_open
    assert said is None or said.startswith("The clinic is closed then: Founders' day")


def test_days_that_open_again_can_be_booked(close, scheduler, refusal):
    closed = close()
    operations_hours.reopen_days(closed, reason="It melted", by=scheduler, at=DESK_OPENS)
    assert refusal() is None
    with pytest.raises(RuleBroken, match="open again already"):
        operations_hours.reopen_days(closed, reason="Twice", by=scheduler, at=DESK_OPENS)


# --- people ----------------------------------------------------------------------------------------------------------


def test_a_nurse_is_on_duty_for_the_whole_visit(make_shift, refusal, nurse):
    make_shift(nurse)
    make_shift(nurse, NINE + 8 * HOUR, NINE + 9 * HOUR)
    assert refusal(NINE + 7 * HOUR, NINE + 9 * HOUR, nurse=nurse) is None
    said = refusal(NINE + 8 * HOUR, NINE + 9 * HOUR + MINUTE, nurse=nurse)
    assert (
        said == f"{nurse.name} is not on duty for all of that time: on duty, 08:00 to 17:00; on duty, 17:00 to 18:00."
    )


def test_a_week_without_any_nurse_on_duty_is_not_judged(make_shift, refusal, nurse, second_nurse):
    make_shift(nurse)
    assert refusal(NINE + 2 * DAY, nurse=second_nurse) is not None  # Friday of the same week
    assert refusal(NINE + 5 * DAY, nurse=second_nurse) is None  # Monday of the next


def test_nobody_begins_in_a_nurses_break(make_shift, refusal, nurse):
    shift = make_shift(nurse)
    operations_shifts.add_break(shift, starts_at=NINE, ends_at=NINE + HOUR, by=None, at=DESK_OPENS)
    assert (
        refusal(NINE + 30 * MINUTE, nurse=nurse)
        == f"{nurse.name} has a break when it would begin: break, 09:00 to 10:00."
    )
    assert refusal(NINE - 30 * MINUTE, NINE + 2 * HOUR, nurse=nurse) is None
    operations_shifts.remove_break(db.session.scalars(sa.select(ShiftBreak)).one(), by=nurse, at=DESK_OPENS)
    assert refusal(NINE + 30 * MINUTE, nurse=nurse) is None


def test_a_nurse_begins_with_so_many_in_a_quarter_of_an_hour(limit_nurses, refusal, nurse):
    limit_nurses(per_quarter=1)
    db.session.flush()
    assert refusal(NINE, nurse=nurse) is None
    assert "begins with as many patients" in refusal(NINE + 14 * MINUTE, nurse=nurse)
    assert refusal(NINE + 15 * MINUTE, nurse=nurse) is None


def test_the_clinics_limits_hold_from_their_day_on(limit_nurses, refusal, nurse, admin):
    limit_nurses(2)
    fewer = Most(at_once=1, per_quarter=1)
    operations_limits.set_nurse_limits(date(2025, 11, 20), fewer, by=admin, at=DESK_OPENS)
    assert [refusal(NINE, nurse=nurse) for _ in range(2)] == [None, None]
    assert "as many patients at that time" in refusal(NINE, nurse=nurse)
    assert refusal(NINE + DAY, nurse=nurse) is None
    assert "as many patients" in refusal(NINE + DAY, nurse=nurse)


def test_a_limit_holds_where_the_clock_of_the_wall_is_not_settled(limit_nurses, refusal, nurse):
    db.session.execute(sa.delete(ClockOffset))
    limit_nurses(1)
    assert refusal(nurse=nurse) is None
    assert "as many patients at that time" in refusal(nurse=nurse)


def test_the_limits_of_a_shift_stand_in_place_of_the_clinics(limit_nurses, make_shift, refusal, nurse):
    limit_nurses(1, 1)
    shift = make_shift(nurse)
    shift.patients_at_once, shift.starts_per_quarter = 2, 2
    db.session.flush()
    assert [refusal(nurse=nurse) for _ in range(2)] == [None, None]
    assert "as many patients at that time" in refusal(NINE + 30 * MINUTE, nurse=nurse)


def test_the_limit_that_falls_inside_a_visit_counts(limit_nurses, make_shift, refusal, nurse):
    """Until noon she may have two, afterwards one as the clinic says."""
    limit_nurses(1)
    make_shift(nurse, NINE - HOUR, NINE + 3 * HOUR).patients_at_once = 2
    make_shift(nurse, NINE + 3 * HOUR, NINE + 8 * HOUR)
    db.session.flush()
    assert refusal(NINE, NINE + 4 * HOUR, nurse=nurse) is None
    assert refusal(NINE, NINE + 3 * HOUR, nurse=nurse) is None
    assert refusal(NINE + 2 * HOUR, NINE + 4 * HOUR, nurse=nurse) is not None


def test_a_supervising_clinician_is_on_site_throughout(site, physician, scheduler, refusal):
    there = operations_people.add_presence(
        site, physician, starts_at=NINE, ends_at=NINE + 3 * HOUR, by=scheduler, at=DESK_OPENS
    )
    assert refusal(NINE, NINE + 3 * HOUR) is None
    said = refusal(NINE, NINE + 3 * HOUR + MINUTE)
    assert said == (
        f"No supervising clinician is on site for all of that time: {physician.name} is there, 09:00 to 12:00."
    )
    assert refusal(NINE + 7 * DAY) is None  # for that week nobody has said who comes
    operations_people.remove_presence(there, by=scheduler, at=DESK_OPENS + 30 * DAY)
    assert refusal(NINE, NINE + 3 * HOUR + MINUTE) is None


# --- cleaning and pumps ----------------------------------------------------------------------------------------------


def test_a_chair_is_cleaned_before_the_next_patient(make_chair, refusal):
    chair = make_chair()
    chair.cleaning_min = 15
    db.session.flush()
    assert refusal(NINE, chair=chair) is None
    for start in (NINE + HOUR + 14 * MINUTE, NINE - HOUR - 14 * MINUTE):
        assert "needs its time for cleaning" in refusal(start, chair=chair)
    assert refusal(NINE + HOUR + 15 * MINUTE, chair=chair) is None
    assert refusal(NINE - HOUR - 15 * MINUTE, chair=chair) is None


@pytest.fixture
def pump(clinic, scheduler):
    return operations_pumps.add_pump("P1", "SN-1", by=scheduler, at=DESK_OPENS)


def test_a_pump_is_held_once(refusal, pump):
    assert refusal(pump=pump) is None
    assert refusal(NINE + 30 * MINUTE, pump=pump).startswith("Pump P1 is taken at that time: ")
    assert refusal(NINE + HOUR, pump=pump) is None
    assert [refusal(NINE + 30 * MINUTE) for _ in range(2)] == [None, None]  # without a pump nobody collides


def test_a_pump_out_of_service_is_not_held(refusal, pump, scheduler):
    out = operations_pumps.take_out_of_service(
        pump, starts_at=NINE, ends_at=NINE + DAY, reason="Service", by=scheduler, at=DESK_OPENS
    )
    assert "Pump P1 is out of service at that time: Service" in refusal(pump=pump)
    operations_pumps.put_back_in_service(out, reason="Done", by=scheduler, at=DESK_OPENS)
    assert refusal(pump=pump) is None
    with pytest.raises(StandsInTheWay, match="1 appointment holds this pump"):
        operations_pumps.take_out_of_service(
            pump, starts_at=NINE, ends_at=NINE + DAY, reason="Again", by=scheduler, at=DESK_OPENS
        )


# --- who stands already ----------------------------------------------------------------------------------------------


def test_who_stands_outside_still_arrives(make_booked, make_hours, scheduler):
    """Rules judge whoever takes a place; nobody is turned away at the door, nor at another nurse's hands."""
    standing = make_booked(starts_at=NINE + 12 * HOUR)
    make_hours(seen=seen_key([standing]))
    operations.assign_nurse(standing, None, by=scheduler, at=DESK_OPENS)
    operations.change_status(standing, operations.AppointmentStatus.ARRIVED, by=scheduler, at=DESK_OPENS)
    assert standing.status == "arrived"

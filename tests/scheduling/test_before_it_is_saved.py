"""A change of what the clinic has first shows the appointments that would stand outside."""

from datetime import date

import pytest

from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.scheduling import (
    operations_hours,
    operations_limits,
    operations_people,
    operations_rooms,
    operations_shifts,
    queries,
    queries_rooms,
)
from clinic.scheduling.limit_rules import Most
from clinic.scheduling.operations_breaking import WouldBreak
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE


def shown(act, *which, **how):
    """Do it once to be shown what would break, then again having seen it; gives what was shown."""
    with pytest.raises(WouldBreak, match="would stand outside") as refusal:
        act(*which, **how, at=DESK_OPENS)
    act(*which, **how, at=DESK_OPENS, seen=refusal.value.key)
    return refusal.value.standing


def test_new_hours_show_who_would_stand_outside(make_booked, site, scheduler):
    late = make_booked(starts_at=NINE + 7 * HOUR)
    make_booked(late.course, 2, starts_at=NINE + DAY)
    hours = {"valid_from": date(2025, 11, 1), "by": scheduler}
    assert shown(operations_hours.set_hours, site, [1, 2, 3, 4, 5], [(480, 1020)], **hours) == [late]
    assert len(queries_rooms.opening_hours()) == 5


def test_what_stands_outside_already_is_not_shown_again(make_booked, make_hours, site, scheduler):
    make_hours()
    make_hours((480, 960), valid_from=date(2025, 12, 1))
    assert {row.until_min for row in queries_rooms.opening_hours()} == {1020, 960}


def test_hours_for_some_weeks_leave_the_others_as_they_were(make_hours):
    make_hours(weekdays=[3])
    make_hours((600, 720), weekdays=[3], valid_from=date(2025, 12, 22), valid_until=date(2026, 1, 4))
    rows = [(row.valid_from, row.valid_until, row.from_min) for row in queries_rooms.opening_hours()]
    assert rows == [
        (date(2025, 11, 1), date(2025, 12, 21), 480),
        (date(2025, 12, 22), date(2026, 1, 4), 600),
        (date(2026, 1, 5), None, 480),
    ]


@pytest.mark.parametrize(
    ("spans", "words"),
    [([(600, 600)], "closes after it opens"), ([(480, 720), (720, 900)], "second opening begins after")],
)
def test_hours_that_cannot_be_are_refused(make_hours, spans, words):
    with pytest.raises(RuleBroken, match=words):
        make_hours(*spans)


def test_closing_a_day_shows_who_stands_on_it(make_booked, site, scheduler):
    standing = make_booked()
    day = date(2025, 11, 19)
    closed = {"from_on": day, "until_on": day, "reason": "Snow", "by": scheduler}
    assert shown(operations_hours.close_days, site, **closed) == [standing]


def test_another_booking_in_between_is_shown_anew(make_booked, site, scheduler):
    day = date(2025, 11, 19)
    closed = {"from_on": day, "until_on": day, "reason": "Snow", "by": scheduler, "at": DESK_OPENS}
    standing = make_booked()
    with pytest.raises(WouldBreak) as first:
        operations_hours.close_days(site, **closed)
    make_booked(standing.course, 2, starts_at=NINE + 4 * HOUR)
    with pytest.raises(WouldBreak, match="2 appointments"):
        operations_hours.close_days(site, **closed, seen=first.value.key)


@pytest.fixture
def two_at_nine(make_booked, make_active_course, make_patient):
    """Books two patients for a nurse at the same time; gives the second one."""

    def make(nurse):
        make_booked(nurse=nurse)
        return make_booked(make_active_course(make_patient(allergies=())), nurse=nurse)

    return make


def test_taking_a_nurse_off_duty_shows_her_patients(make_booked, make_shift, nurse, scheduler):
    shift = make_shift(nurse)
    standing = make_booked(nurse=nurse)
    assert shown(operations_shifts.remove_shift, shift, by=scheduler) == [standing]
    assert queries.shifts_between(NINE, NINE + HOUR) == []


def test_a_break_shows_who_would_begin_in_it(make_booked, make_shift, nurse, scheduler):
    shift = make_shift(nurse)
    standing = make_booked(nurse=nurse)
    make_booked(standing.course, 2, nurse=nurse, starts_at=NINE + 4 * HOUR)
    break_then = {"starts_at": NINE, "ends_at": NINE + HOUR, "by": scheduler}
    assert shown(operations_shifts.add_break, shift, **break_then) == [standing]


@pytest.mark.parametrize(("at_once", "per_quarter"), [(1, None), (None, 1)])
def test_lower_limits_of_a_shift_show_who_is_too_many(make_shift, two_at_nine, nurse, at_once, per_quarter):
    shift = make_shift(nurse)
    second = two_at_nine(nurse)
    typed = {"patients_at_once": at_once, "starts_per_quarter": per_quarter}
    assert shown(operations_shifts.set_shift_limits, shift, **typed, by=nurse) == [second]


def test_a_shift_that_goes_back_to_the_clinics_limits_shows_who(limit_nurses, make_shift, two_at_nine, nurse):
    limit_nurses(1)
    shift = make_shift(nurse)
    shift.patients_at_once = 2
    second = two_at_nine(nurse)
    typed = {"patients_at_once": None, "starts_per_quarter": None}
    assert shown(operations_shifts.set_shift_limits, shift, **typed, by=nurse) == [second]
    operations_shifts.set_shift_limits(shift, **typed, by=nurse, at=DESK_OPENS)  # those beyond already are not shown


def test_who_stays_into_a_shift_with_a_lower_limit_is_shown(make_shift, two_at_nine, nurse):
    make_shift(nurse, NINE - HOUR, NINE + HOUR)
    later = make_shift(nurse, NINE + HOUR, NINE + 4 * HOUR)
    second = two_at_nine(nurse)
    typed = {"patients_at_once": 1, "starts_per_quarter": None}
    assert shown(operations_shifts.set_shift_limits, later, **typed, by=nurse) == [second]


def test_lower_limits_of_the_clinic_show_who_is_too_many_from_their_day_on(two_at_nine, nurse):
    second, most = two_at_nine(nurse), Most(at_once=1, per_quarter=1)
    operations_limits.set_nurse_limits(NINE.date() + DAY, most, by=nurse, at=DESK_OPENS)
    assert shown(operations_limits.set_nurse_limits, NINE.date(), most, by=nurse) == [second]


def test_lower_limits_of_the_clinic_spare_a_shift_with_its_own(make_shift, two_at_nine, nurse):
    two_at_nine(nurse)
    shift = make_shift(nurse)
    shift.patients_at_once, shift.starts_per_quarter = 2, 2
    db.session.flush()
    assert operations_limits.set_nurse_limits(NINE.date(), Most(1, 1), by=nurse, at=DESK_OPENS)


def test_a_clinician_who_leaves_shows_who_would_be_alone(make_booked, site, physician, scheduler):
    there = operations_people.add_presence(
        site, physician, starts_at=NINE, ends_at=NINE + 4 * HOUR, by=scheduler, at=DESK_OPENS
    )
    standing = make_booked()
    assert shown(operations_people.remove_presence, there, by=scheduler) == [standing]


def test_more_cleaning_shows_who_comes_too_soon(make_booked, make_chair, scheduler):
    chair = make_chair()
    first = make_booked(chair=chair)
    next_one = make_booked(first.course, 2, chair=chair, starts_at=first.ends_at)
    features = operations_rooms.Features(cleaning_min=10)
    assert shown(operations_rooms.change_chair, chair, features, by=scheduler) == [next_one]
    db.session.flush()
    db.session.expire(chair)
    assert chair.cleaning_min == 10

"""The days of the demonstration, whatever moment it is filled at; and its sign-ins beside the README's."""

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.accounts.rules import DEMO_PASSWORD
from clinic.cases.schema import WORKED, read_file
from clinic.demo.history import before, instants, shifted
from clinic.demo.patients import treatments
from clinic.demo.people import STAFF, ZONE
from clinic.demo.shifts import around_now
from clinic.demo.timeline import Days
from clinic.demo.today import todays_visits
from clinic.demo.visits import coming_visits, past_visits

CASES = read_file(WORKED).cases
README = Path(__file__).parents[2] / "README.md"
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2034, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 bounds
    lambda at: at.replace(second=0, microsecond=0)
)


def visits_at(moment):
    days, people = Days(moment, ZONE), treatments()
    todays = todays_visits(days, people)
    for treatment in people.values():
        yield from past_visits(days, treatment)
        yield from coming_visits(days, treatment, first=9)
    yield from todays.values()


@given(moment=MOMENTS, offset=st.integers(-30, 30).filter(bool))
def test_a_workday_is_a_weekday_on_its_side_of_today(moment, offset):
    days = Days(moment, ZONE)
    day = days.workday(offset)
    assert day.weekday() < 5
    assert (day > days.today) is (offset > 0)


@given(moment=MOMENTS)
def test_no_two_visits_of_a_chair_meet(moment):
    held = sorted(
        (visit.chair, visit.booked_from, visit.booked_until)
        for visit in visits_at(moment)
        if visit.treatment.family_name != "Walsh" or visit.start is not None
    )
    for one, other in itertools.pairwise(held):
        assert one[0] != other[0] or one[2] <= other[1]


@given(moment=MOMENTS)
def test_the_worked_cases_lie_long_before_the_clinics_own_weeks(moment):
    earliest = min(visit.booked_from for visit in visits_at(moment))
    assert max(instants(before(moment, CASES))) < earliest


def test_a_case_that_is_moved_keeps_its_intervals_and_the_birth_date():
    case = CASES[0]
    weeks = timedelta(weeks=52)
    moved = shifted(case, -weeks)
    assert moved.patient == case.patient
    assert list(instants(moved)) == [at - weeks for at in instants(case)]


@pytest.mark.parametrize("person", STAFF, ids=lambda person: person.email)
def test_the_readme_names_everybody(person):
    assert f"`{person.email}`" in README.read_text(encoding="utf-8")


def test_the_readme_names_the_password():
    assert f"`{DEMO_PASSWORD}`" in README.read_text(encoding="utf-8")


@given(moment=MOMENTS)
def test_todays_visits_lie_within_the_nurses_hours(moment):
    days = Days(moment, ZONE)
    visits = todays_visits(days, treatments()).values()
    hours = around_now(days)
    first, last = min(start for start, _ in hours), max(end for _, end in hours)
    assert all(first <= visit.booked_from and visit.booked_until <= last for visit in visits)

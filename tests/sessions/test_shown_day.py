"""Which hours the board of a day shows."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.sessions.pages_board import shown_day

ZONE = ZoneInfo("America/New_York")
DAY = date(2025, 11, 18)


def at(text, day=DAY):
    return datetime.fromisoformat(f"{day}T{text}").replace(tzinfo=ZONE).astimezone(UTC)


def visit(start, hours):
    return SimpleNamespace(appointment=SimpleNamespace(starts_at=start, ends_at=start + timedelta(hours=hours)))


def shown(now, *visits, on=DAY):
    day = shown_day(on, ZONE, visits, now)
    return f"{day.starts_at.astimezone(ZONE):%d %H:%M}", f"{day.ends_at.astimezone(ZONE):%d %H:%M}"


@pytest.mark.parametrize(
    ("now", "visits", "hours"),
    [
        ("10:00", [], ("18 08:00", "18 17:00")),
        ("19:20", [], ("18 08:00", "18 20:00")),
        ("10:00", [("07:30", 3)], ("18 07:00", "18 17:00")),
        ("20:00", [("22:00", 4)], ("18 10:00", "19 02:00")),
        ("23:30", [("23:10", 3)], ("18 11:00", "19 03:00")),
        ("23:58", [], ("18 09:00", "19 01:00")),
    ],
)
def test_the_usual_hours_grow_with_the_visits_and_stay_around_now(now, visits, hours):
    assert shown(at(now), *(visit(at(start), length) for start, length in visits)) == hours


def test_a_visit_that_began_the_evening_before_is_shown_whole():
    assert shown(at("02:00"), visit(at("22:40") - timedelta(days=1), 4)) == ("17 22:00", "18 14:00")


def test_another_day_does_not_follow_the_clock():
    assert shown(at("02:00"), on=DAY + timedelta(days=1)) == ("19 08:00", "19 17:00")


@given(
    now=st.datetimes(datetime(2025, 1, 1), datetime(2025, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 bounds
    starts=st.lists(st.integers(-300, 1500), max_size=6),
)
def test_now_is_always_on_the_board(now, starts):
    rows = [visit(now + timedelta(minutes=minutes), 3) for minutes in starts]
    day = shown_day(now.astimezone(ZONE).date(), ZONE, rows, now)
    assert day.starts_at <= now < day.ends_at
    assert day.hours <= 16

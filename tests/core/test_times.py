from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.core.times import (
    AmbiguousTime,
    NoSuchTime,
    clock_label,
    date_label,
    elapsed_minutes,
    from_local,
    local,
    utc,
)

NEW_YORK = ZoneInfo("America/New_York")
AUTUMN = date(2026, 11, 1)
SPRING = date(2026, 3, 8)

instants = st.timedeltas(timedelta(0), timedelta(days=14_600)).map(
    lambda passed: datetime(2000, 1, 1, tzinfo=UTC) + passed
)
zones = st.sampled_from(
    [ZoneInfo(name) for name in ("America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe")]
)


def test_asks_which_of_two_times_is_meant():
    with pytest.raises(AmbiguousTime, match="happened twice on 01-Nov-2026") as asked:
        from_local(AUTUMN, time(1, 30), NEW_YORK)
    assert asked.value.choices == (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC))


@pytest.mark.parametrize(("fold", "hour"), [(0, 5), (1, 6)])
def test_takes_the_answer_first_or_second(fold, hour):
    assert from_local(AUTUMN, time(1, 30), NEW_YORK, fold) == datetime(2026, 11, 1, hour, 30, tzinfo=UTC)


@pytest.mark.parametrize("fold", [None, 0, 1])
def test_refuses_a_time_that_the_clocks_skipped(fold):
    with pytest.raises(NoSuchTime, match="02:30 did not exist on 08-Mar-2026"):
        from_local(SPRING, time(2, 30), NEW_YORK, fold)


@given(instants, zones)
def test_a_wall_time_leads_back_to_its_instant(instant, zone):
    wall = local(instant, zone)
    assert from_local(wall.date(), wall.time(), zone, wall.fold) == instant


@pytest.mark.parametrize(("hour", "label"), [(4, "00:30"), (5, "01:30 EDT"), (6, "01:30 EST"), (7, "02:30")])
def test_shows_the_zone_letters_only_when_the_clock_is_ambiguous(hour, label):
    assert clock_label(datetime(2026, 11, 1, hour, 30, tzinfo=UTC), NEW_YORK) == label


def test_no_letters_are_needed_when_an_hour_is_skipped():
    assert clock_label(datetime(2026, 3, 8, 7, 30, tzinfo=UTC), NEW_YORK) == "03:30"


def test_a_zone_without_letters_is_named_by_its_offset():
    assert clock_label(datetime(2018, 2, 18, 2, 30, tzinfo=UTC), ZoneInfo("America/Sao_Paulo")) == "23:30 UTC-03"


def test_minutes_are_counted_through_the_autumn_change():
    before = datetime(2026, 11, 1, 0, 45, tzinfo=NEW_YORK)
    assert elapsed_minutes(before, datetime(2026, 11, 1, 1, 15, fold=1, tzinfo=NEW_YORK)) == 90


def test_four_wall_clock_days_across_the_change_are_97_hours():
    start = datetime(2026, 10, 30, 9, tzinfo=NEW_YORK)
    assert elapsed_minutes(start, start + timedelta(days=4)) == 97 * 60


@given(instants, st.timedeltas(timedelta(days=-400), timedelta(days=400)))
def test_elapsed_minutes_are_exact(start, passed):
    end = start + passed
    exact = Fraction((end - start) // timedelta(microseconds=1), 60_000_000)
    assert abs(Fraction(elapsed_minutes(start, end)) - exact) < Fraction(1, 10**40)
    assert isinstance(elapsed_minutes(start, end), Decimal)


def test_a_time_without_a_zone_is_no_instant():
    with pytest.raises(ValueError, match="without a zone"):
        utc(datetime(2026, 1, 1))  # noqa: DTZ001 -- what is refused


def test_a_date_has_its_month_in_letters():
    assert date_label(date(2025, 11, 8)) == "08-Nov-2025"

"""Six kinds of spacing: the expected days, their windows, their words."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.core import db
from clinic.protocols.rules import DoseBasis
from clinic.protocols.spacing_rules import SpacingKind, Timing, Window, due_dates, due_window, spacing_contradictions
from clinic.protocols.spacing_words import (
    BadSpacing,
    gaps_text,
    read_gaps,
    read_weekdays,
    spacing_text,
    weekdays_text,
    window_note,
)
from clinic.protocols.terms import TermsDraft, content_of, make_terms
from tests.protocols.drafts import DRUGS

MONDAY = date(2025, 11, 17)
DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))
GAPS = st.lists(st.integers(1, 90), min_size=1, max_size=8).map(lambda gaps: tuple(sorted(gaps)))
WEEKDAYS = st.sets(st.integers(1, 7), min_size=1).map(lambda days: tuple(sorted(days)))


def terms(kind=None, **values):
    return TermsDraft(drug_id=DRUGS[0], basis=DoseBasis.MG, spacing=kind, **values)


def weekend_closed(day):
    return day.isoweekday() <= 5


def days_of(stated, first, count, is_open=weekend_closed):
    return due_dates(stated, first, range(1, count + 1), is_open=is_open)


def gaps_between(days):
    return [(later - sooner).days for sooner, later in pairwise(days)]


STATED = st.one_of(
    st.builds(lambda days: terms(SpacingKind.WEEKDAYS, weekdays=days), WEEKDAYS),
    st.just(terms(SpacingKind.CONSECUTIVE)),
    st.builds(lambda every: terms(SpacingKind.INTERVAL, every_days=every), st.integers(1, 200)),
    st.builds(lambda gaps: terms(SpacingKind.DECREASING, gaps_days=gaps), GAPS),
    st.just(terms(SpacingKind.BLOCK)),
)


@given(STATED, DAYS, st.integers(1, 12))
def test_expected_days_run_forward_from_the_first(stated, first, count):
    days = days_of(stated, first, count)
    assert days[0] == first
    assert len(days) == count
    assert all(gap > 0 for gap in gaps_between(days))


@given(STATED, DAYS, st.tuples(st.integers(0, 9), st.integers(0, 9)), st.integers(-30, 30))
def test_a_day_is_early_on_time_or_late_by_the_window_alone(stated, previous, tolerance, off):
    early, late = tolerance
    stated = replace(stated, early_days=early, late_days=late)
    window = due_window(stated, 3, previous, is_open=weekend_closed)
    assert max(previous, window.expected - timedelta(days=early)) == window.earliest
    assert window.expected + timedelta(days=late) == window.latest
    day = window.expected + timedelta(days=off)
    expected = Timing.EARLY if day < window.earliest else Timing.LATE if off > late else Timing.ON_TIME
    assert window.timing(day) is expected
    assert (window_note(window, day) is None) == (expected is Timing.ON_TIME)


@given(WEEKDAYS, DAYS)
def test_fixed_weekdays_leave_none_out(weekdays, first):
    days = days_of(terms(SpacingKind.WEEKDAYS, weekdays=weekdays), first, 8)
    between = (first + timedelta(days=step) for step in range(1, (days[-1] - first).days + 1))
    assert days[1:] == [day for day in between if day.isoweekday() in weekdays]


@given(DAYS, st.sets(st.integers(0, 40), max_size=30))
def test_consecutive_clinic_days_skip_closed_days_and_no_others(first, closed):
    shut = {first + timedelta(days=step) for step in closed}
    days = days_of(terms(SpacingKind.CONSECUTIVE), first, 5, is_open=lambda day: day not in shut)
    between = (first + timedelta(days=step) for step in range(1, (days[-1] - first).days + 1))
    assert days[1:] == [day for day in between if day not in shut]


@given(GAPS, DAYS)
def test_decreasing_frequency_follows_its_list_and_goes_on_with_the_last_gap(gaps, first):
    days = days_of(terms(SpacingKind.DECREASING, gaps_days=gaps), first, len(gaps) + 3)
    assert gaps_between(days) == [*gaps, gaps[-1], gaps[-1]]


@given(st.integers(1, 200), DAYS)
def test_every_so_many_days_keeps_its_distance(every, first):
    days = days_of(terms(SpacingKind.INTERVAL, every_days=every), first, 4)
    assert gaps_between(days) == [every] * 3


def test_an_inpatient_block_goes_on_over_the_weekend():
    days = days_of(terms(SpacingKind.BLOCK), MONDAY + timedelta(days=4), 4)
    assert gaps_between(days) == [1, 1, 1]


def test_as_needed_expects_no_day_and_keeps_its_gap():
    stated = terms(SpacingKind.AS_NEEDED, apart_min_days=14)
    assert days_of(stated, MONDAY, 3) == [MONDAY]
    window = due_window(stated, 2, MONDAY, is_open=weekend_closed)
    assert window == Window(None, MONDAY + timedelta(days=14), None)
    assert window.timing(MONDAY + timedelta(days=13)) is Timing.EARLY


def test_without_a_kind_the_days_apart_are_the_window():
    window = due_window(terms(apart_min_days=2, apart_max_days=7), 2, MONDAY, is_open=weekend_closed)
    assert window == Window(None, MONDAY + timedelta(days=2), MONDAY + timedelta(days=7))


def test_the_end_of_the_calendar_breaks_nothing():
    stated = terms(SpacingKind.INTERVAL, every_days=28)
    assert due_window(stated, 2, date.max, is_open=weekend_closed) == Window()


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (terms(), ""),
        (terms(SpacingKind.WEEKDAYS, weekdays=(1, 3, 5)), "on Mon, Wed, Fri"),
        (terms(SpacingKind.CONSECUTIVE), "on consecutive clinic days"),
        (
            terms(SpacingKind.INTERVAL, every_days=28, early_days=1, late_days=3),
            "every 28 days, up to 1 day early or 3 days late",
        ),
        (
            terms(SpacingKind.DECREASING, gaps_days=(7, 7, 14, 28)),
            "2 times after 7 days, once after 14 days, then every 28 days",
        ),
        (terms(SpacingKind.AS_NEEDED, apart_min_days=14), "as needed, at least 14 days apart"),
        (terms(SpacingKind.BLOCK), "as an inpatient block, day after day"),
        (terms(apart_min_days=2, apart_max_days=7), "2 to 7 days apart"),
    ],
)
def test_spacing_is_read_aloud(stated, said):
    assert spacing_text(stated) == said


@given(WEEKDAYS, st.lists(st.integers(1, 999), min_size=1, max_size=9).map(tuple))
def test_what_is_written_is_read_again(weekdays, gaps):
    assert read_weekdays(weekdays_text(weekdays)) == weekdays
    assert read_gaps(gaps_text(gaps)) == gaps


@given(st.text(max_size=12))
@settings(max_examples=300)
def test_a_text_is_read_or_refused_and_never_guessed(text):
    for read, write in ((read_gaps, gaps_text), (read_weekdays, weekdays_text)):
        try:
            found = read(text)
        except BadSpacing:
            continue
        assert read(write(found)) == found


@pytest.mark.parametrize("text", ["Mo", "Mon Mon", "weekday", "1", "Mon; Wed"])
def test_weekdays_that_cannot_be_read_are_refused(text):
    with pytest.raises(BadSpacing):
        read_weekdays(text)


@pytest.mark.parametrize("text", ["0", "0 x 7", "7 7", "-7", "1.5", "4 x", "x 7", "999 x 1", "１２"])
def test_gaps_that_cannot_be_read_are_refused(text):
    with pytest.raises(BadSpacing):
        read_gaps(text)


@pytest.mark.parametrize(
    ("stated", "field"),
    [
        (terms(SpacingKind.WEEKDAYS), "weekdays"),
        (terms(SpacingKind.INTERVAL), "every_days"),
        (terms(SpacingKind.DECREASING), "gaps_days"),
        (terms(SpacingKind.AS_NEEDED), "apart_min_days"),
        (terms(SpacingKind.BLOCK, weekdays=(1,)), "weekdays"),
        (terms(every_days=7), "every_days"),
        (terms(late_days=2), "late_days"),
        (terms(SpacingKind.DECREASING, gaps_days=(14, 7)), "gaps_days"),
        (terms(SpacingKind.INTERVAL, every_days=7, early_days=7), "early_days"),
        (terms(SpacingKind.INTERVAL, every_days=7, apart_min_days=8), "every_days"),
        (terms(SpacingKind.DECREASING, gaps_days=(7, 28), apart_max_days=14), "gaps_days"),
    ],
)
def test_what_cannot_stand_together_is_named(stated, field):
    assert [name for name, _ in spacing_contradictions(stated)] == [field]


@given(STATED)
def test_a_whole_spacing_contradicts_nothing(stated):
    assert spacing_contradictions(stated) == []


@pytest.mark.parametrize(("kind", "stands"), [(None, False), (SpacingKind.BLOCK, True)])
def test_what_terms_learned_later_is_signed_only_where_it_says_something(make_draft, kind, stands):
    """What was signed before terms knew of spacing must read as it did."""
    drafted = make_terms(make_draft(spacing=kind))
    db.session.add(drafted)
    db.session.flush()
    assert ("spacing" in content_of(drafted)) is stands
    assert "weekdays" not in content_of(drafted)
    assert "role" not in content_of(drafted)["checks"][0]

"""One figure has many names: other words, another order of the words, another unit, a day, a drug."""

import pytest

from clinic.cases.figure_words import known_as
from tests.cases.playing import case_of, different, expecting, played

KNOWN = ("paused_min", "waste_mg", "max_rate_mg_h", "dose_mg", "run_min", "pauses")


@pytest.mark.parametrize(
    ("spelt", "name"),
    [
        ("total_pause_minutes", "paused_min"),
        ("wasted_total_mg", "waste_mg"),
        ("rate-max-mg-h", "max_rate_mg_h"),
        ("Delivered Dose Mg", "Delivered_Dose_Mg".lower()),
        ("phase_of_the_moon", "phase_of_the_moon"),
    ],
)
def test_a_name_is_known_by_its_words(spelt, name):
    assert known_as(spelt, KNOWN) == name


def test_a_day_is_counted_between_two_midnights_of_the_clinic(database):
    """The clocks go back on 1 November: that day has 25 hours."""
    result = played(expecting(case_of("T01"), **{"dose_mg_by_day.2026-11-01": "363.75", "day_1_dose_mg": "140"}))
    assert not different(result)


def test_a_figure_follows_into_another_unit(database):
    result = played(expecting(case_of("C03"), run_h="0.6", dose_g="0.01476", waste_ml="35.24", unaccounted_ml="0.0"))
    assert not different(result)


def test_the_share_of_the_order_that_was_given(database):
    result = played(expecting(case_of("C03"), planned_mg="49.2", delivered_pct="30.0", undelivered_mg="34.44"))
    assert not different(result)


def test_what_is_recorded_of_the_adverse_event(database):
    result = played(expecting(case_of("C03"), ae_grade=2, ae_serious=False, ae_onset_min=30, ae_duration_min=65))
    assert not different(result)

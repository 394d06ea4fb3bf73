"""Every case that we have agrees with the records that playing it leaves, on whichever database the suite runs."""

import pytest

from tests.cases.playing import case_of, different, every_case, expecting, expecting_more, played

# What each case tells of beside its own figures.
RECORDS = {
    "C02": {"verbal_orders": 1, "unsigned_verbal_orders": 0, "prn_doses": 1, "notifications": 1, "rate_reductions": 1},
    "C03": {"midazolam.waste_mg": "1", "midazolam.unaccounted_mg": "0", "elapsed_min": "52", "decision": "adjust"},
    "C05": {"near_misses": 1, "blocked_rates": 1, "failed_double_checks": 1, "double_checks": 1, "pgic": 2},
    "C07": {
        "held_weights": 1,
        "no_shows": 1,
        "cancelled": 2,
        "fulfilled": 1,
        "sessions_not_done": 1,
        "holds": 1,
        "order_versions": 2,
        "course_status": "active",
        "weight_kg": "84.1",
    },
    "C08": {"corrections": 1, "late_entries": 1, "addenda": 1, "is_cosigned": True, "cannulas": 2, "min_hr": 72},
    "T01": {"wall_h": "96", "elapsed_h": "97", "pauses": 1, "vial_balance_after_mg": "0"},
    "T02": {"discrepancies": 1, "serious_events": 1, "adverse_events": 2, "exit": "transfer", "counted_mg": "145"},
    "T03": {"pauses": 2, "pause_min": "20", "rate_reductions": 3, "verbal_orders": 3, "is_past_time_cap": False},
}


@pytest.mark.parametrize("case", every_case(), ids=lambda case: case.id)
def test_every_figure_agrees_and_nothing_is_refused(database, case):
    result = played(expecting_more(case, **RECORDS.get(case.id, {})))
    assert not different(result)
    assert result.agrees


def test_a_wrong_figure_and_an_unknown_one_are_differences(database):
    result = played(expecting(case_of("O07"), dose_mg="10.1", phase_of_the_moon=3))
    assert [figure.agrees for figure in result.figures] == [False, False]
    assert [figure.computed for figure in result.figures] == ["10.0", None]
    assert not result.agrees

"""The small chart above a ladder on a phone: what the vital was of late, as the flowsheet draws it."""

from dataclasses import replace
from itertools import pairwise

import pytest

from clinic.sessions.chart_trend import TREND, trends
from tests.sessions.chart_sample import LIVE, MINUTE, at, every_five_minutes, words


def test_each_vital_that_was_taken_has_one_and_the_pressures_share_theirs():
    assert set(trends(LIVE)) == {"sbp", "hr", "rr", "spo2", "sedation", "pain"}
    assert trends(replace(LIVE, readings=[])) == {}


def test_it_shows_what_was_taken_of_late_with_the_limits_and_the_clock():
    (lane,) = trends(LIVE)["hr"].lanes
    assert words(lane.plot, "val") == ["74", "76", "82", "86", "92", "88"]
    assert words(lane.margin, "limt") == ["110", "50"]
    assert trends(LIVE)["hr"].description.endswith("92 at 14:15, 88 at 14:21.")


def test_a_value_outside_a_limit_is_marked_as_on_the_flowsheet():
    (lane,) = trends(LIVE)["sbp"].lanes
    assert [shape.text for shape in lane.plot if shape.kind == "val out"] == ["164"]


@pytest.mark.parametrize("sets", [1, 12, 40, 288])
def test_numbers_never_stand_upon_each_other_or_beyond_now(sets):
    data = every_five_minutes(sets)
    (lane,) = trends(data)["hr"].lanes
    xs = [shape.x for shape in lane.plot if shape.tag == "text"]
    assert all(right - left >= 23 for left, right in pairwise(xs))
    assert 1 <= len(xs) <= TREND.plot / 23


def test_what_is_long_ago_is_left_to_the_flowsheet():
    assert trends(replace(LIVE, now=at(14, 27) + 180 * MINUTE)) == {}

"""What must hold for every session that can be recorded, at every width."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.core.drawing import Circle, Line, Rect, Text, step_aside
from clinic.core.units import format_number
from clinic.sessions.chart import PHONE, PRINT, SHEET, TABLET, WIDE, ChartEvent, ChartInput, ReadingPoint, draw, sheets
from clinic.sessions.chart_axis import time_axis

WIDTHS = (WIDE, TABLET, SHEET, PHONE, PRINT)
VITALS = ("sbp", "dbp", "hr", "rr", "spo2", "sedation", "pain")
# Around the nights when the clocks of these places change.
ZONES = ("Europe/Lisbon", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
START = st.sampled_from([datetime(2025, 11, 2, 3, tzinfo=UTC), datetime(2025, 10, 25, 22, tzinfo=UTC)])
ROUND = 0.11  # places are rounded to a tenth


def maybe(low, high):
    return st.none() | st.integers(low, high)


VALUES = {
    "sbp": maybe(40, 300), "dbp": maybe(20, 200), "hr": maybe(20, 300), "rr": maybe(0, 80),
    "spo2": maybe(40, 100), "sedation": maybe(-5, 4), "pain": maybe(0, 10),
}  # fmt: skip


@st.composite
def readings(draw_value, start):
    at = start + timedelta(minutes=draw_value(st.integers(0, 480)))
    flagged = draw_value(st.frozensets(st.sampled_from(VITALS), max_size=3))
    return ReadingPoint(at, flagged=flagged, **{name: draw_value(values) for name, values in VALUES.items()})


@st.composite
def segments(draw_value, start):
    found = []
    at = start
    for _ in range(draw_value(st.integers(0, 6))):
        at += timedelta(minutes=draw_value(st.integers(0, 30)))
        end = at + timedelta(minutes=draw_value(st.integers(1, 90)))
        found.append((at, end, draw_value(st.decimals("0.1", 200, places=1))))
        at = end
    return found


@st.composite
def limits(draw_value):
    found = {}
    for vital in draw_value(st.frozensets(st.sampled_from(VITALS))):
        low, high = draw_value(VALUES[vital]), draw_value(VALUES[vital])
        found[vital] = (low, high) if low is None or high is None or low <= high else (high, low)
    return found


@st.composite
def sessions(draw_value):
    start = draw_value(START)
    minute = timedelta(minutes=1)
    happened = st.builds(
        ChartEvent,
        at=st.integers(0, 480).map(lambda minutes: start + minutes * minute),
        kind=st.sampled_from(["adverse", "drug", "other"]),
        text=st.text(st.characters(categories=["L", "N", "Z"]), min_size=1, max_size=60),
    )
    return ChartInput(
        zone=ZoneInfo(draw_value(st.sampled_from(ZONES))),
        now=start + draw_value(st.integers(0, 900)) * minute,
        window_start=start,
        window_end=draw_value(st.none() | st.integers(20, 600).map(lambda minutes: start + minutes * minute)),
        planned_stop=draw_value(st.none() | st.just(start + 200 * minute)),
        segments=draw_value(segments(start)),
        maximum_rate_mg_h=draw_value(st.none() | st.just(Decimal(30))),
        readings=draw_value(st.lists(readings(start), max_size=12)),
        limits=draw_value(limits()),
        events=draw_value(st.lists(happened, max_size=5)),
    )


def texts(shapes):
    return [shape for shape in shapes if isinstance(shape, Text)]


def edges(shape):
    """The upper and lower end of a shape that has them."""
    if isinstance(shape, Circle):
        return shape.cy - shape.r, shape.cy + shape.r
    if isinstance(shape, Rect):
        return shape.y, shape.y + shape.height
    if isinstance(shape, Line):
        return min(shape.y1, shape.y2), max(shape.y1, shape.y2)
    return None


def assert_sound(chart):
    """No words outside the box, nothing outside its lane, no two numbers upon each other."""
    parts = [(chart.left if chart.scrolls else 0, chart.right if chart.scrolls else chart.width, chart.ground)]
    parts += [(parts[0][0], parts[0][1], lane.plot) for lane in chart.lanes]
    parts += [(0, chart.left, lane.name) for lane in chart.lanes]
    parts += [(chart.right, chart.width, lane.margin) for lane in chart.lanes]
    for left, right, shapes in parts:
        for text in texts(shapes):
            assert left - ROUND <= text.span[0], text
            assert text.span[1] <= right + ROUND, text
            assert text.size * 0.7 <= text.y <= chart.height
    for lane in chart.lanes:
        for mark in lane.marks:
            assert lane.top <= mark.y <= lane.bottom
            assert chart.left - ROUND <= mark.x <= chart.right + ROUND
        for shape in lane.plot:
            if found := edges(shape):
                assert lane.top - ROUND <= found[0] <= found[1] <= lane.bottom + ROUND, shape
        numbers = [text for text in texts(lane.plot) if text.kind.startswith("val")]
        rows = [[text for text in numbers if text.y == y] for y in {text.y for text in numbers}]
        for row in [numbers] if lane.key != "bp" else rows:
            spans = sorted(text.span for text in row)
            assert all(first[1] <= second[0] + ROUND for first, second in pairwise(spans))


def numbers_of(charts, key):
    shapes = [text for chart in charts for lane in chart.lanes if lane.key == key for text in texts(lane.plot)]
    return Counter(text.text.rstrip("HL") for text in shapes if text.kind.startswith("val"))


def expected(data, *vitals):
    values = [reading.value(vital) for reading in data.shown for vital in vitals]
    return Counter(format_number(value) for value in values if value is not None)


@pytest.mark.parametrize("width", WIDTHS, ids=lambda width: str(width.width))
@given(data=sessions())
@settings(max_examples=40, deadline=None)
def test_every_session_is_drawn_soundly_with_every_number(width, data):
    chart = draw(data, width)
    assert_sound(chart)
    assert numbers_of([chart], "bp") == expected(data, "sbp", "dbp")
    for vital in VITALS[2:]:
        assert numbers_of([chart], vital) == expected(data, vital)


@given(data=sessions(), every=st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_paper_holds_every_number_however_dense_the_session(data, every):
    start = data.window_start
    dense = [ReadingPoint(start + timedelta(minutes=every * number), 164, 80, 90, 14, 96, 1, 5) for number in range(90)]
    data = replace(data, readings=[*data.readings, *dense])
    charts = sheets(data)
    for chart in charts:
        assert chart.width == PRINT.width
        assert_sound(chart)
    assert numbers_of(charts, "bp") == expected(data, "sbp", "dbp")
    for vital in VITALS[2:]:
        assert numbers_of(charts, vital) == expected(data, vital)


@given(data=sessions(), minutes=st.lists(st.integers(0, 480), min_size=2, max_size=8, unique=True))
@settings(max_examples=40, deadline=None)
def test_later_is_further_right_even_when_the_clocks_change(data, minutes):
    axis = time_axis(data, TABLET)
    inside = sorted(at for minute in minutes if axis.holds(at := data.window_start + timedelta(minutes=minute)))
    places = [axis.x(at) for at in inside]
    assert all(first < second for first, second in pairwise(places))
    for (first, second), (left, right) in zip(pairwise(inside), pairwise(places), strict=True):
        # True time: a minute is as wide everywhere.
        assert (right - left) / ((second - first) / timedelta(minutes=1)) == pytest.approx(axis.px_per_minute)


@given(st.lists(st.tuples(st.floats(0, 900), st.floats(1, 60)), max_size=12))
def test_what_steps_aside_keeps_order_distance_and_bounds(things):
    wanted = sorted(place for place, _ in things)
    widths = [width for _, width in things]
    places = step_aside(wanted, widths, -4, 904)
    for (a, b), (first, second) in zip(pairwise(places), pairwise(widths), strict=True):
        assert b - a >= (first + second) / 2 - 1e-6
    assert all(place - width / 2 >= -4 - 1e-6 for place, width in zip(places, widths, strict=True))
    assert all(place + width / 2 <= 904 + 1e-6 for place, width in zip(places, widths, strict=True))


@given(st.lists(st.floats(0, 900), max_size=8))
def test_what_has_room_does_not_move(wanted):
    apart = sorted(place * 4 for place in wanted)
    if all(b - a >= 23 for a, b in pairwise(apart)):
        assert step_aside(apart, [23] * len(apart), -100, 5000) == pytest.approx(apart)

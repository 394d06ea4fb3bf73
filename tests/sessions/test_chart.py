from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from clinic.core.drawing import Circle, Hatch, Line
from clinic.sessions.chart import PHONE, PRINT, TABLET, WIDE, ChartEvent, ReadingPoint, describe, draw, screens
from tests.sessions.chart_sample import LIVE, MINUTE, STOPPED, at, every_five_minutes, lane, words


def test_the_lanes_stand_from_rate_to_pain_without_gap():
    chart = draw(LIVE, TABLET)
    assert [each.key for each in chart.lanes] == ["rate", "events", "bp", "hr", "spo2", "rr", "sedation", "pain"]
    assert [each.top for each in chart.lanes[1:]] == [each.bottom for each in chart.lanes[:-1]]


@pytest.mark.parametrize(("width", "size"), [(TABLET, (852, 462)), (PRINT, (710, 394))])
def test_a_usual_session_has_the_size_of_its_drawing(width, size):
    chart = draw(LIVE, width)
    assert (chart.width, chart.height, chart.scrolls) == (*size, False)


def test_systolic_160_lies_where_the_drawing_has_it():
    assert lane(draw(LIVE, TABLET), "bp").marks[0].x == pytest.approx(111.7, abs=0.1)
    limits = [shape for shape in lane(draw(LIVE, TABLET), "bp").plot if shape.kind == "lim"]
    assert [limit.y1 for limit in limits] == pytest.approx([131.6, 175.6], abs=0.1)


def test_a_superseded_set_is_left_to_the_table():
    assert "146" not in words(lane(draw(LIVE, TABLET), "bp").plot, "val")


def test_a_value_outside_its_limit_is_ringed_and_its_number_is_out():
    plot = lane(draw(LIVE, TABLET), "bp").plot
    assert [shape.kind for shape in plot if shape.tag == "circle"] == ["halo"]
    assert [shape.text for shape in plot if shape.tag == "text" and shape.kind == "val out"] == ["164"]


def test_paper_says_h_and_l_beside_the_number():
    low = replace(LIVE.readings[-1], spo2=91, flagged=frozenset({"spo2"}))
    chart = draw(replace(STOPPED, readings=[*LIVE.readings[:-1], low]), PRINT)
    assert "164H" in words(lane(chart, "bp").plot, "val")
    assert "91L" in words(lane(chart, "spo2").plot, "val")


def test_nothing_is_banded_where_there_is_no_limit():
    for each in draw(replace(LIVE, limits={}), TABLET).lanes[2:]:
        assert not [shape for shape in each.plot if isinstance(shape, Hatch)]
        assert not each.margin


def test_numbers_that_would_collide_step_aside_symmetrically():
    plot = lane(draw(LIVE, PHONE), "hr").plot
    last, before = (shape.x for shape in reversed(plot[-2:]))
    marks = lane(draw(LIVE, PHONE), "hr").marks[-2:]
    assert last - before == pytest.approx(23, abs=0.1)
    assert last + before == pytest.approx(marks[0].x + marks[1].x, abs=0.2)


def test_the_scale_is_fixed_until_a_value_needs_more():
    calm = lane(draw(LIVE, TABLET), "hr").marks[0].y
    racing = replace(LIVE, readings=[*LIVE.readings, ReadingPoint(at(14, 25), hr=150)])
    assert lane(draw(racing, TABLET), "hr").marks[0].y != calm
    assert lane(draw(replace(LIVE, readings=LIVE.readings[:2]), TABLET), "hr").marks[0].y == calm


def test_each_rate_stands_in_its_step():
    assert words(lane(draw(LIVE, TABLET), "rate").plot, "ratet") == ["15", "20", "25", "20"]


def test_a_pause_and_the_time_after_the_stop_are_drawn_at_0():
    paused = replace(
        STOPPED,
        segments=[(at(13, 5), at(13, 35), Decimal(15)), (at(13, 50), at(15, 35), Decimal("12.5"))],
    )
    assert words(lane(draw(paused, WIDE), "rate").plot, "ratet") == ["15", "0", "12.5", "0"]


@pytest.mark.parametrize("width", [PHONE, TABLET, WIDE])
@pytest.mark.parametrize("rate", [2, 20, 100])
@pytest.mark.parametrize("left", [1, 4, 15])
def test_the_time_of_the_planned_stop_lies_on_no_rate(width, rate, left):
    started = LIVE.now - 3 * MINUTE
    session = replace(
        LIVE,
        segments=[(started, None, Decimal(rate))],
        maximum_rate_mg_h=Decimal(100),
        planned_stop=LIVE.now + left * MINUTE,
    )
    texts = [shape for shape in lane(draw(session, width), "rate").plot if shape.tag == "text"]
    (stop,) = (text for text in texts if text.kind == "ax")
    for rate_text in (text for text in texts if text.kind != "ax"):
        beside = stop.span[1] < rate_text.span[0] or rate_text.span[1] < stop.span[0]
        assert beside or abs(stop.y - rate_text.y) >= 12


def test_the_planned_stop_is_dotted_while_it_is_planned():
    assert words(lane(draw(LIVE, TABLET), "rate").plot, "ax") == ["planned stop 15:35"]
    assert not [shape for shape in lane(draw(STOPPED, TABLET), "rate").plot if shape.kind == "plan"]


def test_a_running_session_shows_now_and_shades_what_is_to_come():
    chart = draw(LIVE, TABLET)
    assert chart.live
    assert [shape.text for shape in chart.front if shape.tag == "text"] == ["14:27"]
    (shade,) = (shape for shape in chart.ground if shape.kind == "fut")
    assert shade.x + shade.width == pytest.approx(chart.right)


def test_a_session_looked_at_later_has_no_now():
    chart = draw(STOPPED, TABLET)
    assert not chart.live
    assert chart.front == ()


def test_a_missed_set_is_a_hole_between_filled_ticks():
    kinds = [shape.kind for shape in draw(LIVE, TABLET).ground if shape.kind.startswith("due")]
    assert kinds == ["due done", "due missed", "duen", "due"]


def test_events_that_would_cover_each_other_take_another_row():
    crowd = replace(
        LIVE, events=[ChartEvent(at(14, minute), "other", "says she feels far away") for minute in range(8)]
    )
    chart = draw(crowd, TABLET)
    spans = [(shape.y, *shape.span) for shape in lane(chart, "events").plot if shape.tag == "text"]
    for y, low, high in spans:
        assert not [other for other in spans if other[0] == y and low < other[1] < high]
    assert chart.height > draw(LIVE, TABLET).height


def test_long_words_are_broken_never_cut():
    text = "chest pressure and a feeling of dying, eyes closed, answers when spoken to, wants the infusion to go on"
    plot = lane(draw(replace(LIVE, events=[ChartEvent(at(14), "adverse", text)]), PHONE), "events").plot
    assert " ".join(shape.text for shape in plot if shape.tag == "text") == text


def test_the_phone_scrolls_and_ends_soon_after_now():
    chart = draw(LIVE, PHONE)
    assert chart.scrolls
    assert words(chart.ground, "lab") == ["13:00", "14:00"]


def test_vitals_every_5_minutes_for_24_hours_stay_legible_by_scrolling():
    (chart,) = screens(every_five_minutes(288))
    assert chart.scrolls
    assert chart.screen == ""
    marks = lane(chart, "hr").marks
    numbers = [shape.x for shape in lane(chart, "hr").plot if shape.tag == "text"]
    assert max(abs(mark.x - x) for mark, x in zip(marks, numbers, strict=True)) < 40


def test_the_hour_that_happens_twice_shows_its_zone():
    zone = ZoneInfo("America/New_York")
    start = datetime(2025, 11, 2, 5, tzinfo=UTC)
    night = replace(
        LIVE, zone=zone, window_start=start, window_end=start + 180 * MINUTE, now=start + 300 * MINUTE,
        readings=[], events=[], segments=[], dues=[], started_at=None,
    )  # fmt: skip
    assert words(draw(night, WIDE).ground, "lab") == ["01:00 EDT", "01:00 EST", "02:00", "03:00"]


def test_nothing_recorded_is_left_outside_the_window():
    early = replace(LIVE, readings=[ReadingPoint(at(12, 10), 120, 70), *LIVE.readings])
    assert "120" in words(lane(draw(early, TABLET), "bp").plot, "val")
    assert lane(draw(early, TABLET), "bp").marks[0].x > TABLET.left


def test_an_empty_session_is_an_empty_chart():
    empty = replace(LIVE, readings=[], events=[], dues=[], segments=[], started_at=None, planned_stop=None)
    assert not [mark for each in draw(empty, TABLET).lanes for mark in each.marks]
    assert describe(empty) == "No vitals yet."


def test_the_sentence_names_what_was_outside_and_what_followed():
    assert describe(LIVE) == ("Blood pressure was 164/94 at 14:15, above the limit of 160, and 152/88 at 14:21.")


def test_the_sentence_says_so_when_nothing_was_outside():
    calm = replace(LIVE, readings=LIVE.readings[:3])
    assert describe(calm) == "3 sets of vitals from 12:52 to 13:35, none outside a limit."


def test_a_ring_near_the_edge_stays_in_its_lane():
    high = replace(LIVE.readings[-1], hr=120, flagged=frozenset({"hr"}))
    found = lane(draw(replace(LIVE, readings=[high]), TABLET), "hr")
    (ring,) = (shape for shape in found.plot if isinstance(shape, Circle) and shape.kind == "halo")
    assert found.top <= ring.cy - ring.r


def test_a_limit_beyond_the_fixed_scale_is_still_drawn():
    found = lane(draw(replace(LIVE, limits={"sbp": (None, 190)}), TABLET), "bp")
    (line,) = (shape for shape in found.plot if isinstance(shape, Line) and shape.kind == "lim")
    assert found.top < line.y1 < found.bottom


@pytest.mark.parametrize("width", [PHONE, TABLET, WIDE])
def test_no_number_stands_on_the_line_of_the_clock(width):
    data = replace(LIVE, now=at(14, 22))
    chart = draw(data, width)
    (line,) = [shape for shape in chart.front if shape.kind == "now"]
    for name in ("bp", "hr", "spo2", "rr", "sedation", "pain"):
        numbers = [shape for shape in lane(chart, name).plot if shape.tag == "text" and shape.kind.startswith("val")]
        assert all(number.span[1] < line.x1 for number in numbers), name

"""The chart as it stands in a page."""

import re
from dataclasses import replace

import pytest

from clinic.sessions.chart import ChartEvent, ChartInput, parts, screens, sheets
from clinic.sessions.chart_spark import small_multiples
from tests.sessions.chart_sample import LIVE, STOPPED, component, every_five_minutes, lane


@pytest.fixture
def page():
    return str(component("flowsheet").flowsheet(screens(LIVE)))


def test_each_kind_of_screen_has_its_own_drawing(page):
    assert re.findall(r'class="chs ([\w-]+)"', page) == ["for-p", "for-t", "for-d"]


def test_geometry_stands_in_attributes_and_the_look_in_classes(page):
    assert "style=" not in page
    assert "<script" not in page


def test_every_drawing_has_a_title_and_says_what_it_shows(page):
    for drawing in re.findall(r"<svg[^>]*role=\"img\".*?</svg>", page, re.DOTALL):
        assert "<title>Session flowsheet</title>" in drawing
        assert "above the limit of 160" in drawing


def test_ids_are_unique_in_the_page(page):
    ids = re.findall(r'id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)


def test_what_a_person_typed_is_escaped():
    events = [ChartEvent(LIVE.now, "other", "<b>bold</b> & more")]
    html = str(component("flowsheet").flowsheet(screens(replace(LIVE, events=events))))
    assert "<b>" not in html


def test_a_usual_page_stays_small(page):
    assert len(page) < 45_000


def test_work_grows_with_the_readings_and_no_faster():
    half, whole = (screens(every_five_minutes(sets)) for sets in (144, 288))
    assert len(half) == len(whole) == 1
    shapes = [sum(len(each.plot) for each in charts[0].lanes) for charts in (half, whole)]
    assert shapes[1] < shapes[0] * 2.1
    pages = [len(component("flowsheet").flowsheet(charts)) for charts in (half, whole)]
    assert pages[1] < pages[0] * 2.2


def test_paper_takes_a_usual_session_on_one_chart():
    (chart,) = sheets(STOPPED)
    assert "for-" not in str(component("flowsheet").flowsheet([chart]))


def test_paper_cuts_a_dense_session_into_stretches_that_follow_each_other():
    charts = sheets(every_five_minutes(288))
    assert len(charts) > 10
    times = [mark.at for chart in charts for mark in lane(chart, "hr").marks]
    assert times == sorted(times)
    assert len(times) == 288


def test_in_parts_nothing_scrolls_and_each_kind_of_screen_has_every_number():
    for data in (LIVE, every_five_minutes(288)):
        charts = parts(data)
        assert not any(chart.scrolls for chart in charts)
        for screen in ("for-p", "for-t", "for-d"):
            times = [mark.at for chart in charts if chart.screen == screen for mark in lane(chart, "hr").marks]
            assert sorted(times) == [reading.at for reading in data.shown if reading.hr is not None]


def test_a_chart_that_scrolls_leads_to_its_parts_where_there_is_no_script():
    html = str(component("flowsheet").flowsheet(screens(every_five_minutes(288)), parts_url="/parts"))
    assert '<noscript><p class="pad"><a href="/parts">' in html


def test_a_print_of_a_running_session_shows_nothing_given_after_it_was_printed():
    (chart,) = sheets(LIVE)
    plot = lane(chart, "rate").plot
    planned = next(shape for shape in plot if shape.kind == "plan")
    printed = max(shape.x + shape.width for shape in plot if shape.kind == "rate")
    assert printed < chart.right - 20
    assert planned.d.startswith(f"M{printed:.1f} ")


def test_on_paper_nothing_that_is_due_looks_done():
    ticks = [shape.kind for shape in sheets(LIVE)[0].ground]
    assert "due" in ticks
    assert "duen" not in ticks


def test_small_multiples_share_their_scales():
    gentle = replace(STOPPED, segments=STOPPED.segments[:1], maximum_rate_mg_h=None)
    both = small_multiples([("Session 1", gentle), ("Session 2", STOPPED)])
    alone = small_multiples([("Session 1", gentle)])[0]
    first, second = (next(shape for shape in spark.shapes if shape.kind == "rate") for spark in both)
    assert (first.y, first.height) == (second.y, second.height)
    assert next(shape for shape in alone.shapes if shape.kind == "rate").height > first.height


def test_a_small_multiple_says_what_it_shows():
    (spark,) = small_multiples([("Session 4", STOPPED)])
    html = str(component("spark").spark(spark, "s4"))
    assert "Highest rate 25\u00a0mg per hour, highest systolic 164, pain 7 to 4, nausea, mild." in html


def test_a_session_without_anything_still_has_its_place():
    empty = ChartInput(zone=LIVE.zone, now=LIVE.now, window_start=LIVE.window_start)
    (spark,) = small_multiples([("Session 1", empty)])
    assert spark.description == "No adverse events."


def test_a_chart_for_paper_carries_black_and_white_for_what_knows_no_style_sheet():
    html = str(component("flowsheet").flowsheet(sheets(STOPPED)))
    assert 'class="v bad" fill="none" stroke="#000"' in html
    assert "style=" not in html
    assert "stroke=" not in str(component("flowsheet").flowsheet(screens(LIVE)))

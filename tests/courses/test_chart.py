from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.core.drawing import Text
from clinic.courses.chart import BookedSession, DiaryPoint, PainInput, SessionPain, draw
from tests.sessions.chart_sample import component

LISBON = ZoneInfo("Europe/Lisbon")


def november(day, hour=13):
    return datetime(2025, 11, day, hour, tzinfo=UTC)


COURSE = PainInput(
    LISBON,
    [
        SessionPain(1, november(3), 8, 5),
        SessionPain(2, november(6), 7, 4),
        SessionPain(3, november(12), 7, 3),
        SessionPain(4, november(18), 7, 4),
    ],
    [BookedSession(5, november(20)), BookedSession(6, november(24))],
    [DiaryPoint(date(2025, 11, 4), 5)],
)


def of_kind(chart, kind):
    return [shape for shape in chart.shapes if shape.kind == kind]


def test_days_are_as_wide_as_in_the_drawing():
    assert [shape.cx for shape in of_kind(draw(COURSE), "ring")] == pytest.approx([63, 154.4, 337.1, 519.8], abs=0.1)
    assert [shape.x1 for shape in of_kind(draw(COURSE), "plan")] == pytest.approx([587.7, 709.5], abs=0.1)
    assert [shape.cx for shape in of_kind(draw(COURSE), "nt")] == pytest.approx([100.5], abs=0.1)


def test_a_score_that_was_not_asked_is_not_drawn():
    chart = draw(PainInput(LISBON, [SessionPain(1, november(3), 8, None)]))
    assert of_kind(chart, "ring")
    assert not of_kind(chart, "dot")
    assert not of_kind(chart, "ratel")


def test_two_sessions_of_one_day_stand_side_by_side():
    chart = draw(PainInput(LISBON, [SessionPain(1, november(3, 9), 8, 5), SessionPain(2, november(3, 15), 6, 5)]))
    first, second = (shape.cx for shape in of_kind(chart, "ring"))
    assert second - first > 20


def test_a_dense_course_widens_and_scrolls():
    daily = [SessionPain(number, november(1) + timedelta(days=number), 7, 4) for number in range(1, 60)]
    chart = draw(PainInput(LISBON, daily))
    assert chart.scrolls
    assert "chscroll" in str(component("pain_chart").pain_chart(chart))


def test_an_empty_course_is_an_empty_chart():
    assert draw(PainInput(LISBON)).description == "No pain scores yet."


def test_the_sentence_holds_every_pair():
    assert draw(COURSE).description == (
        "Pain before and after 4 of the sessions: 8 to 5, 7 to 4, 7 to 3, 7 to 4; 2 more booked."
    )


def test_the_page_holds_no_style_and_no_script():
    html = str(component("pain_chart").pain_chart(draw(COURSE)))
    assert "style=" not in html
    assert "<script" not in html
    assert 'role="img"' in html


SCORES = st.none() | st.integers(0, 10)


@given(st.lists(st.tuples(st.integers(0, 90), SCORES, SCORES, st.booleans()), max_size=30))
@settings(max_examples=60, deadline=None)
def test_no_words_leave_the_box_or_cover_each_other(rows):
    start = november(1)
    sessions, booked = [], []
    for number, (day, before, after, done) in enumerate(sorted(rows, key=lambda row: row[0]), 1):
        at = start + timedelta(days=day, minutes=number)
        (sessions if done else booked).append(
            SessionPain(number, at, before, after) if done else BookedSession(number, at)
        )
    chart = draw(PainInput(LISBON, sessions, booked))
    texts = [shape for shape in chart.shapes if isinstance(shape, Text)]
    for text in texts:
        assert text.span[0] >= 0
        assert text.span[1] <= chart.width
        assert text.size * 0.7 <= text.y <= chart.height
    labels = [text for text in texts if " · " in text.text]
    assert len(labels) == len(rows)
    for y in {text.y for text in labels}:
        spans = sorted(text.span for text in labels if text.y == y)
        assert all(first[1] <= second[0] for first, second in pairwise(spans))

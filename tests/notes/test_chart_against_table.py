"""The charts of a course tell what its table tells: every mark is read back and held against the numbers."""

import re
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from clinic.core import clock, db
from clinic.outcomes import operations as outcomes
from clinic.outcomes.rules import Instrument, Occasion
from clinic.sessions.pages_chart import maximum_mg_h
from tests.factories.notes import DAY, LATER
from tests.factories.sessions import START

ZERO, TEN = 104, 16
RATE_TALL = 24
PAIN_FOOT, PAIN_TOP = 150, 106
PRESSURE_FOOT, PRESSURE_TOP = 98.3, 40


class Page(HTMLParser):
    """The drawings of a page as lists of their marks, and the rows of its table as lists of words."""

    def __init__(self, markup):
        super().__init__()
        self.drawings, self.rows = {}, {}
        self._drawing, self._row, self._cell = None, None, None
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "svg" and values.get("aria-label"):
            self._drawing = self.drawings.setdefault(values["aria-label"], [])
        elif tag in {"circle", "path", "rect"} and self._drawing is not None:
            self._drawing.append((values.get("class", ""), values))
        elif tag == "tr":
            self._row = []
        elif tag in {"td", "th"} and self._row is not None:
            self._row.append("")

    def handle_endtag(self, tag):
        if tag == "svg":
            self._drawing = None
        elif tag == "tr" and self._row:
            self.rows[self._row[0]] = self._row[1:]

    def handle_data(self, data):
        if self._row and self._drawing is None:
            self._row[-1] = f"{self._row[-1]}{data}".strip()

    def marks(self, drawing, kind):
        return [values for name, values in self.drawings[drawing] if name == kind]


@pytest.fixture
def make_page(client, signing_physician, make_plain_course, give_session, nurse):
    """The page of a course with two sessions: pain 7 to 4 twice, and a diary of 6 and 5 between them."""

    def make():
        course = make_plain_course(3)
        give_session(course, 1, by=nurse)
        give_session(course, 2, later=3 * DAY, by=nurse)
        for days, score in ((1, 6), (2, 5)):
            with db.unit_of_work():
                outcomes.record_outcome(
                    course, Instrument.NRS, [score], occasion=Occasion.DIARY, answered_at=START + days * DAY,
                    by=nurse, at=START + days * DAY,
                )  # fmt: skip
        client.sign_in(signing_physician)
        with clock.standing_at(LATER + 4 * DAY):
            page = Page(client.get(f"/courses/{course.id}").get_data(as_text=True))
        version = course.order.versions[0]
        page.highest = maximum_mg_h(version.terms, version.weight_used_kg)
        return page

    return make


def score_at(mark):
    """The pain that a mark stands for, from its height alone."""
    return round((ZERO - float(mark["cy"])) / (ZERO - TEN) * 10)


def test_the_pain_chart_stands_for_the_row_of_pain(make_page):
    page = make_page()
    chart = "Pain before and after each session"
    before = [score_at(mark) for mark in page.marks(chart, "ring")]
    after = [score_at(mark) for mark in page.marks(chart, "dot")]
    drawn = [f"{one} to {other}" for one, other in zip(before, after, strict=True)]
    assert drawn == page.rows["Pain, before to after"] == ["7 to 4", "7 to 4"]


def test_the_diary_dots_stand_for_the_row_of_the_diary(make_page):
    page = make_page()
    drawn = [score_at(mark) for mark in page.marks("Pain before and after each session", "nt")]
    written = [int(found) for cell in page.rows["Diary until the next"] for found in re.findall(r": (\d+)", cell)]
    assert sorted(drawn) == sorted(written) == [5, 6]


def test_the_diary_dots_stand_on_their_days(make_page):
    page = make_page()
    chart = "Pain before and after each session"
    first, second = [float(mark["cx"]) + 7 for mark in page.marks(chart, "ring")]
    day = (second - first) / 3
    assert [round((float(mark["cx"]) - first) / day) for mark in page.marks(chart, "nt")] == [1, 2]


@pytest.mark.parametrize("number", [1, 2])
def test_the_small_multiples_stand_for_the_highest_systolic(make_page, number):
    page = make_page()
    tips = [
        float(mark["d"].split("L")[1].split()[1])
        for kind in ("v", "v bad")
        for mark in page.marks(f"Session {number}", kind)
    ]
    highest = 40 + (PRESSURE_FOOT - min(tips)) / (PRESSURE_FOOT - PRESSURE_TOP) * 140
    (row,) = [cells for label, cells in page.rows.items() if label.startswith("Systolic, highest")]
    assert abs(highest - int(re.search(r"\d+", row[number - 1])[0])) < 0.5


def test_the_small_multiples_stand_for_the_rates(make_page):
    """Drawn on one scale: the same height in each, and none above the order's highest rate."""
    page = make_page()
    heights = [[float(mark["height"]) for mark in page.marks(f"Session {n}", "rate")] for n in (1, 2)]
    (row,) = [cells for label, cells in page.rows.items() if label.startswith("Highest rate")]
    rates = [Decimal(re.search(r"[\d.]+", cell)[0]) for cell in row[:2]]
    drawn = [max(each) / RATE_TALL * float(page.highest) for each in heights]
    assert [round(rate, 1) for rate in drawn] == [float(rate) for rate in rates]


@pytest.mark.parametrize("number", [1, 2])
def test_the_small_multiples_stand_for_the_pain_before_and_after(make_page, number):
    page = make_page()
    dots = page.marks(f"Session {number}", "dot")
    ends = [round((PAIN_FOOT - float(mark["cy"])) / (PAIN_FOOT - PAIN_TOP) * 10) for mark in dots if mark["r"] == "3.5"]
    assert f"{ends[0]} to {ends[-1]}" == page.rows["Pain, before to after"][number - 1]

"""Shapes become SVG: places to a tenth, words escaped, black and white on paper."""

import pytest

from clinic.core.drawing import Circle, Hatch, Line, Path, Rect, Text, svg


@pytest.mark.parametrize(
    ("shape", "element"),
    [
        (Line("g", 1, 2.04, 3.06, 4), '<line class="g" x1="1" y1="2" x2="3.1" y2="4"/>'),
        (Rect("rate", 0.5, 1, 2.25, 3), '<rect class="rate" x="0.5" y="1" width="2.2" height="3"/>'),
        (Hatch(1, 2, 3, 4), '<rect fill="url(#hatch-flow1)" x="1" y="2" width="3" height="4"/>'),
        (Circle("dot", 1.0, 2, 4), '<circle class="dot" cx="1" cy="2" r="4"/>'),
        (Path("ln", "M0 0L1 1"), '<path class="ln" d="M0 0L1 1"/>'),
    ],
)
def test_a_shape_is_one_element(shape, element):
    assert svg([shape], "flow1") == element


def test_words_cannot_be_markup():
    assert "<b>" not in svg([Text("evt", 0, 0, "<b>rash</b> & more")], "flow1")


def test_a_text_names_its_anchor_where_it_differs_from_its_neighbours():
    text = Text("val", 5, 6, "97", "middle")
    assert svg([text], "flow1") == '<text class="val" x="5" y="6" text-anchor="middle">97</text>'
    assert svg([text], "flow1", anchor="middle") == '<text class="val" x="5" y="6">97</text>'


def test_paper_has_its_look_in_attributes_whatever_is_bad():
    drawn = svg([Path("v bad", "M0 0")], "flow1", paper=True)
    assert drawn == '<path class="v bad" fill="none" stroke="#000" stroke-width="2" d="M0 0"/>'

"""The colours of the style sheet keep the contrast that the design states, in both themes."""

import re

import pytest

from tests.structure.tree import ROOT

SHEET = (ROOT / "clinic/static/css/clinic.css").read_text(encoding="utf-8")

LIGHT = ":root {"
DARK_BY_SYSTEM = ":root:not([data-theme=light]) {"
DARK_BY_DIM = ":root[data-theme=dark] {"

# Foreground, ground, contrast in the light and in the dark theme, as the design's table of tokens has them.
PAIRS = [
    ("line2", "surface", 3.6, 4.6),
    ("ink", "surface", 16.6, 14.6),
    ("ink2", "surface", 8.6, 9.9),
    ("ink3", "surface", 6.0, 7.0),
    ("accent", "surface", 8.0, 8.6),
    ("ink", "acctint", 13.9, 11.1),
    ("onfill", "fill", 8.0, 5.4),
    ("crit", "surface", 6.9, 7.9),
    ("crit", "crittint", 5.7, 7.2),
    ("oncritfill", "critfill", 6.9, 5.0),
    ("warn", "surface", 8.1, 10.5),
    ("warn", "warntint", 7.1, 8.8),
    ("warnmark", "surface", 3.5, 7.9),
    ("ok", "surface", 7.1, 9.5),
    ("rec", "surface", 8.3, 8.4),
    ("onbezel", "bezel", 13.1, 15.1),
    ("onbezel2", "bezel", 8.0, 7.7),
    ("onalg", "alg", 13.1, 9.2),
    ("bandline", "surface", 5.9, 7.0),
    ("focus", "surface", 6.4, 9.2),
]
EDGES = {"line2", "warnmark", "bandline", "focus"}  # marks and control edges: 3 is enough, text needs 4.5
NUMBERS = {("ink", "surface"), ("ink", "acctint"), ("onbezel", "bezel"), ("onalg", "alg")}  # names and doses: 7


def tokens(selector):
    block = SHEET.split(selector, 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--([a-z0-9]+): (#[0-9A-F]{6});", block))


def luminance(colour):
    def channel(two_digits):
        part = int(two_digits, 16) / 255
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (channel(colour[place : place + 2]) for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_black_on_white_is_21_to_1():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize(("front", "ground", "light", "dark"), PAIRS)
def test_a_pair_has_the_contrast_of_the_design(front, ground, light, dark):
    for selector, stated in ((LIGHT, light), (DARK_BY_DIM, dark)):
        found = tokens(selector)
        assert contrast(found[front], found[ground]) == pytest.approx(stated, abs=0.1)


@pytest.mark.parametrize(("front", "ground", "light", "dark"), PAIRS)
def test_a_pair_can_be_read(front, ground, light, dark):
    wanted = 3 if front in EDGES else 7 if (front, ground) in NUMBERS else 4.5
    assert min(light, dark) >= wanted


def test_dim_and_a_dark_system_give_the_same_colours():
    assert tokens(DARK_BY_DIM) == tokens(DARK_BY_SYSTEM)
    assert tokens(DARK_BY_DIM).keys() == tokens(LIGHT).keys()


def test_no_rule_names_a_token_that_does_not_exist():
    known = set(re.findall(r"--([a-z0-9-]+):", SHEET))
    assert set(re.findall(r"var\(--([a-z0-9-]+)", SHEET)) <= known


def test_text_is_never_smaller_than_12_pixels():
    sizes = re.findall(r"font(?:-size)?: [^;{}]*?(\d+(?:\.\d+)?)px", SHEET)
    assert sizes
    assert min(float(size) for size in sizes) >= 12

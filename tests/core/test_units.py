from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clinic.core.units import (
    EXACT,
    BadNumber,
    Unit,
    exact,
    format_number,
    format_quantity,
    parse_decimal,
    round_half_up,
    unit_from_label,
)

MILLION = 1_000_000


def entered(text, *, places=4, minimum=-MILLION, maximum=MILLION):
    return parse_decimal(text, places=places, minimum=minimum, maximum=maximum)


@pytest.mark.parametrize(
    "text",
    [
        "nan",
        "-nan",
        "snan",
        "inf",
        "-Infinity",
        "1e2",
        "1E2",
        "1_000",
        "１２",
        "٣",
        "①",
        ".5",
        "5.",
        "-",
        "",
        " ",
        "+5",
        "9" * 400,
        "1.23456",
        "1 000",
        "1\n",
        "\t5",
        "\u00a05",
        "0x10",
        "5 mg",
        "--5",
        "1.2.3",
        "1,2,3",
        "½",
    ],
)
def test_refuses_what_no_nurse_types_on_purpose(text):
    with pytest.raises(BadNumber, match="Enter a value from"):
        entered(text)


@pytest.mark.parametrize(("text", "value"), [("36,8", "36.8"), (" 0.5 ", "0.5"), ("-3", "-3"), ("0,125", "0.125")])
def test_takes_a_point_or_a_comma(text, value):
    assert entered(text) == Decimal(value)


@pytest.mark.parametrize("text", ["1,250", "12,500", "999,000", "-1,250"])
def test_does_not_guess_between_a_decimal_and_a_thousands_comma(text):
    with pytest.raises(BadNumber, match="two ways"):
        entered(text)


def test_says_in_plain_words_what_to_enter():
    with pytest.raises(BadNumber) as refusal:
        parse_decimal("418", places=0, minimum=30, maximum=300)
    assert str(refusal.value) == "Enter a value from 30 to 300"


@pytest.mark.parametrize(
    ("text", "places", "words"),
    [("12.5", 0, "in whole numbers"), ("5.0", 0, "in whole numbers"), ("1.25", 1, "at most 1 decimal place")],
)
def test_refuses_more_places_than_the_unit_has(text, places, words):
    with pytest.raises(BadNumber, match=words):
        entered(text, places=places)


def test_minus_zero_is_zero():
    assert str(entered("-0")) == "0"


@given(st.text(max_size=12))
def test_any_text_is_a_number_within_bounds_or_refused(text):
    try:
        value = entered(text, minimum=-5, maximum=300)
    except BadNumber:
        return
    assert value.is_finite()
    assert -5 <= value <= 300


@given(st.decimals(min_value=-MILLION + 1, max_value=MILLION - 1, places=4, allow_nan=False))
def test_what_is_shown_can_be_typed_again(value):
    text = format_number(value)
    assume("," not in text)
    assert entered(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.50", "0.5"),
        ("5.0", "5"),
        ("1250", "1,250"),
        ("1E+3", "1,000"),
        ("-0.0", "0"),
        ("-3", "-3"),
        ("1E-7", "0.0000001"),
    ],
)
def test_shows_a_number_as_the_clinic_writes_it(value, text):
    assert format_number(Decimal(value)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_never_shows_a_trailing_zero_a_bare_point_or_an_exponent(value):
    text = format_number(value)
    digits = text.lstrip("-").replace(",", "")
    assert Fraction(text.replace(",", "")) == Fraction(value)
    assert digits[0] != "."
    assert digits[-1] != "."
    assert "e" not in text.lower()
    assert "." not in digits or digits[-1] != "0"
    assert digits == "0" or digits[0] != "0" or digits[1] == "."


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_refuses_to_show_what_is_no_number(value):
    with pytest.raises(ValueError, match="finite"):
        format_number(Decimal(value))


@pytest.mark.parametrize(
    ("value", "unit", "spoken", "text"),
    [
        ("0.5", Unit.MG, False, "0.5\u00a0mg"),
        ("15", Unit.MG_PER_H, False, "15\u00a0mg/h"),
        ("15", Unit.MG_PER_H, True, "15\u00a0mg per hour"),
        ("93", Unit.PERCENT, False, "93%"),
        ("4", Unit.SCORE, False, "4"),
        ("50", Unit.MCG_PER_KG_MIN, False, "50\u00a0mcg/kg/min"),
        ("1", Unit.H, True, "1\u00a0hour"),
    ],
)
def test_holds_a_number_and_its_unit_together(value, unit, spoken, text):
    assert format_quantity(Decimal(value), unit, spoken=spoken) == text


@pytest.mark.parametrize("unit", Unit)
def test_no_label_can_be_misread(unit):
    for label in (unit.short, unit.spoken):
        assert "µ" not in label
        assert "ug" not in label
        assert "cc" not in label


@pytest.mark.parametrize("unit", [unit for unit in Unit if unit.short])
def test_a_unit_is_found_by_its_label_and_by_its_code(unit):
    assert unit_from_label(unit.short) is unit
    assert unit_from_label(unit.value) is unit


def test_an_unknown_unit_is_none():
    assert unit_from_label("drops") is None


@given(st.decimals(min_value=-1000, max_value=1000, places=5), st.integers(0, 4))
def test_rounds_halves_away_from_zero(value, places):
    scale = 10**places
    half_up = (abs(Fraction(value)) * scale + Fraction(1, 2)).__floor__()
    assert abs(Fraction(round_half_up(value, places))) == Fraction(half_up, scale)


def test_a_half_that_a_quotient_fell_short_of_is_rounded_up():
    with localcontext(EXACT):
        thirty = Decimal("1.07") / 60 * 30
    assert thirty < Decimal("0.535")
    assert round_half_up(thirty, 2) == Decimal("0.54")


def test_exact_arithmetic_ignores_the_threads_own_precision():
    with localcontext(prec=3):
        assert exact(lambda: Decimal("123.456") + 1)() == Decimal("124.456")

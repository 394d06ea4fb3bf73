"""An expected figure and a computed one agree when they are the same in the precision of the file."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from clinic.cases.figures import set_beside


@pytest.mark.parametrize(
    ("text", "computed", "agrees"),
    [
        ("0.6", "0.5994", True),
        ("0.60", "0.5994", True),
        ("0.599", "0.5994", True),
        ("0.600", "0.5994", False),
        ("74.8", "74.75", True),
        ("-42.9", "-42.857", True),
        ("45", "44.5", True),
        ("45.0", "45", True),
        ("0.0", "-0.04", True),
    ],
)
def test_a_number_is_rounded_half_up_to_the_decimals_of_the_file(text, computed, agrees):
    assert set_beside(Decimal(text), text, Decimal(computed))[0] is agrees


@pytest.mark.parametrize(
    ("wanted", "computed", "agrees"),
    [
        (None, None, True),
        (None, 10, False),
        (Decimal(10), None, False),
        (True, 1, True),
        (False, 0, True),
        (True, False, False),
        ("closed home", "closed-home", True),
        ("Transfer", "transfer", True),
        ("home", "transfer", False),
        ("2026-11-03T10:00:00-05:00", datetime(2026, 11, 3, 15, tzinfo=UTC), True),
        ((Decimal(1), None), [1, None], True),
        ((Decimal(1), Decimal(2)), [1], False),
    ],
)
def test_other_values_agree_by_what_they_say(wanted, computed, agrees):
    text = ", ".join(str(one) for one in wanted) if isinstance(wanted, tuple) else str(wanted)
    assert set_beside(wanted, text, computed)[0] is agrees


def test_a_discrepancy_agrees_by_its_size():
    """Files write what is missing with either sign."""
    assert set_beside(Decimal(-5), "-5", Decimal(5), is_size=True)[0]

"""What an order comes to is worked out a second time in fractions, on random orders of every dose basis."""

import re
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.orders.arithmetic import pump_lines, total_lines
from clinic.orders.rules import DoseBasis
from clinic.protocols.terms import TermsDraft

MANY = settings(max_examples=1000)


def amounts(low, high, places=3):
    return st.decimals(low, high, places=places)


@st.composite
def orders(draw):
    """Any order whose arithmetic is whole: its basis, numbers, sometimes steps, sometimes maxima; and a weight."""
    basis = draw(st.sampled_from(DoseBasis))
    values = {
        "basis": basis,
        "concentration_mg_ml": draw(amounts("0.05", 50, 2)),
        "start_amount": draw(amounts("0.01", 90)),
        "duration_min": draw(st.integers(1, 600)),
        "sessions_planned": draw(st.none() | st.integers(1, 30)),
        "bolus_mg": draw(st.none() | amounts("0.1", 50, 1)),
        "maximum_rate": draw(amounts("0.01", 500, 2)),
        "maximum_rate_unit": draw(st.sampled_from([unit for unit in DoseBasis if not unit.is_total])),
    }
    if draw(st.booleans()):
        values["session_amounts"] = tuple(draw(st.lists(amounts("0.01", 90), min_size=1, max_size=8)))
        values["sessions_planned"] = len(values["session_amounts"])
    if not basis.is_total and draw(st.booleans()):
        values["step_amount"] = draw(amounts("0.5", 20, 2))
        values["step_every_min"] = draw(st.integers(1, 120))
        most = max(values.get("session_amounts", [values["start_amount"]]))
        values["highest_amount"] = most + draw(amounts(0, 60, 2))
    if "session_amounts" in values:
        values["start_amount"] = None
    return TermsDraft(drug_id=None, **values), draw(amounts(20, 300, 1))


def mg_h(basis, amount, kg, minutes):
    """The rate in mg per hour, by hand."""
    amount, kg = Fraction(amount), Fraction(kg)
    match basis.value:
        case "mg/kg":
            return amount * kg / minutes * 60
        case "mg":
            return amount / minutes * 60
        case "mg/kg/h":
            return amount * kg
        case "mg/h":
            return amount
        case "mcg/kg/min":
            return amount * kg / 1000 * 60


def doses(terms):
    """The dose of each session, by hand: one for all, or each its own."""
    return list(terms.session_amounts or [terms.start_amount] * (terms.sessions_planned or 1))


def sessions_said(label):
    """The numbers of the sessions that a label names; [1] where it names none."""
    named = re.search(r"sessions? (\d+)(?: to (\d+))?$", label)
    return list(range(int(named[1]), int(named[2] or named[1]) + 1)) if named else [1]


def planned(terms, dose, kg, *, is_stepped):
    """The mg of one session with this dose, minute by minute."""
    rate = mg_h(terms.basis, dose, kg, terms.duration_min)
    step = mg_h(terms.basis, terms.step_amount or 0, kg, 1) if is_stepped and terms.step_amount else 0
    highest = mg_h(terms.basis, terms.highest_amount, kg, 1) if step else rate
    given_mg = Fraction(terms.bolus_mg or 0)
    taken = Counter(minute // terms.step_every_min if step else 0 for minute in range(terms.duration_min))
    for steps, minutes in taken.items():
        given_mg += min(rate + steps * step, highest) * minutes / 60
    return given_mg


def written(value, places, unit):
    """A fraction as a clinic writes it: halves up, no zero at the end, a comma from 1,000, a no-break space."""
    digits = f"{floor(value * 10**places + Fraction(1, 2)):0{places + 1}d}"
    whole, rest = digits[:-places], digits[-places:].rstrip("0")
    return f"{int(whole):,}{'.' + rest if rest else ''}\u00a0{unit}"


@MANY
@given(orders())
def test_every_rate_is_what_a_second_computation_gives(made):
    terms, kg = made
    bounds = {
        "Highest rate": (terms.basis, terms.highest_amount),
        "Maximum rate": (terms.maximum_rate_unit, terms.maximum_rate),
    }
    lines = pump_lines(terms, kg)
    starts = [line for line in lines if line.label not in bounds]
    assert len(lines) == len(starts) + 1 + bool(terms.highest_amount)
    assert [n for line in starts for n in sessions_said(line.label)] == list(
        range(1, len(terms.session_amounts or [1]) + 1)
    )
    for line in lines:
        for number in sessions_said(line.label):
            basis, amount = bounds.get(line.label, (terms.basis, doses(terms)[number - 1]))
            rate = mg_h(basis, amount, kg, terms.duration_min)
            assert line.mg_h == written(rate, 2, "mg/h")
            assert line.mg_kg_h == written(rate / Fraction(kg), 3, "mg/kg/h")
            assert line.ml_h == written(rate / Fraction(terms.concentration_mg_ml), 2, "mL/h")


@MANY
@given(orders())
def test_every_total_is_what_adding_up_its_minutes_gives(made):
    terms, kg = made
    lines = dict(total_lines(terms, kg))
    each = [[planned(terms, dose, kg, is_stepped=wanted) for dose in doses(terms)] for wanted in (False, True)]
    said = {True: set(), False: set()}
    for label, text in lines.items():
        if label.startswith("In "):
            assert text.startswith(written(sum(each[1]), 2, "mg"))
            continue
        is_stepped = label.startswith("With every step")
        for number in sessions_said(label):
            assert text.startswith(written(each[is_stepped][number - 1], 2, "mg"))
            said[is_stepped].add(number)
    numbers = range(1, len(terms.session_amounts or [1]) + 1)
    assert said[False] == set(numbers)
    assert said[True] == {n for n in numbers if each[0][n - 1] != each[1][n - 1]}
    assert any(label.startswith("In ") for label in lines) is bool(terms.sessions_planned)


def test_a_plan_just_over_its_maximum_never_reads_as_the_maximum():
    terms = TermsDraft(
        drug_id=None,
        basis=DoseBasis.MG,
        start_amount=Decimal("60.001"),
        duration_min=60,
        maximum_total_mg=Decimal(60),
    )
    assert total_lines(terms, None) == [("Planned in a session", "60.001\u00a0mg of at most 60\u00a0mg")]


@pytest.mark.parametrize(
    ("basis", "how"),
    [
        (DoseBasis.MG_PER_KG_H, "0.5\u00a0mg/kg/h × 68\u00a0kg ÷ 2\u00a0mg/mL"),
        (DoseBasis.MG_PER_H, "0.5\u00a0mg/h ÷ 2\u00a0mg/mL"),
        (DoseBasis.MCG_PER_KG_MIN, "0.5\u00a0mcg/kg/min × 68\u00a0kg × 60 ÷ 1,000 ÷ 2\u00a0mg/mL"),
        (DoseBasis.MG_PER_KG, "0.5\u00a0mg/kg × 68\u00a0kg × 60 ÷ 40\u00a0min ÷ 2\u00a0mg/mL"),
        (DoseBasis.MG, "0.5\u00a0mg × 60 ÷ 40\u00a0min ÷ 2\u00a0mg/mL"),
    ],
)
def test_every_number_that_goes_in_is_shown(basis, how):
    terms = TermsDraft(
        drug_id=None, basis=basis, start_amount=Decimal("0.5"), duration_min=40, concentration_mg_ml=Decimal(2)
    )
    assert pump_lines(terms, Decimal("68.0"))[0].how == how


def test_without_a_weight_only_what_needs_none_is_worked_out():
    terms = TermsDraft(
        drug_id=None,
        basis=DoseBasis.MG_PER_KG_H,
        start_amount=Decimal("0.2"),
        duration_min=60,
        maximum_rate=Decimal(40),
        maximum_rate_unit=DoseBasis.MG_PER_H,
    )
    assert [line.label for line in pump_lines(terms, None)] == ["Maximum rate"]
    assert total_lines(terms, None) == []


@pytest.mark.parametrize(
    ("step", "said"), [("0.1", ": set 25.2\u00a0mL/h, −0.12%"), ("1", ": set 25\u00a0mL/h, −0.91%"), ("0.01", "")]
)
def test_what_the_pump_can_be_set_to_stands_beside_what_was_worked_out(step, said):
    terms = TermsDraft(
        drug_id=None,
        basis=DoseBasis.MG_PER_KG_H,
        start_amount=Decimal("0.3"),
        concentration_mg_ml=Decimal(1),
        pump_step_ml_h=Decimal(step),
    )
    assert pump_lines(terms, Decimal("84.1"))[0].how == f"0.3\u00a0mg/kg/h × 84.1\u00a0kg ÷ 1\u00a0mg/mL{said}"

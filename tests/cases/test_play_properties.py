"""Whatever a case makes the pump do within its order, the dose is the exact integral of rate over time."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.core import db
from tests.cases.playing import different, played, read

START = Decimal("10.0")
PLACES = 9

# In tenths of a minute and of a mL/h. Between a fifth and five times the start, beyond which a slip is suspected.
stretches = st.lists(
    st.tuples(st.integers(1, 900), st.integers(21, 480), st.sampled_from([0, 0, 1, 137])), min_size=1, max_size=6
)


def rows_of(stretches):
    """Rows [from, to, rate] from lengths, rates and pauses; the first runs at the order's own start."""
    at, rows = 0, []
    for number, (length, rate, pause) in enumerate(stretches):
        rows.append((at, at + length, int(START * 10) if number == 0 else rate))
        at += length + pause
    return rows


def integral_mg(rows, conc):
    return sum(Fraction(rate * (end - start), 10 * 10 * 60) for start, end, rate in rows) * Fraction(conc)


def shown(number):
    """A fraction to nine decimals, halves up."""
    scaled = (number * 10**PLACES + Fraction(1, 2)).__floor__()
    return f"{scaled // 10**PLACES}.{scaled % 10**PLACES:0{PLACES}d}"


def tenths(number):
    return f"{number // 10}.{number % 10}"


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stretches, st.sampled_from(["1.0", "0.5", "2.125"]))
def test_the_dose_is_the_exact_integral(database, stretches, conc):
    rows = rows_of(stretches)
    infusion = [[tenths(start), tenths(end), tenths(rate)] for start, end, rate in rows]
    gaps = [after[0] - before[1] for before, after in pairwise(rows)]
    case = read(
        f"""
- id: P01
  patient: {{mrn: "FX-0401", name: "Property Case", weight_kg: 60}}
  order: {{drug: "lidocaine", basis: "mg/h", start: {START * Decimal(conc)}, duration_min: 10000, conc_mg_ml: {conc},
    signed_by: "PHY-1", signed_at: "2026-05-18T07:30:00-04:00"}}
  session: {{start: "2026-05-18T09:00:00-04:00", nurse: "RN-1", second_check: "RN-2", escort: "son"}}
  infusion: {str(infusion).replace("'", "")}
  discharge: {{mpadss: [2, 2, 2, 2, 2]}}
  expect: {{dose_mg: {shown(integral_mg(rows, conc))}, pauses: {sum(gap > 0 for gap in gaps)},
    pause_min: {tenths(sum(gaps))}, status: "closed-home"}}
"""
    )
    with db.unit_of_work() as unit:
        result = played(case)
        unit.rollback()
    assert not different(result)

"""What the tests of reading share: the files beside them, and a short case whose lines and columns can be counted."""

from decimal import Decimal
from pathlib import Path

from clinic.cases.parts import Case, SessionCase
from clinic.cases.schema import read_cases, read_file

FILES = Path(__file__).parent / "files"
D = Decimal


def one_session(name: str) -> tuple[Case, SessionCase]:
    (case,) = read_file(FILES / f"{name}.yaml").cases
    (session,) = case.sessions
    return case, session


def volume(session: SessionCase) -> Decimal:
    """mL from the rates and the UTC instants, apart from any minute arithmetic of the parser."""
    seconds = [(row.end.at - row.start.at).total_seconds() for row in session.infusion]
    return sum((D(int(span)) * row.rate_ml_h for span, row in zip(seconds, session.infusion, strict=True)), D(0)) / 3600


BASE = """\
schema: infusion-cases/1
fictional: true
zone: America/New_York
obs_columns: [min, sbp, dbp]
cases:
- id: C03
  title: "short"
  patient: {mrn: "FX-1", name: "Ann Low", born: "1980-01-01", weight_kg: 50.0}
  order: {drug: "ketamine", basis: "mg/h", conc_mg_ml: 2.0}
  session: {start: "2026-10-31T20:00:00-04:00", nurse: "RN-1"}
  infusion: [[0, 10, 6.0], [15, 20, 3.0]]
  obs: [[0, 120, 80], [5, 121, 81]]
  events: [[0, "start", ""], [20, "stop", "end"]]
  discharge: {mpadss: [2, 2, 2, 2, 2]}
  expect: {run_min: 15}
"""


def base(old: str = "", new: str = "") -> str:
    assert old in BASE, "the table must name what stands in the base"
    return BASE.replace(old, new, 1)


def session_of(text: str) -> SessionCase:
    return read_cases(text).cases[0].sessions[0]

"""What is wrong with a case file is one line with its place."""

import pytest

from clinic.cases.reading import CaseFault
from clinic.cases.schema import read_cases, read_file
from tests.cases.case_files import BASE, base


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("infusion-cases/1", "infusion-cases/2", "1:9: schema: this is “infusion-cases/2”"),
        ("zone: America/New_York", "zone: Nowhere/At_All", "3:7: zone: “Nowhere/At_All” is not a time zone"),
        ("zone: America/New_York", "zone: ../../etc/passwd", "3:7: zone: “../../etc/passwd” is not a time zone"),
        ("[min, sbp, dbp]", "[hr, sbp, dbp]", "4:14: obs_columns: one column holds the time"),
        ("[min, sbp, dbp]", "[min, sbp, sbp]", "4:25: obs_columns[2]: the column “sbp” stands twice"),
        ('mrn: "FX-1", ', "", "8:12: C03.patient: mrn is missing"),
        ("weight_kg: 50.0", "weight_kg: .nan", "8:74: C03.patient.weight_kg: “.nan” is not a finite number"),
        ("weight_kg: 50.0", "weight_kg: -1", "8:74: C03.patient.weight_kg: must be more than 0"),
        ("weight_kg: 50.0", "weight_kg: heavy", "8:74: C03.patient.weight_kg: “heavy” is not a number"),
        ("weight_kg: 50.0", "weight_kg: 1e30", "8:74: C03.patient.weight_kg: “1e30” is too large"),
        ("weight_kg: 50.0", "weight_kg: [5]", "8:74: C03.patient.weight_kg: a single value is expected"),
        ('"1980-01-01"', '"1980-02-30"', "8:49: C03.patient.born: “1980-02-30” is not a date"),
        (", conc_mg_ml: 2.0", "", "11:13: C03.infusion: the order has no conc_mg_ml"),
        ('{start: "2026-10-31T20:00:00-04:00", nurse', "{nurse", "10:12: C03.session: start is missing"),
        ("T20:00:00-04:00", "T25:00:00-04:00", "10:20: C03.session.start: “2026-10-31T25:00:00-04:00” is not a time"),
        ("2026-10-31T20:00:00-04:00", "2026-11-01T01:30", "10:20: C03.session.start: “2026-11-01T01:30” comes twice"),
        (
            "2026-10-31T20:00:00-04:00",
            "2026-03-08T02:30",
            "10:20: C03.session.start: “2026-03-08T02:30” does not exist",
        ),
        ("[0, 10, 6.0]", "[10, 0, 6.0]", "11:14: C03.infusion[0]: to is before from"),
        ("[15, 20, 3.0]", "[9, 20, 3.0]", "11:28: C03.infusion[1]: from is before the end of the row above (10 min)"),
        ("[15, 20, 3.0]", "[15, 20, -3]", "11:37: C03.infusion[1][2]: a rate is not negative"),
        ("[15, 20, 3.0]", "[15]", "11:28: C03.infusion[1]: a row is [from, to, mL/h]"),
        ("[[0, 10, 6.0]", "[[soon, 10, 6.0]", "11:15: C03.infusion[0][0]: “soon” is not a date and time"),
        ("[[0, 10, 6.0]", "[[null, 10, 6.0]", "11:15: C03.infusion[0][0]: a time is missing"),
        ("[[0, 10, 6.0]", "[[0, 99999999, 6.0]", "11:18: C03.infusion[0][1]: “99999999” is more than a year"),
        ("[5, 121, 81]", "[5, 121, 81, 7]", "12:36: C03.obs[1][3]: the row has 4 columns, obs_columns has 3"),
        ("[5, 121, 81]", "[5, high, 81]", "12:27: C03.obs[1][1]: “high” is not a number"),
        ('[0, "start", ""]', "[0]", "13:12: C03.events[0]: a row is [minute, kind, text]"),
        ("[2, 2, 2, 2, 2]", "[2, 2, 2]", "14:23: C03.discharge.mpadss: has 3 items, expected 5"),
        ("[2, 2, 2, 2, 2]", "[2, 2, 3, 2, 2]", "14:30: C03.discharge.mpadss[2]: an item is 0, 1 or 2"),
        ("{run_min: 15}", "12", "15:11: C03.expect: a mapping of figures is expected"),
        ('title: "short"', "title: a\n  title: b", "8:3: cases[0]: the key “title” stands twice"),
        ('title: "short"', "title: !!python/object/apply:os.system [ls]", "7:10: the tag"),
        ('title: "short"', 'title: "sh\\0ort"', "7:10: the text holds a control character"),
        (
            'title: "short"',
            'title: "sh',
            "8:19: not YAML: expected <block end>, but found '<scalar>', in what begins at line 6",
        ),
        ("- id: C03", "- id: [", "8:3: not YAML: expected ',' or ']', but got '<scalar>', in what begins at line 6"),
        (
            "  discharge:",
            "  adverse_event: {term: x, grade: 7}\n  discharge:",
            "14:35: C03.adverse_event.grade: a grade",
        ),
        (
            "  discharge:",
            "  corrections: [{obs_min: x}]\n  discharge:",
            "14:27: C03.corrections[0].obs_min: “x” is not",
        ),
    ],
)
def test_a_fault_is_one_line_with_its_place(old, new, fault):
    with pytest.raises(CaseFault) as caught:
        read_cases(base(old, new), name="f.yaml")
    assert str(caught.value).startswith(f"f.yaml:{fault}")
    assert "\n" not in str(caught.value)


def test_rows_beside_several_sessions_are_refused():
    text = base("  session: {", "  sessions:\n  - {start: 2026-10-30T20:00:00-04:00}\n  - {")
    with pytest.raises(CaseFault, match=r":13:13: C03.infusion: rows stand inside the session they belong to"):
        read_cases(text)


def test_rows_without_a_session_are_refused():
    text = base('  session: {start: "2026-10-31T20:00:00-04:00", nurse: "RN-1"}', "  session: null")
    with pytest.raises(CaseFault, match=r":11:13: C03.infusion: session is missing"):
        read_cases(text)


def test_a_case_may_end_before_any_session():
    start = BASE.index("  session:")
    (case,) = read_cases(BASE[:start] + "  gates: [{date: 2026-07-01, appointment: noshow}]\n").cases
    assert (case.sessions, case.gates[0].appointment, case.expect) == ((), "noshow", ())


def test_a_wall_clock_time_needs_a_zone():
    text = base("zone: America/New_York\n", "").replace("T20:00:00-04:00", "T20:00:00")
    with pytest.raises(CaseFault, match=r"9:20: C03.session.start: .* has no offset, and the file names no zone"):
        read_cases(text)


def test_two_cases_do_not_share_an_id():
    twice = BASE + BASE.partition("cases:\n")[2]
    with pytest.raises(CaseFault, match=r":16:7: cases\[1\].id: the id C03 stands twice"):
        read_cases(twice)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "1:1: the file is empty"),
        (b"# nothing\n", "1:1: the file is empty"),
        (b"\x00\x01\x02", "1:1: not YAML"),
        (b"a: 1\nb: \xff\xfe", "2:4: not a text file in UTF-8"),
        (b"[" * 100_000, "1:21: nested deeper than 20 levels"),
        (b"just words", "1:1: a mapping of keys to values is expected"),
        (b"- 1", "1:1: a mapping of keys to values is expected"),
        (b"a: 1\n---\nb: 2", "2:1: not YAML"),
        (b"a: &x [*x]", "1:1: schema is missing"),
        (b'a: "\\UFFFFFFFF"', "1:1: not YAML"),
        (b"schema: infusion-cases/1\ncases: []", "2:8: cases: there are no cases"),
        (b"schema: infusion-cases/1\ncases: {}", "2:8: cases: a list is expected"),
        (b"x: *nobody", "1:4: not YAML"),
        (b"? [a]\n: b", "1:3: a key must be a single text"),
        (b"a: " + b"9" * 5_000_000, "1:1: the file is larger than 4 MB"),
    ],
)
def test_what_is_no_case_file_gets_one_line(content, fault):
    with pytest.raises(CaseFault) as caught:
        read_cases(content, name="f.yaml")
    assert str(caught.value).startswith(f"f.yaml:{fault}")


def test_aliases_cannot_exhaust_the_machine():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    with pytest.raises(CaseFault, match="too large when its aliases are written out"):
        read_cases(bomb + base("  expect:", "  extra: *a8\n  expect:"))


@pytest.mark.parametrize(
    "circle",
    ["expect: &a {x: *a}", "expect: &a {<<: *a}", "extra: &a [*a]", "adverse_event: {term: x, told: &a {y: *a}}"],
)
def test_aliases_cannot_go_round_in_a_circle(circle):
    with pytest.raises(CaseFault, match="nested deeper than 20 levels"):
        read_cases(base("  expect: {run_min: 15}", f"  {circle}"))


def test_a_file_that_is_not_there_gets_one_line(tmp_path):
    with pytest.raises(CaseFault, match="cannot be read: No such file"):
        read_file(tmp_path / "none.yaml")

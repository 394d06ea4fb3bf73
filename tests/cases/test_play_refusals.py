"""What the system refuses is told with its place, and counts, unless the case expects it."""

from tests.cases.playing import case_of, different, played, read

CASE = """
- id: R01
  patient: {{mrn: "FX-0301", name: "Rhea Oldham", sex: "female", born: "1990-05-05", weight_kg: 60, allergies: []}}
  order: {{drug: "lidocaine", basis: "mg/h", start: 60, step: 0, max: 60, duration_min: 60, max_total_mg: 90,
    max_rate_mg_h: 80, conc_mg_ml: 4.0, prn: ["ondansetron 4 mg IV once"], signed_by: "PHY-1",
    signed_at: "2026-05-18T07:30:00-04:00"}}
  session: {{no: 1, start: "2026-05-18T09:00:00-04:00", nurse: "RN-1", second_check: "{checker}", escort: "son"}}
  infusion: {infusion}
  events:
    - [10, "prn_given", "ondansetron 4 mg IV, RN-1"]
    {events}
    - [70, "stop", "planned end"]
    - [90, "discharge", "with escort"]
  expect: {{{expect}}}
"""


def of(*, checker="RN-2", infusion="[[0, 60, 15.0]]", events="", expect="run_min: 60"):
    return read(CASE.format(checker=checker, infusion=infusion, events=events, expect=expect))


def test_the_case_itself_agrees(database):
    assert not different(played(of()))


def test_a_rate_over_the_orders_maximum_is_refused_with_its_place(database):
    result = played(of(infusion="[[0, 20, 15.0], [20, 60, 20.5]]"))
    assert not result.agrees
    (refusal,) = [one for one in result.refusals if one.what == "rate change"]
    assert "R01.infusion[1]" in refusal.place
    assert "maximum" in refusal.message


def test_what_was_refused_did_not_happen(database):
    """The pump goes on at the rate before: the figure follows from the record, not from the file."""
    result = played(of(infusion="[[0, 20, 15.0], [20, 60, 20.5]]", expect="volume_ml: 15.0, max_rate_mg_h: 60"))
    assert all(figure.agrees for figure in result.figures)


def test_a_dose_more_than_the_order_allows_is_refused(database):
    result = played(of(events='- [20, "prn_given", "ondansetron 4 mg IV, RN-1"]'))
    assert [refusal.what for refusal in result.refusals] == ["prn_given"]
    assert not result.agrees


def test_the_second_person_is_never_the_first(database):
    """Where the file names the nurse twice, another person checks, and the report says that it was filled in."""
    result = played(of(checker="RN-1", expect="double_checks: 1"))
    assert not different(result)


def test_a_refused_start_agrees_when_the_case_expects_it(database):
    result = played(of(infusion="[[0, 60, 125.0]]", expect='dose_mg: 0, started: false, status: "not-done"'))
    assert result.refusals
    assert result.agrees


def test_a_refused_start_differs_when_the_case_does_not_expect_it(database):
    result = played(of(infusion="[[0, 60, 125.0]]", expect="dose_mg: 500"))
    assert not result.agrees


def test_a_stop_that_is_resumed_was_a_pause(database):
    events = '- [20, "stop", "numb lips"]\n    - [30, "resume", "10.0 mL/h, check RN-2"]'
    result = played(of(infusion="[[0, 20, 15.0], [30, 60, 10.0]]", events=events, expect="run_min: 50, pause_min: 10"))
    assert not different(result)


def test_an_order_spoken_shortly_before_stands_behind_the_change(database):
    events = '- [19, "verbal_order", "18 mL/h, read back, PHY-1"]\n    - [20, "rate_change", "18 mL/h, check RN-2"]'
    expect = "verbal_orders: 1, unsigned_verbal_orders: 1, max_rate_mg_h: 72"
    result = played(of(infusion="[[0, 20, 15.0], [20, 60, 18.0]]", events=events, expect=expect))
    assert not different(result)


def test_nothing_is_supplied_where_the_file_says_everything(database):
    assert played(case_of("C01")).supplied == ()

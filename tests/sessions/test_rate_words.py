"""A rate in all three units, by the table that the browser's arithmetic shares (tests/browser/test_rates_script.py)."""

import json
from decimal import Decimal

import pytest
from werkzeug.datastructures import MultiDict

from clinic.core.units import NO_BREAK_SPACE
from clinic.protocols.rules import DoseBasis
from clinic.sessions.forms_acts import RateForm, number
from clinic.sessions.pages_rate import rate_words
from clinic.sessions.progress import planned_stop, pump
from tests.factories.sessions import minute
from tests.structure.tree import ROOT

CASES = json.loads((ROOT / "tests/shared/rate_cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['typed']} of {case['concentration'] or 'unknown'}")
def test_the_server_says_what_the_table_says(app, case):
    with app.test_request_context():
        typed = number(RateForm(MultiDict({"rate_ml_h": case["typed"]})).rate_ml_h)
    if case["said"] is None:
        assert typed is None
        return
    bag, kg = (Decimal(case[name]) if case[name] else None for name in ("concentration", "weight"))
    said = rate_words(typed, concentration_mg_ml=bag, weight_kg=kg)
    words = [text.replace(NO_BREAK_SPACE, " ") for text in (said.mg_h, said.ml_h, said.mg_kg_h)]
    assert dict(zip(("mg", "ml", "kg"), words, strict=True)) == case["said"]


def test_no_case_stands_twice():
    asked = [(case["typed"], case["concentration"], case["weight"]) for case in CASES]
    assert len(asked) == len(set(asked)) >= 30


def test_without_script_the_answer_says_what_was_typed(nurses_browser, make_running):
    running = make_running()
    refused = nurses_browser.post(f"/sessions/{running.id}/rate", data={"rate_ml_h": "12.5"}).get_data(as_text=True)
    assert '<b data-read="mg">12.5\u00a0mg/h</b>' in refused
    assert 'data-read="kg">0.184\u00a0mg/kg/h</b>' in refused
    lowered = {"rate_ml_h": "12.5", "reason": "Sleepy"}
    there = nurses_browser.post(f"/sessions/{running.id}/rate", data=lowered).location
    shown = nurses_browser.get(there).get_data(as_text=True)
    assert "Rate recorded: 12.5\u00a0mg/h = 12.5\u00a0mL/h = 0.184\u00a0mg/kg/h." in shown


def test_each_step_says_when_the_plan_would_end(nurses_browser, make_running):
    shown = nurses_browser.get(f"/sessions/{make_running().id}/rate").get_data(as_text=True)
    assert shown.count(', unchanged"') == shown.count("data-stop=") > 1


def test_a_lower_rate_puts_the_end_of_a_total_off(make_running):
    total = {"basis": DoseBasis.MG, "start_amount": Decimal(45), "duration_min": 40, "maximum_total_mg": Decimal(50)}
    unstepped = dict.fromkeys(("step_amount", "step_every_min", "highest_amount", "maximum_rate", "maximum_rate_unit"))
    infusion, now = make_running(rate="67.5", **total, **unstepped), minute(20)
    assert planned_stop(infusion, pump(infusion, now), now) == minute(40)
    assert planned_stop(infusion, pump(infusion, now), now, rate_ml_h=Decimal(30)) == minute(65)

"""Every component draws from plain values, passes the audit of pages, and answers nothing for the person."""

import re
from datetime import UTC, date, datetime

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from wtforms import BooleanField, Form, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined] # the stubs are older than the class
from wtforms.validators import InputRequired

from clinic.core.formats import FILTERS
from tests.client import audit
from tests.structure.tree import ROOT, TEMPLATES

NOW = datetime(2025, 11, 18, 14, 27, tzinfo=UTC)
ROSA = {
    "id": "p1",
    "family_name": "Almeida",
    "given_name": "Rosa",
    "born_on": date(1968, 3, 14),
    "sex": "F",
    "mrn": "0042 1788",
}
CASES = {
    "board": {
        "lanes": [
            {
                "chair": "3",
                "nurse": "M. Reyes",
                "blocks": [
                    {
                        "slot": 56,
                        "width": 41,
                        "look": "run",
                        "href": "/s",
                        "name": "ALMEIDA, Rosa",
                        "detail": "ketamine 4 of 6",
                        "state": "infusing",
                        "due_text": "vitals in 3 min",
                        "due_level": "warn",
                        "phases": [("ph1", 57, 4)],
                        "mark": "1968",
                    },
                    {"slot": 0, "width": 12, "look": "off", "name": "Closed", "detail": "pump service"},
                ],
            }
        ],
        "hours": [("08:00", 0)],
        "day_hours": 9,
        "now_slot": 77,
        "now_text": "14:27",
    },
    "button": {"text": "Save vitals", "kind": "pri", "icon_name": "check", "key": "V", "attrs": {"data-x": "x"}},
    "check_item": {"title": "Line in", "name": "line", "detail": "flushes well"},
    "clock": {"now": NOW},
    "diff": {
        "rows": [{"label": "Highest", "before": "25", "after": "30"}, {"label": "Start", "before": None, "after": "5"}]
    },
    "due_box": {"title": "Vitals due", "due": NOW, "text": "in 3 min", "level": "warn", "fraction": 0.8},
    "empty": {"title": "No sessions booked today"},
    "error_summary": {"errors": [("spo2", "Enter a value from 30 to 300"), (None, "This session is closed.")]},
    "form_keys": {"patient_id": "p1", "version": 3, "enter": ("act", "save")},
    "icon": {"name": "warning", "label": "late"},
    "key_values": {"pairs": [("Drug", "ketamine"), ("Weight", None)]},
    "ladder": {
        "name": "sbp",
        "label": "Systolic",
        "unit": "mmHg",
        "minimum": 30,
        "maximum": 300,
        "last": 152,
        "low": 90,
        "high": 160,
    },
    "log_table": {
        "rows": [
            {
                "at": NOW,
                "by": "MR",
                "bp": "164/94",
                "hr": "92",
                "high": ("bp",),
                "tags": [("above limit 160", "crit")],
                "late": True,
            },
            {"at": NOW, "by": "MR", "title": "Rate 25 to 20 mg/h", "struck": True, "href": "/x"},
        ]
    },
    "matrix": {
        "columns": [{"label": "1", "sub": "03-Nov"}, {"label": "2", "current": True}],
        "rows": [
            {"label": "Given", "small": "of maximum", "cells": ["49.5 mg", None]},
            {"labels": ["Rate", "BP"], "cells": [{"text": "booked", "kind": "todo"}, {"text": "164", "bad": "high"}]},
        ],
        "caption": "Sessions",
    },
    "next_list": {
        "entries": [
            {
                "level": "crit",
                "href": "/v",
                "where": "Chair",
                "place": "2",
                "name": "KIM, Jae-won",
                "what": "Vitals 4 min late",
                "detail": "were due 14:23",
            }
        ]
    },
    "note": {"title": "Not saved yet.", "text": "Systolic", "kind": "crit"},
    "one_line": {"value": "128/76 84", "misread": "84,5"},
    "patient_bar": {
        "patient": ROSA,
        "allergies": ["penicillin (rash)"],
        "allergy_state": "known",
        "now": NOW,
        "back_url": "/t",
    },
    "print_head": {"patient": ROSA, "now": NOW},
    "readback": {
        "items": [{"key": "sbp dbp", "label": "BP"}, {"key": "spo2", "label": "SpO2", "value": "93%", "bad": "low"}]
    },
    "ribbon": {"text": "Last update 14:26", "kind": "warn"},
    "section_head": {"title": "Screening", "side": "today"},
    "segmented": {"options": [("yes", "Yes"), ("no", "No")], "legend": "Consent", "name": "consent"},
    "status": {"state": "infusing"},
    "strip": {
        "cells": [{"label": "Given", "value": "26 mg", "small": "of 60 mg", "fraction": 0.4}],
        "state": {"icon": "play", "label": "Infusing since 13:05", "value": "20 mg/h"},
    },
    "tabs": {"entries": [("/a", "Courses", True), ("/b", "Documents", False)]},
    "tag": {"text": "above limit 160", "kind": "crit"},
    "time_field": {"value": "14:30", "note": "now"},
    "toast": {"message": {"text": "Moved session 5", "undo_url": "/undo"}},
    "week_grid": {
        "days": [{"label": "Tue 18", "today": True, "hours": ["08", "12", "17"]}],
        "chairs": [
            {
                "label": "1",
                "cells": [
                    {
                        "bars": [("past", 30, 200)],
                        "events": [
                            {"time": "09:00", "name": "Osei", "detail": "lid 2/4", "look": "past", "href": "/e"}
                        ],
                        "href": "/book",
                    }
                ],
            }
        ],
        "minutes": 540,
    },
}
ELSEWHERE = {
    "field",  # takes a form's field, tested below
    "score_row",  # a row of a table, tested below
    "flowsheet",
    "pain_chart",
    "shapes",
    "spark",
    "trend",
}


@pytest.fixture(scope="module")
def env():
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    made.globals.update(
        csrf_token=lambda: "token", fresh_key=lambda: "a-fresh-key", url_for=lambda name, **_values: f"/{name}"
    )
    return made


def draw(env, component, /, **values):
    return str(getattr(env.get_template(f"components/{component}.html").module, component)(**values))


def checked(markup):
    return re.findall(r"\schecked|aria-pressed=\"true\"|\sselected", markup)


@pytest.mark.parametrize("name", CASES)
def test_a_component_draws_a_sound_fragment(env, name):
    markup = draw(env, name, **CASES[name])
    assert not re.search(r"\sstyle=|<script|<style|\son[a-z]+=", markup)
    assert "None" not in markup
    assert not [fault for fault in audit(markup) if "without an action" not in fault]


@pytest.mark.parametrize("name", CASES)
def test_a_component_answers_nothing_by_itself(env, name):
    assert not checked(draw(env, name, **CASES[name]))


def test_every_component_is_drawn_here():
    files = {path.stem for path in (TEMPLATES / "components").glob("*.html")}
    assert files - ELSEWHERE == CASES.keys()


@pytest.mark.parametrize("last", [30, 31, 96, 152, 299, 300])
def test_a_ladder_marks_the_last_value_and_selects_none(env, last):
    markup = draw(env, "ladder", name="sbp", label="Systolic", minimum=30, maximum=300, last=last)
    assert f'class="cell pick last"><input type="radio" name="sbp" value="{last}">' in markup
    assert not checked(markup)
    assert len(re.findall(r'type="radio"', markup)) == 18


@pytest.mark.parametrize(("value", "outside"), [(93, True), (94, False), (100, False), (83, True)])
def test_a_ladder_hatches_what_lies_outside_the_orders_limit(env, value, outside):
    markup = draw(env, "ladder", name="spo2", label="SpO2", minimum=10, maximum=100, last=96, low=94)
    [classes] = re.findall(rf'class="([^"]*)"><input type="radio" name="spo2" value="{value}"', markup)
    assert ("oob" in classes.split()) is outside


def test_a_value_chosen_before_stays_when_the_ladder_turns_its_page(env):
    markup = draw(env, "ladder", name="sbp", label="Systolic", minimum=30, maximum=300, last=152, chosen=148, start=162)
    assert '<input type="radio" name="sbp" value="148" checked>' in markup
    assert len(checked(markup)) == 1


def test_a_ladder_without_limits_hatches_nothing(env):
    assert "oob" not in draw(env, "ladder", name="hr", label="Heart rate", minimum=10, maximum=300, last=88)


@pytest.mark.parametrize(
    ("state", "words"), [("known", "penicillin"), ("none", "No known allergies"), ("not recorded", "not recorded")]
)
def test_allergies_have_three_looks(env, state, words):
    bar = draw(env, "patient_bar", patient=ROSA, allergies=["penicillin"], allergy_state=state, now=NOW)
    assert words in bar
    assert "ALMEIDA, Rosa" in bar
    assert "14-Mar-1968 (57 y)" in bar


def test_unknown_facts_read_not_known(env):
    bar = draw(env, "patient_bar", patient={**ROSA, "born_on": None, "sex": None, "mrn": None}, now=NOW)
    assert bar.count("not known") == 4


@pytest.mark.parametrize("name", ["note", "empty", "ribbon", "section_head", "check_item"])
def test_a_component_takes_richer_content_from_a_call(env, name):
    text = (
        f'{{% from "components/{name}.html" import {name} %}}{{% call {name}("Title") %}}<b>inside</b>{{% endcall %}}'
    )
    assert "<b>inside</b>" in env.from_string(text).render()


def test_a_score_starts_empty(env):
    markup = draw(
        env, "score_row", name="bp", title="Blood pressure", options=[(2, "within 20%"), (1, "off"), (0, "far off")]
    )
    assert not checked(markup)
    assert len(re.findall('type="radio"', markup)) == 3


class Sample(Form):
    rate = StringField("Rate", [InputRequired("Enter a rate")])
    drug = SelectField("Drug", choices=[SelectChoice("", "Choose"), SelectChoice("k", "ketamine")])
    grade = RadioField(
        "How bad", [InputRequired("Choose one")], choices=[SelectChoice("1", "Mild"), SelectChoice("2", "Severe")]
    )
    also = BooleanField("also for session 6")
    text = TextAreaField("Note")


@pytest.mark.parametrize("name", ["rate", "drug", "grade", "also", "text"])
def test_a_field_is_labelled_and_starts_empty(env, name):
    markup = draw(env, "field", field=Sample()[name], unit="mg per hour", hint="as the pump shows")
    assert not audit(markup)
    assert " checked" not in markup


@pytest.mark.parametrize("name", ["rate", "grade"])
def test_a_refused_field_says_so_beside_itself(env, name):
    form = Sample(data={})
    form.validate()
    markup = draw(env, "field", field=form[name])
    assert "err-t" in markup
    assert f'id="{name}-error"' in markup
    assert f'aria-describedby="{name}-error"' in markup


@pytest.mark.parametrize("path", sorted((ROOT / "templates/patients").glob("*.html")), ids=lambda path: path.name)
def test_enter_never_acts_on_the_first_of_several_rows(path):
    for form in re.findall(r"<form.*?</form>", path.read_text(encoding="utf-8"), re.DOTALL):
        assert "formaction" not in form or "nothing_on_enter()" in form.split("<button")[0]

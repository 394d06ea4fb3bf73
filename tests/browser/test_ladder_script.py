"""The ladder of vitals reads back what is chosen and turns its pages without losing it."""

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tests.structure.tree import ROOT, TEMPLATES

PLACE = "http://script.test"
PAGE = """<!doctype html><title>Vitals</title><form>
{% from "components/ladder.html" import ladder %}
{% from "components/readback.html" import readback %}
{% from "components/one_line.html" import one_line %}
{{ one_line() }}
<div class="lads" data-ladders><div data-trend="sbp dbp">trend</div>
{{ ladder("sbp", "Systolic", "mmHg", 30, 300, last=152, low=90, high=160, limit_by="Dr S. Okafor", jump=20) }}
{{ ladder("dbp", "Diastolic", "mmHg", 10, 200, last=88) }}</div>
{{ readback([{"key": "sbp dbp", "label": "BP"}]) }}</form>
<script type="module" src="/static/js/ladder.js"></script><script type="module" src="/static/js/oneline.js"></script>"""


@pytest.fixture
def vitals(page):
    env = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    markup = env.from_string(PAGE).render()
    page.route(f"{PLACE}/", lambda route: route.fulfill(body=markup, content_type="text/html; charset=utf-8"))
    page.route(
        f"{PLACE}/static/**",
        lambda route: route.fulfill(path=ROOT / "clinic" / route.request.url.removeprefix(f"{PLACE}/")),
    )
    page.goto(f"{PLACE}/")
    return page


def choose(page, name, value):
    page.locator(f"input[name={name}][value='{value}']").check(force=True)


def read_back(page):
    return page.locator("[data-for] b").inner_text()


def messages(page):
    return page.locator("[data-messages]").inner_text()


def test_nothing_is_chosen_before_the_nurse_chooses(vitals):
    assert vitals.locator("input:checked").count() == 0
    assert read_back(vitals) == "–"


def test_reads_back_what_is_chosen(vitals):
    choose(vitals, "sbp", 148)
    choose(vitals, "dbp", 86)
    assert read_back(vitals) == "148/86"
    assert messages(vitals) == ""


def test_says_which_limit_a_value_passes_and_who_set_it(vitals):
    choose(vitals, "sbp", 161)
    assert messages(vitals).strip() == "Systolic 161 is above the limit of 160 set by Dr S. Okafor."


def test_keeps_the_chosen_value_when_the_page_turns(vitals):
    choose(vitals, "sbp", 148)
    vitals.locator("#sbp [data-page=up]").click()
    assert vitals.locator("#sbp label:not(.kept) input").first.input_value() == "178"
    assert vitals.locator("#sbp input:checked").input_value() == "148"


def test_asks_about_an_unusual_change(vitals):
    vitals.locator("[name=sbp_typed]").fill("118")
    assert messages(vitals).strip() == "Systolic was 152, is 118?"


def test_a_typed_line_wins_over_the_ladder(vitals):
    choose(vitals, "sbp", 148)
    vitals.locator("[data-one-line]").fill("128/76")
    assert read_back(vitals) == "128/76"


def test_underlines_what_it_did_not_understand(vitals):
    vitals.locator("[data-one-line]").fill("128/76 84,5")
    assert vitals.locator("[data-parse] u").inner_text() == "84,5"


def test_on_a_phone_a_tap_leads_to_the_next_vital_and_back_to_any(vitals):
    vitals.set_viewport_size({"width": 390, "height": 844})
    vitals.reload()
    assert vitals.locator(".lad:visible").get_attribute("id") == "sbp"
    assert not vitals.get_by_role("button", name="Save vitals").is_visible()
    vitals.get_by_text("152", exact=True).last.click()
    assert vitals.locator(".lad:visible").get_attribute("id") == "dbp"
    assert vitals.locator("[data-trend]").is_visible()
    vitals.get_by_text("88", exact=True).last.click()
    assert vitals.locator(".lad:visible").count() == 0
    assert not vitals.locator("[data-trend]").is_visible()
    assert vitals.get_by_role("button", name="Save vitals").is_visible()
    vitals.get_by_role("button", name="BP").click()
    assert vitals.locator(".lad:visible input:checked").input_value() == "152"

"""The browser's arithmetic of a typed rate says what the shared table says, exactly."""

import json

from tests.structure.tree import ROOT

CASES = json.loads((ROOT / "tests/shared/rate_cases.json").read_text(encoding="utf-8"))
PLACE = "http://script.test"
SAY = """async (cases) => {
  const { together } = await import('/rates.js');
  const said = cases.map((one) => together(one.typed, { least: "0.01", most: "2000", ...one }));
  return JSON.parse(JSON.stringify(said).replaceAll('\\u00a0', ' '));
}"""


def test_the_script_says_every_rate_as_the_table_says(page):
    page.route(
        f"{PLACE}/", lambda route: route.fulfill(body="<!doctype html><title>empty</title>", content_type="text/html")
    )
    page.route(f"{PLACE}/rates.js", lambda route: route.fulfill(path=ROOT / "clinic/static/js/rates.js"))
    page.goto(f"{PLACE}/")
    assert page.evaluate(SAY, CASES) == [case["said"] for case in CASES]

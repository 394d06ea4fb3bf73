"""The browser's parser of vitals lines reads every line as the shared table says."""

import json

from tests.structure.tree import ROOT

CASES = json.loads((ROOT / "tests/shared/one_line_cases.json").read_text(encoding="utf-8"))
PLACE = "http://script.test"
READ = "async (lines) => { const { parse } = await import('/oneline.js'); return lines.map((line) => parse(line)); }"


def test_the_script_reads_every_line_as_the_table_says(page):
    page.route(
        f"{PLACE}/", lambda route: route.fulfill(body="<!doctype html><title>empty</title>", content_type="text/html")
    )
    page.route(f"{PLACE}/oneline.js", lambda route: route.fulfill(path=ROOT / "clinic/static/js/oneline.js"))
    page.goto(f"{PLACE}/")
    read = page.evaluate(READ, [case["line"] for case in CASES])
    expected = [
        {"values": case["values"]} if "values" in case else {"notUnderstood": case["not_understood"]} for case in CASES
    ]
    assert read == expected

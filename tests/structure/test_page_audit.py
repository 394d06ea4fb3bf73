"""The client that audits pages finds what it looks for."""

import pytest

from tests.client import audit

GOOD = """<!doctype html><html><head><title>Vitals – Chairtime</title></head><body><h1>Vitals</h1>
<form method="post" action="/x"><input type="hidden" name="csrf_token" value="t">
<label for="spo2">SpO₂</label><input id="spo2" name="spo2" aria-describedby="help"><p id="help">In percent
<label><input type="checkbox" name="done"> done</label><button>Record</button></form></body></html>"""


def test_a_good_page_has_no_fault():
    assert audit(GOOD) == []


@pytest.mark.parametrize(
    ("part", "instead", "fault"),
    [
        ("<h1>Vitals</h1>", "", "0 main headings"),
        ("<h1>Vitals</h1>", "<h1>Vitals</h1><h1>More</h1>", "2 main headings"),
        ("<title>Vitals", "<title>Something", "does not hold"),
        ("<h1>", '<h1 data-patient-name="Vitals, Ann">', "names the patient: Vitals"),
        ('for="spo2"', 'for="help"', "without a label: spo2"),
        ('<p id="help">', '<p id="spo2">', "stands 2 times"),
        (' aria-describedby="help"', ' aria-describedby="gone"', "missing id: gone"),
        (' action="/x"', "", "without an action"),
        ('name="csrf_token"', 'name="other"', "without its token"),
        ("<button>", '<img src="x.svg"><button>', "without alt"),
        ("</form>", "", "<form> is never closed"),
    ],
)
def test_finds_the_fault(part, instead, fault):
    assert part in GOOD
    assert any(fault in found for found in audit(GOOD.replace(part, instead)))


def test_a_fragment_needs_no_heading():
    assert audit("<p>21 of 40 minutes</p>") == []

"""Whatever is typed or forged, the bedside answers in words and never falls over."""

import uuid

import pytest

from tests.factories.pages import fresh

NASTY = (
    "\x00",
    "NaN",
    "1e9",
    "٣",
    "-1",
    "99999999999999999999",
    "x" * 5000,
    "' OR 1=1 --",
    "<b>",
    "{{ 7 }}",
    "2025-13-45",
)
FIELDS = (
    "at", "fold", "why", "reason", "detail", "term", "other", "grade", "worse", "done", "actuality", "causality",
    "serious_criterion", "item", "step", "rate_ml_h", "spoken_by_id", "spoken_text", "spoken_mode", "is_read_back",
    "double_check_id", "bolus_mg", "over_min", "concentration_mg_ml", "volume_to_infuse_ml", "action", "site",
    "gauge", "vip_score", "about", "person_id", "text", "reply", "to", "due_at", "line", "sbp", "sbp_typed", "dbp",
    "hr", "hr_typed", "rr", "spo2", "sedation", "pain", "temp", "o2_l_min", "etco2", "nausea", "dissociation",
    "note", "page", "act", "container_id", "drug_name", "quantity_mg", "witness_id", "password", "checker",
    "computed_rate_ml_h", "answer", "year_of_birth", "kg", "again", "physician_id", "contact_name", "solid_h",
    "version", "pump_volume_ml", "item_1", "line_removed", "escort_here", "exit", "override_by_id",
)  # fmt: skip
ACTS = (
    "rate", "pause", "resume", "stop", "bolus", "bag", "event", "prn", "iv", "notify", "note-row", "hand-over",
    "drug", "discharge", "vitals", "vitals/not-done", "weight", "supervising", "time-out", "order", "proposal",
    "start", "not-done",
)  # fmt: skip


@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
def test_no_forged_field_makes_a_page_fall_over(nurses_browser, make_running, observe, at_minute, value):
    infusion = make_running()
    row = observe(infusion, at_minute(10) or fresh(infusion).arrived_at, hr=70)
    forged = dict.fromkeys(FIELDS, value)
    for part in ACTS:
        answer = nurses_browser.post(f"/sessions/{infusion.id}/{part}", data=forged)
        assert answer.status_code in {303, 400, 409, 422}, part
        assert 'value="<b>"' not in answer.get_data(as_text=True)
    assert nurses_browser.post(f"/entries/{row.id}/correct", data=forged).status_code in {400, 409, 422}
    assert nurses_browser.get(f"/sessions/{infusion.id}").status_code == 200


@pytest.mark.parametrize(
    "query", ["?day=2025-99-99", "?day=0001-01-01", "?day=9999-12-31", "?view=\x00", "?day=%00&view=x"]
)
def test_no_forged_address_makes_the_board_fall_over(nurses_browser, query):
    assert nurses_browser.get(f"/today{query}").status_code in {200, 400}


@pytest.mark.parametrize("part", ["double-check", "checks", "event"])
def test_what_does_not_exist_is_not_found(nurses_browser, make_running, part):
    infusion = make_running()
    tail = "/over" if part == "event" else ""
    answer = nurses_browser.post(f"/sessions/{infusion.id}/{part}/{uuid.uuid4()}{tail}")
    assert answer.status_code in {303, 404}
    assert nurses_browser.get(f"/entries/{uuid.uuid4()}/correct").status_code == 404


def test_a_form_of_another_patient_is_refused_and_says_so(nurses_browser, make_running):
    infusion = make_running()
    answer = nurses_browser.post(
        f"/sessions/{infusion.id}/vitals", data={"patient_id": str(uuid.uuid4()), "sbp": "120", "dbp": "70"}
    )
    assert answer.status_code == 409
    assert "This form is for another patient" in answer.get_data(as_text=True)
    assert not fresh(infusion).observation_sets


@pytest.mark.parametrize("sheet", ["prn", "iv"])
def test_an_open_choice_says_what_to_do(nurses_browser, make_running, sheet):
    answer = nurses_browser.post(f"/sessions/{make_running().id}/{sheet}", data={})
    assert answer.status_code == 422
    assert "Choose one of these." in answer.get_data(as_text=True)

"""The auditor reads who did what in every record, never what was written, and changes nothing."""

from pathlib import Path

import pytest

from clinic.core.permissions import POLICY, Permission, Role, printed_policy


@pytest.fixture
def auditors_browser(client, make_staff, at_minute):
    at_minute(10)
    client.sign_in(make_staff(Role.AUDITOR))
    return client


def days(more=""):
    return f"from_on=01-Nov-2025&until_on=30-Nov-2025{more}"


def test_the_lines_of_one_record_name_no_patient_and_no_value(auditors_browser, make_running, nurse):
    patient, other = make_running().patient, make_running().patient
    page = auditors_browser.get(f"/audit/records?{days(f'&mrn={patient.mrn}')}").text
    assert nurse.name in page
    assert patient.mrn in page
    for hidden in (patient.family_name, other.mrn, "13.6"):
        assert hidden not in page


def test_the_export_is_itself_a_line(auditors_browser, make_running):
    patient = make_running().patient
    table = auditors_browser.get(f"/audit/records/table?{days()}").text
    assert patient.mrn in table
    assert patient.family_name not in table
    assert "trail exported" in auditors_browser.get(f"/audit/records?{days()}").text


def test_an_mrn_that_is_none_is_said(auditors_browser):
    refused = auditors_browser.get(f"/audit/records?{days('&mrn=nobody')}")
    assert (refused.status_code, "No record has this MRN" in refused.text) == (422, True)


def test_an_auditor_sees_accounts_and_no_button_to_change_them(auditors_browser, nurse):
    for address in ("/staff", f"/staff/{nurse.id}", f"/staff/{nurse.id}/credentials"):
        page = auditors_browser.get(address)
        assert page.status_code == 200
        assert "Disable" not in page.text.replace("Disabled", "")
        assert f'action="/staff/{nurse.id}' not in page.text
    assert auditors_browser.post(f"/staff/{nurse.id}/disable", data={"reason": "x"}).status_code == 403


def test_an_auditor_opens_no_chart(auditors_browser, make_running):
    infusion = make_running()
    addresses = (f"/patients/{infusion.patient_id}", f"/sessions/{infusion.id}", "/patients", "/drugs", "/calendar")
    assert {auditors_browser.get(address).status_code for address in addresses} == {403}


def test_the_printed_policy_is_the_one_that_decides():
    assert printed_policy() in (Path(__file__).parents[2] / "docs" / "policy.md").read_text()
    assert not {one for one in POLICY[Role.AUDITOR] if one.value.endswith((":manage", ":set", ":record", ":write"))}
    assert Permission.READ_CHART not in POLICY[Role.AUDITOR]

"""The clinic's own limits at the pump: a physician changes them, says why and signs; everybody sees who did."""

import pytest

from clinic.accounts.models import Clinic
from clinic.core import db
from clinic.core.findings import FindingLevel
from clinic.core.permissions import Role
from tests.factories.accounts import PASSWORD

ASKED = {"bolus_role": "physician", "step_level": "hard", "pump_tolerance_percent": "5"}


@pytest.fixture
def at_screen(client, signing_physician):
    client.sign_in(signing_physician)
    return client


def test_a_physician_changes_them_with_reason_and_signature(at_screen, signing_physician):
    saved = at_screen.post("/clinic/limits", data={**ASKED, "reason": "Policy of May", "password": PASSWORD})
    assert saved.status_code == 303
    clinic = db.session.get_one(Clinic, db.current_clinic_id())
    assert (clinic.bolus_role, clinic.step_level) == (Role.PHYSICIAN, FindingLevel.HARD)
    page = at_screen.get("/clinic/limits").text
    assert "Who gives a bolus: physicians alone" in page
    assert f"{signing_physician.name}: Policy of May" in page


@pytest.mark.parametrize("missing", ["reason", "password"])
def test_nothing_changes_without_reason_and_signature(at_screen, missing):
    said = {**ASKED, "reason": "Policy of May", "password": PASSWORD} | {missing: ""}
    assert at_screen.post("/clinic/limits", data=said).status_code == 422
    assert db.session.get_one(Clinic, db.current_clinic_id()).bolus_role is None

"""The clinic's own limits at the pump: a physician changes them, says why and signs; everybody sees who did."""

import pytest

from clinic.accounts.models import Clinic
from clinic.core import db
from clinic.core.findings import FindingLevel
from clinic.core.permissions import Role
from clinic.protocols.operations_limits import edition
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


def test_the_second_of_two_changes_sees_both_versions(at_screen):
    seen = edition(db.session.get_one(Clinic, db.current_clinic_id()))
    said = {"reason": "Policy of May", "password": PASSWORD, "seen": seen}
    assert at_screen.post("/clinic/limits", data={**said, **ASKED}).status_code == 303
    second = at_screen.post("/clinic/limits", data={**said, "bolus_role": "nurse"})
    assert second.status_code == 409
    assert "physicians alone" in second.text
    assert "nurses and physicians" in second.text
    assert db.session.get_one(Clinic, db.current_clinic_id()).bolus_role is Role.PHYSICIAN


def test_the_form_says_what_it_was_drawn_from(at_screen):
    assert 'name="seen"' in at_screen.get("/clinic/limits").text

"""Weights: kilograms, compared with the last one before they stand (REFERENCE 0.3)."""

from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.patients import operations, queries
from clinic.patients.rules import WeightMethod
from tests.factories.patients import ENROLLED

LATER = ENROLLED + timedelta(days=7)


@pytest.fixture
def patient(make_patient, make_weight):
    made = make_patient()
    make_weight(made, "84.9")
    return made


def test_pounds_typed_as_kilograms_are_held(patient, make_weight):
    with pytest.raises(operations.WeightHeld, match="looks like pounds"):
        make_weight(patient, "187", measured_at=LATER)
    assert queries.last_weight(patient.id).kg == Decimal("84.9")


def test_the_clinics_own_per_cent_holds_a_weight(patient, clinic, make_weight):
    clinic.weight_change_percent = 10
    db.session.flush()
    with pytest.raises(operations.WeightHeld, match="more than 10%"):
        make_weight(patient, "97", measured_at=LATER)


def test_a_clinic_without_a_per_cent_holds_only_pounds(patient, make_weight):
    assert make_weight(patient, "97", measured_at=LATER).kg == 97


def test_a_held_weight_stands_when_it_is_typed_again_with_a_reason(patient, make_weight):
    weight = make_weight(patient, "187", measured_at=LATER, confirmed=True, reason="Weighed twice.")
    assert queries.last_weight(patient.id) is weight


def test_a_confirmation_needs_its_reason(patient, make_weight):
    with pytest.raises(RuleBroken, match="why") as refusal:
        make_weight(patient, "187", measured_at=LATER, confirmed=True)
    assert refusal.value.field == "reason"


def test_a_weight_of_tomorrow_is_refused(patient, make_weight):
    with pytest.raises(RuleBroken, match="future"):
        make_weight(patient, "85", measured_at=LATER, at=ENROLLED)


def test_a_corrected_weight_takes_the_place_of_the_wrong_one(patient, nurse):
    wrong = queries.last_weight(patient.id)
    right = operations.correct_weight(
        wrong,
        Decimal("84.8"),
        method=WeightMethod.MEASURED,
        measured_at=ENROLLED,
        reason="Misread.",
        by=nurse,
        at=LATER,
    )
    assert queries.current_weights(patient.id) == [right]
    assert {row.id for row in queries.chart(patient.id).weights} == {wrong.id, right.id}


def test_two_corrections_of_one_weight_are_a_conflict(patient, nurse):
    wrong = queries.last_weight(patient.id)
    how = {"method": WeightMethod.MEASURED, "measured_at": ENROLLED, "reason": "Misread.", "by": nurse, "at": LATER}
    operations.correct_weight(wrong, Decimal(84), **how)
    with pytest.raises(Conflict):
        operations.correct_weight(wrong, Decimal(83), **how)


def test_a_dose_asks_for_a_measured_weight(patient, make_weight):
    make_weight(patient, "86", measured_at=LATER, method=WeightMethod.STATED)
    assert queries.last_weight(patient.id).kg == 86
    assert queries.last_weight(patient.id, measured_only=True).kg == Decimal("84.9")


# --- on the page -----------------------------------------------------------------------------------------------------


@pytest.fixture
def typed(frozen_clock, patient):
    return {
        "kg": "187",
        "method": "measured",
        "day": "18-Nov-2025",
        "clock": "03:30",
        "reason": "",
        "patient_id": patient.id,
    }


def test_the_page_holds_pounds_and_keeps_what_was_typed(client, nurse, patient, typed):
    client.sign_in(nurse)
    held = client.post(f"/patients/{patient.id}/weights", data=typed)
    assert held.status_code == 422
    assert "Entry held" in held.text
    assert 'value="187"' in held.text
    assert 'name="again_kg"' in held.text


def test_a_held_weight_leaves_a_line(client, nurse, patient, typed):
    client.sign_in(nurse)
    client.post(f"/patients/{patient.id}/weights", data=typed)
    line = db.session.scalar(sa.select(AuditEntry).where(AuditEntry.action == AuditAction.WEIGHT_REFUSED))
    assert (line.actor_id, line.patient_id) == (nurse.id, patient.id)
    assert "187" in line.body


def test_typed_twice_with_a_reason_it_is_saved(client, nurse, patient, typed):
    client.sign_in(nurse)
    saved = client.post(f"/patients/{patient.id}/weights", data=typed | {"again_kg": "187", "reason": "Twice."})
    assert saved.status_code == 303
    assert queries.last_weight(patient.id).kg == 187


def test_two_different_weights_are_refused(client, nurse, patient, typed):
    client.sign_in(nurse)
    refused = client.post(f"/patients/{patient.id}/weights", data=typed | {"again_kg": "178", "reason": "Twice."})
    assert refused.status_code == 422
    assert "The two weights differ" in refused.text


@pytest.mark.parametrize("kg", ["nan", "inf", "1e309", "1_000", "１２", "9" * 400, "-70", "0", "", "70 kg", "72.345"])
def test_what_is_no_weight_is_refused_at_its_field(client, nurse, patient, typed, kg):
    client.sign_in(nurse)
    refused = client.post(f"/patients/{patient.id}/weights", data=typed | {"kg": kg})
    assert refused.status_code == 422
    assert 'href="#kg"' in refused.text


def test_the_hour_that_happens_twice_is_asked_for(client, nurse, patient, typed, make_weight):
    client.sign_in(nurse)
    twice = typed | {"kg": "85", "day": "02-Nov-2025", "clock": "01:30"}
    asked = client.post(f"/patients/{patient.id}/weights", data=twice)
    assert asked.status_code == 422
    assert "the second" in asked.text
    assert client.post(f"/patients/{patient.id}/weights", data=twice | {"fold": "1"}).status_code == 303

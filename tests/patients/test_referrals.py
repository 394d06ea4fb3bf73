"""Who sent the patient here and with which diagnosis, and what a physician says to it."""

from datetime import date, timedelta

import pytest

from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.notes.inbox import inbox_count
from clinic.patients import referrals
from clinic.patients.referral_queries import current_referrals
from clinic.patients.referral_rules import ReferralDecision, codes_of
from clinic.patients.referrals import ReferralText
from tests.factories.patients import ENROLLED

LATER = ENROLLED + timedelta(hours=1)
SAID = {
    "referrer": "Dr H. Lindqvist",
    "received_on": "2025-10-20",
    "diagnosis": "CRPS of the left hand",
    "icd10_codes": "g90.5",
}


@pytest.fixture
def patient(make_patient):
    return make_patient()


@pytest.fixture
def desk(client):
    with clock.standing_at(LATER):
        yield client


@pytest.fixture
def referral(patient, nurse):
    text = ReferralText(
        referrer="Dr H. Lindqvist", received_on=date(2025, 10, 20), diagnosis="CRPS", icd10_codes=None,
        prior_treatments=None, records=None, payment=None, payer=None,
    )  # fmt: skip
    with db.unit_of_work():
        return referrals.record(patient, text, by=nurse, at=LATER, today=LATER.date())


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ("g90.5, M79.2", ("G90.5", "M79.2")),
        ("F32.A; B02.22", ("F32.A", "B02.22")),
        ("G90.5 g90.5", ("G90.5",)),
        ("", ()),
    ],
)
def test_codes_are_taken_as_typed(typed, codes):
    assert codes_of(typed) == codes


@pytest.mark.parametrize("typed", ["G9", "90.5", "G90.55555", "CRPS"])
def test_what_does_not_look_like_a_code_is_refused(typed):
    with pytest.raises(ValueError, match=typed.upper().replace(".", "[.]")):
        codes_of(typed)


def test_a_nurse_records_it_and_a_physician_accepts_it_from_the_inbox(desk, patient, nurse, signing_physician):
    desk.sign_in(nurse)
    assert desk.post(f"/patients/{patient.id}/referrals", data=SAID | {"icd10_codes": "pain"}).status_code == 422
    assert desk.post(f"/patients/{patient.id}/referrals", data=SAID).status_code == 303
    (row,) = current_referrals(patient.id)
    desk.sign_in(signing_physician)
    assert "CRPS of the left hand, G90.5" in desk.get(f"/inbox/{row.id}").text
    address = f"/patients/{patient.id}/referrals/{row.id}/decide"
    assert desk.post(address, data={"decision": "accepted"}).status_code == 303
    assert inbox_count(signing_physician, LATER) == 0
    assert "G90.5" in desk.get(f"/patients/{patient.id}").text


def test_a_decline_and_a_question_say_why(desk, patient, referral, signing_physician):
    desk.sign_in(signing_physician)
    address = f"/patients/{patient.id}/referrals/{referral.id}/decide"
    for decision, asked in (("declined", "Say why"), ("more-information", "Say what is missing")):
        refused = desk.post(address, data={"decision": decision})
        assert refused.status_code == 422
        assert asked in refused.text


def test_what_was_completed_is_decided_anew(desk, patient, referral, nurse, signing_physician):
    referrals.decide(referral, ReferralDecision.MORE_INFORMATION, "Which drugs?", by=signing_physician, at=LATER)
    assert inbox_count(signing_physician, LATER) == 0
    desk.sign_in(nurse)
    address = f"/patients/{patient.id}/referrals/{referral.id}/correct"
    assert desk.post(address, data=SAID | {"reason": "They wrote back."}).status_code == 303
    assert inbox_count(signing_physician, LATER) == 1
    assert "Which drugs?" in desk.get(f"/patients/{patient.id}/referrals").text
    with pytest.raises(RuleBroken, match="written again"):
        referrals.decide(referral, ReferralDecision.ACCEPTED, None, by=signing_physician, at=LATER)


def test_the_form_to_complete_it_brings_what_was_said(desk, patient, referral, nurse):
    desk.sign_in(nurse)
    assert 'value="Dr H. Lindqvist"' in desk.get(f"/patients/{patient.id}/referrals?at={referral.id}&correct=1").text

"""Consent on the clinic's own form: written in versions, signed on the tablet, printed as it was signed."""

from datetime import date, timedelta

import pytest

from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.patients import operations, queries
from clinic.patients.rules import is_drawing, valid_until
from tests.client import words
from tests.factories.accounts import PASSWORD
from tests.factories.patients import ENROLLED

STROKES = "M12 30L13 31L20 44M5 5L9 9"
SIGNED = {"agrees": "y", "name": "Rosa Almeida", "path": STROKES}


@pytest.fixture
def make_form(clinic, physician):
    """Writes a version of the clinic's form for ketamine, valid for 30 days."""

    def make(text="I was told the risks.", valid_days=30, **values):
        with db.unit_of_work():
            return operations.write_consent_form(
                drug_name="ketamine", text=text, valid_days=valid_days, by=physician, at=ENROLLED, **values
            )

    return make


@pytest.fixture
def tablet(client, make_staff, make_patient, make_form):
    """A nurse's browser in the hands of `tablet.patient` with the form to sign at `tablet.path`."""
    form, client.patient = make_form(), make_patient()
    with clock.standing_at(ENROLLED):
        client.sign_in(make_staff(Role.NURSE, password=PASSWORD))
        chosen = {"form_id": str(form.id)}
        client.path = client.post(f"/patients/{client.patient.id}/consents/hand-over", data=chosen).location
        yield client


def test_a_form_has_versions(client, physician, make_form):
    make_form()
    client.sign_in(physician)
    text = {"drug_name": "Ketamine", "text": "Told anew.", "valid_days": ""}
    assert client.post("/consent-forms", data=text).status_code == 303
    assert [(form.number, form.text) for form in queries.consent_forms()] == [
        (2, "Told anew."),
        (1, "I was told the risks."),
    ]
    assert client.post("/consent-forms", data=text | {"text": ""}).status_code == 422


def test_the_patient_signs_on_the_tablet(tablet):
    page = words(tablet.get(tablet.path).text)
    assert "I was told the risks." in page
    assert "1968" not in page
    done = tablet.post(tablet.path, data=SIGNED)
    assert "Your consent is saved" in tablet.get(done.location).text
    (consent,) = queries.current_consents(tablet.patient.id)
    assert (consent.signed_name, consent.signature_path, consent.form.number) == ("Rosa Almeida", STROKES, 1)
    assert consent.valid_until == consent.valid_from + timedelta(days=29)
    assert tablet.get("/patients").location == tablet.path


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"agrees": ""}, "Choose whether you agree"),
        ({"name": ""}, "Type your name"),
        ({"path": "M1 1L2 2z"}, "could not be read"),
        ({"path": '"/><script>'}, "could not be read"),
    ],
)
def test_nothing_is_signed_by_half(tablet, change, complaint):
    answer = tablet.post(tablet.path, data=SIGNED | change)
    assert answer.status_code == 422
    assert complaint in answer.text
    assert not queries.current_consents(tablet.patient.id)


def test_a_typed_name_is_enough_where_nothing_can_be_drawn(tablet):
    assert tablet.post(tablet.path, data=SIGNED | {"path": ""}).status_code == 303


def test_a_form_that_was_replaced_meanwhile_is_not_signed(tablet, make_form):
    make_form(text="Another text.")
    assert "replaced meanwhile" in tablet.post(tablet.path, data=SIGNED).text


def test_a_consent_prints_with_the_text_as_of_then(tablet, make_form):
    tablet.post(tablet.path, data=SIGNED)
    assert tablet.post("/tablet/take-back", data={"password": PASSWORD}).status_code == 303
    make_form(text="Another text.")
    (consent,) = queries.current_consents(tablet.patient.id)
    paper = tablet.get(f"/patients/{tablet.patient.id}/consents/{consent.id}/print").text
    assert "I was told the risks." in paper
    assert "Another text." not in paper
    assert STROKES in paper


def test_a_withdrawn_consent_keeps_its_signature(tablet, nurse):
    tablet.post(tablet.path, data=SIGNED)
    (consent,) = queries.current_consents(tablet.patient.id)
    with db.unit_of_work():
        withdrawn = operations.withdraw_consent(consent, reason="Changed my mind.", by=nurse, at=ENROLLED)
    assert withdrawn.signature_path == STROKES
    with pytest.raises(RuleBroken):
        operations.withdraw_consent(withdrawn, reason="Again.", by=nurse, at=ENROLLED)


def test_another_clinic_finds_no_consent(tablet, make_consent, refuses_strangers):
    consent = make_consent(tablet.patient)
    refuses_strangers(f"/patients/{tablet.patient.id}/consents/{consent.id}/print")
    refuses_strangers(tablet.path)


def test_a_validity_counts_its_first_day():
    assert valid_until(date(2025, 11, 1), 1) == date(2025, 11, 1)
    assert valid_until(date(2025, 11, 1), None) is None


@pytest.mark.parametrize("path", ["", "M1 1", "M1 1L2 2Z", "M1.5 1L2 2", "M1 1L2 2 ", "L1 1L2 2", "M1 1L٣ 2"])
def test_only_strokes_are_a_drawing(path):
    assert not is_drawing(path)
    assert is_drawing(STROKES)

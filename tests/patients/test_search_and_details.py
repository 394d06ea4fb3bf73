"""Patients are found by name, number and birth date in any order; their details change under a version."""

import base64
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Role
from clinic.patients import operations, queries
from clinic.patients.rules import Sex, search_terms
from tests.client import words
from tests.factories.patients import ENROLLED


@pytest.fixture
def three(make_patient):
    return [
        make_patient(family_name="Almeida", given_name="Rosa", mrn="0042 1788", born_on=date(1968, 3, 14)),
        make_patient(family_name="de la Cruz", given_name="Élodie", mrn="FX-0007", born_on=date(1968, 11, 3)),
        make_patient(family_name="Kim", given_name="Jae-won", mrn="0051 3306", born_on=date(1981, 9, 2)),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("alm", ["Almeida"]),
        ("ROSA alm", ["Almeida"]),
        ("alm 68", ["Almeida"]),
        ("68", ["Almeida", "de la Cruz"]),
        ("1968", ["Almeida", "de la Cruz"]),
        ("14 mar 1968", ["Almeida"]),
        ("1968-03-14", ["Almeida"]),
        ("3/14/1968 rosa", ["Almeida"]),
        ("14.3.1968", ["Almeida"]),
        ("00421788", ["Almeida"]),
        ("fx0007", ["de la Cruz"]),
        ("FX-0007", ["de la Cruz"]),
        ("cruz", ["de la Cruz"]),
        ("élodie", ["de la Cruz"]),
        ("jae-won", ["Kim"]),
        ("kim 68", []),
        ("%", []),
        ("_", []),
        ("", []),
    ],
)
def test_search_fits_every_word(three, text, found):
    assert [patient.family_name for patient in queries.search(text)] == found


def test_a_search_shows_two_identifiers(client, nurse, three):
    client.sign_in(nurse)
    page = words(client.get(client.post("/patients/search", data={"q": "alm 68"}).location).text)
    assert "ALMEIDA, Rosa" in page
    assert "14-Mar-1968" in page
    assert "0042 1788" in page
    assert "KIM" not in page


def test_no_name_that_was_looked_for_stands_in_an_address(client, nurse, make_staff, three):
    client.sign_in(nurse)
    address = client.post("/patients/search", data={"q": "Almeida"}).location
    assert "almeida" not in address.lower()
    assert base64.b64encode(b"Almeida").decode().rstrip("=") not in address
    assert client.get("/patients/search?q=Almeida").status_code == 405
    client.sign_in(make_staff(Role.NURSE))
    assert client.get(address).status_code == 404
    assert client.get(f"{address}x").status_code == 404


def test_an_empty_search_leads_to_everybody(client, nurse, three):
    client.sign_in(nurse)
    assert client.post("/patients/search", data={"q": " "}).location == "/patients"


def test_a_search_never_leaves_the_clinic(three, make_clinic, client, make_staff):
    from clinic.core import db  # noqa: PLC0415 beside its one use

    with db.in_clinic(make_clinic().id):
        assert queries.search("alm") == []


@given(st.text(max_size=60))
def test_any_text_can_be_searched_for(text):
    terms = search_terms(text)
    assert all(word == word.strip() and word for word in (*terms.names, *terms.numbers))


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1)))
def test_a_birth_date_in_letters_is_read_as_itself(born_on):
    assert search_terms(f"{born_on.day} {born_on:%b} {born_on.year}".lower()).born_on == {born_on}


def test_a_record_number_is_used_once(make_patient):
    make_patient(mrn="FX-1")
    with pytest.raises(RuleBroken) as refusal:
        make_patient(mrn=" FX-1 ")
    assert refusal.value.field == "mrn"


def test_nobody_is_born_tomorrow(make_patient):
    with pytest.raises(RuleBroken, match="future"):
        make_patient(born_on=date(2025, 11, 4))


def test_two_people_changing_one_patient_meet(make_patient, nurse):
    patient = make_patient()
    drawn = patient.version
    asked = dict.fromkeys(("phone", "language", "is_interpreter_needed", "referred_by"))
    how = asked | {"born_on": patient.born_on, "sex": Sex.FEMALE, "by": nurse, "at": ENROLLED}
    operations.change_patient(patient, family_name="Almeida", given_name="Rosana", drawn_version=drawn, **how)
    with pytest.raises(Conflict) as conflict:
        operations.change_patient(patient, family_name="Almeda", given_name="Rosa", drawn_version=drawn, **how)
    assert ("family name", "Almeda") in conflict.value.mine
    assert ("given name", "Rosana") in conflict.value.theirs


def test_the_second_to_save_sees_both_versions(client, nurse, make_patient):
    patient = make_patient()
    drawn = patient.version
    client.sign_in(nurse)
    typed = {"family_name": "Almeida", "given_name": "Rosana", "born_on": "14-Mar-1968", "sex": "female"}
    address = f"/patients/{patient.id}/details"
    assert client.post(address, data=typed | {"version": drawn}).status_code == 303
    late = client.post(address, data=typed | {"version": drawn, "given_name": "Rosie"})
    assert late.status_code == 409
    assert "Rosie" in late.text
    assert "Rosana" in late.text


@pytest.mark.parametrize(
    ("interpreter", "words_shown"),
    [("yes", "Portuguese, interpreter needed"), ("no", "no interpreter"), ("", "Portuguese")],
)
def test_language_and_referrer_stand_with_the_patients_people(client, nurse, make_patient, interpreter, words_shown):
    patient = make_patient()
    client.sign_in(nurse)
    typed = {"family_name": "Almeida", "given_name": "Rosa", "born_on": "14-Mar-1968", "sex": "female"}
    asked = {"language": "Portuguese", "is_interpreter_needed": interpreter, "referred_by": "Dr H. Lindqvist"}
    address = f"/patients/{patient.id}"
    assert client.post(f"{address}/details", data=typed | asked | {"version": patient.version}).status_code == 303
    page = words(client.get(address).text)
    assert words_shown in page.split("People")[1]
    assert "<dt>Referred by</dt><dd>Dr H. Lindqvist</dd>" in page
    assert 'value="Dr H. Lindqvist"' in client.get(f"{address}/details").text


def test_the_desk_adds_a_patient_without_a_problem(client, scheduler):
    client.sign_in(scheduler)
    assert "Treated for" not in client.get("/patients/new").text
    typed = {"mrn": "FX-9", "family_name": "Kim", "given_name": "Jo", "born_on": "2 sep 1981", "sex": "male"}
    assert client.post("/patients/new", data=typed | {"problem": "CRPS"}).status_code == 303
    assert queries.by_mrn("FX-9").problem is None


def test_a_refused_patient_keeps_what_was_typed(client, nurse, make_patient):
    make_patient(mrn="FX-9")
    client.sign_in(nurse)
    typed = {"mrn": "FX-9", "family_name": "Kim", "given_name": "Jo", "born_on": "2 sep 1981", "sex": "male"}
    refused = client.post("/patients/new", data=typed)
    assert refused.status_code == 422
    assert 'href="#mrn"' in refused.text
    assert 'value="2 sep 1981"' in refused.text

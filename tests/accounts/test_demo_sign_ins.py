import pytest

from clinic.accounts.rules import DEMO_PASSWORD
from clinic.core import db
from clinic.core.permissions import Role
from tests.factories.accounts import PASSWORD


@pytest.fixture
def lone_clinic(database, clinic, make_staff):
    make_staff(Role.NURSE, password=PASSWORD)
    return clinic


def test_the_demonstration_clinic_lists_its_sign_ins(client, lone_clinic):
    lone_clinic.is_demo = True
    db.session.flush()
    page = client.get("/login").text
    assert DEMO_PASSWORD in page
    assert "person1@clinic.example" in page


def test_a_real_clinic_lists_nobody(client, lone_clinic):
    page = client.get("/login").text
    assert lone_clinic.name in page
    assert DEMO_PASSWORD not in page
    assert "person1@clinic.example" not in page


def test_an_installation_of_several_clinics_names_none(client, lone_clinic, make_clinic):
    lone_clinic.is_demo = True
    other = make_clinic()
    page = client.get("/login").text
    assert "Chairtime" in page
    assert other.name not in page
    assert DEMO_PASSWORD not in page

"""The clinic and its cast: nurse, second_nurse, physician, scheduler, admin, and a stranger from another clinic."""

import itertools
from datetime import UTC, datetime

import pytest

from clinic.accounts import operations
from clinic.accounts.passwords import hash_password
from clinic.accounts.rules import Approver, StaffStatus
from clinic.core import db
from clinic.core.permissions import Role

FOUNDED = datetime(2025, 1, 6, 9, 0, tzinfo=UTC)
PASSWORD = "harbour lantern willow seven"


@pytest.fixture
def make_clinic(database):
    """Makes a clinic; settings are given by name. Who writes a protocol may sign it, unless said otherwise."""
    numbers = itertools.count(1)

    def make(*, zone="America/New_York", **settings):
        with db.unit_of_work():
            clinic = operations.create_clinic(f"Test clinic {next(numbers)}", zone=zone, at=FOUNDED)
            for name, value in ({"protocol_approver": Approver.ANY} | settings).items():
                setattr(clinic, name, value)
        return clinic

    return make


@pytest.fixture
def clinic(make_clinic):
    """The clinic that the test works for."""
    made = make_clinic()
    with db.in_clinic(made.id):
        yield made


@pytest.fixture
def make_staff(clinic):
    """Makes an active person with roles, who can sign in when given a password (`PASSWORD`)."""
    numbers = itertools.count(1)

    def make(*roles, given_name="Alex", family_name=None, password=None, **values):
        number = next(numbers)
        with db.unit_of_work():
            staff = operations.create_staff(
                email=f"person{number}@clinic.example",
                given_name=given_name,
                family_name=family_name or f"Person{number}",
                roles=roles,
                at=FOUNDED,
                by=None,
                **values,
            )
            staff.status = StaffStatus.ACTIVE
            staff.password_hash = hash_password(password) if password else None
        return staff

    return make


@pytest.fixture
def nurse(make_staff):
    return make_staff(Role.NURSE, given_name="Nora", family_name="Quill", credentials="RN", password=PASSWORD)


@pytest.fixture
def second_nurse(make_staff):
    return make_staff(Role.NURSE, given_name="Bela", family_name="Moss", credentials="RN")


@pytest.fixture
def physician(make_staff):
    return make_staff(Role.PHYSICIAN, given_name="Ines", family_name="Okafor", title="Dr")


@pytest.fixture
def scheduler(make_staff):
    return make_staff(Role.SCHEDULER, given_name="Sam", family_name="Reed")


@pytest.fixture
def admin(make_staff):
    return make_staff(Role.ADMIN, given_name="Ada", family_name="Holm")


@pytest.fixture
def stranger(make_clinic, make_staff):
    """A nurse and physician of another clinic, who must find nothing here."""
    with db.in_clinic(make_clinic().id):
        return make_staff(Role.NURSE, Role.PHYSICIAN, given_name="Vera", family_name="Stranger")


@pytest.fixture
def refuses_strangers(app, make_clinic, make_staff):
    """Asks for an address of this clinic as somebody of another one, and expects it not to be found.

    `refuses_strangers(f"/patients/{patient.id}")`, or with `method="POST"` and the form's values as `data`. Who asks
    holds every clinical role unless `as_roles` says otherwise, so that only the clinic stands in the way.
    """
    clinic_id = make_clinic().id

    def ask(address, *, method="GET", data=None, as_roles=(Role.NURSE, Role.PHYSICIAN, Role.SCHEDULER)):
        browser = app.test_client()
        with db.in_clinic(clinic_id):
            browser.sign_in(make_staff(*as_roles, family_name="Stranger"))
        response = browser.open(address, method=method, data=data)
        assert response.status_code == 404, f"{method} {address} answers {response.status_code} to a stranger"
        return response

    return ask

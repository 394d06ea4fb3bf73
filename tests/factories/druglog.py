"""Cabinets, vials and accounts, in the hands of the nurse."""

from datetime import date
from decimal import Decimal

import pytest

from clinic.core import db
from clinic.druglog import operations, stock_queries
from clinic.druglog.operations_receive import Delivery, Product
from tests.factories.sessions import ARRIVED, START

VIAL = Product("ketamine", "vial", Decimal(10), Decimal(20), lot="F1001", expires_on=date(2026, 11, 30))
DELIVERY = Delivery("Northgate Pharma", "INV-77", number="RN0001")


@pytest.fixture
def make_cabinet(clinic, nurse):
    """Makes a cabinet at the clinic's site."""

    def make(name="cupboard A"):
        with db.unit_of_work():
            return operations.add_cabinet(stock_queries.sites()[0], name, by=nurse, at=ARRIVED)

    return make


@pytest.fixture
def make_vials(make_cabinet, nurse):
    """Receives full vials (ketamine 200 mg per 20 mL) into a cabinet."""

    def make(pieces=1, *, cabinet=None, product=VIAL, delivery=DELIVERY, by=nurse, at=ARRIVED):
        cabinet = cabinet or stock_queries.first_cabinet() or make_cabinet()
        with db.unit_of_work():
            return operations.receive(cabinet, product, pieces, delivery, received_at=at, by=by, at=at)

    return make


@pytest.fixture
def make_account(make_patient, nurse):
    """Opens the drug account of a patient's session."""

    def make(patient=None, *, at=ARRIVED):
        with db.unit_of_work():
            return operations.open_account(patient or make_patient(), by=nurse, at=at)

    return make


@pytest.fixture
def make_drawn(make_vials, make_account, nurse):
    """An account that took a whole vial (200 mg) out: gives the account and the vial."""

    def make(vial=None, *, given=None):
        vial, account = vial or make_vials()[0], make_account()
        with db.unit_of_work():
            operations.withdraw(account, vial, Decimal(200), happened_at=START, by=nurse, at=START)
            if given is not None:
                operations.record_given(account, "ketamine", Decimal(given), happened_at=START, by=nurse, at=START)
        return account, vial

    return make

"""Orders of a patient."""

from datetime import date

import pytest

from clinic.core import db
from clinic.orders import operations
from tests.factories.accounts import PASSWORD
from tests.factories.courses import DRAFTED, SIGNED


@pytest.fixture
def make_order_version(make_patient, make_weight, make_draft, signing_physician):
    """Makes a version of an order, signed and in force unless `sign=False`.

    With `order` it is the next version of that order; `terms` changes single values of the usual terms.
    """

    def make(patient=None, draft=None, *, order=None, sign=True, weight=..., at=DRAFTED, **terms):
        patient = patient or (order.patient if order else make_patient(allergies=()))
        chosen = make_weight(patient) if weight is ... else weight
        with db.unit_of_work():
            version = operations.draft(
                patient,
                draft or make_draft(**terms),
                weight=chosen,
                valid_from=date(2025, 11, 17),
                valid_until=date(2026, 5, 31),
                sessions_allowed=6,
                change_reason="Tried and adjusted." if order else None,
                order=order,
                by=signing_physician,
                at=at,
            )
            if sign:
                operations.sign(
                    version, by=signing_physician, password=PASSWORD, at=max(at, SIGNED), reason="Discussed."
                )
        return version

    return make

"""An order may be dosed on an ideal weight: scale is compared with scale, and the dose keeps to the order."""

from datetime import date
from decimal import Decimal

import pytest

from clinic.core import db
from clinic.orders.rules import DosingWeight
from clinic.protocols.rules import CheckKind, WeightRule
from clinic.sessions import operations
from clinic.sessions.ordered_rates import start_rate_ml_h
from clinic.sessions.readiness import findings
from tests.factories.sessions import ARRIVED


@pytest.fixture
def weighed(
    make_course, make_draft, make_protocol_version, make_appointment, *, make_weight, make_patient, clinic, nurse
):
    """A session under an order written at 120 kg and dosed on an ideal 60 kg; today's weight is given."""

    def make(today_kg):
        with db.unit_of_work():
            db.session.merge(clinic).weight_change_percent = 10
        patient = make_patient(allergies=())
        draft = make_draft(weight_rule=WeightRule.IDEAL)
        course = make_course(
            patient, protocol_version=make_protocol_version(draft=draft), weight=make_weight(patient, "120"),
            dosing=DosingWeight(Decimal(60), "Devine, 166 cm", date(2025, 11, 17)),
        )  # fmt: skip
        infusion = operations.arrive(make_appointment(course), arrived_at=ARRIVED, by=nurse, at=ARRIVED)
        today = make_weight(patient, today_kg, confirmed=True, reason="Weighed twice.")
        operations.use_weight(infusion, today, by=nurse, at=ARRIVED)
        return infusion

    return make


@pytest.mark.parametrize(("today_kg", "said"), [("119", []), ("60", ["weight-looks-like-pounds", "weight-changed"])])
def test_todays_weight_is_compared_with_the_measured_one(weighed, today_kg, said):
    assert [found.code for found in findings(weighed(today_kg), CheckKind.WEIGHT, ARRIVED)] == said


def test_the_dose_keeps_to_the_weight_that_was_chosen(weighed):
    assert start_rate_ml_h(weighed("119")) == Decimal("0.2") * 60

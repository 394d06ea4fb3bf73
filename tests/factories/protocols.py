"""Drugs, terms and protocols. Every number in them is invented."""

import itertools
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from clinic.core import db
from clinic.protocols import operations, operations_review
from clinic.protocols.rules import Anchor, CheckKind, Comparator, DoseBasis, GateEffect, LimitLevel, Vital
from clinic.protocols.terms import CheckDraft, LimitDraft, PhaseDraft, PrnDraft, TermsDraft
from tests.factories.accounts import PASSWORD

WRITTEN = datetime(2025, 9, 2, 13, 0, tzinfo=UTC)


@pytest.fixture
def signing_physician(make_staff):
    """A physician who can sign with `PASSWORD`."""
    from clinic.core.permissions import Role  # noqa: PLC0415 the cast of this module alone

    return make_staff(Role.PHYSICIAN, given_name="Lena", family_name="Marsh", title="Dr", password=PASSWORD)


@pytest.fixture
def make_drug(clinic, physician):
    """Makes a line of the formulary."""

    def make(name="ketamine", *, product=None, is_controlled=True, strength_mg_ml=None):
        with db.unit_of_work():
            return operations.add_drug(
                name=name,
                product=product,
                strength_mg_ml=strength_mg_ml,
                is_controlled=is_controlled,
                by=physician,
                at=WRITTEN,
            )

    return make


@pytest.fixture
def make_draft(make_drug):
    """Makes complete terms as plain values: a stepped rate by weight, over two hours."""
    made = []

    def make(**values):
        if "drug_id" not in values:
            if not made:
                made.append(make_drug())
            values["drug_id"] = made[0].id
        chosen = {
            "basis": DoseBasis.MG_PER_KG_H,
            "concentration_mg_ml": Decimal(1),
            "start_amount": Decimal("0.2"),
            "step_amount": Decimal("0.05"),
            "step_every_min": 30,
            "highest_amount": Decimal("0.35"),
            "maximum_rate": Decimal("0.5"),
            "maximum_rate_unit": DoseBasis.MG_PER_KG_H,
            "maximum_total_mg": Decimal(60),
            "duration_min": 120,
            "sessions_planned": 6,
            "apart_min_days": 2,
            "apart_max_days": 7,
            "recheck_min": 5,
            "limits": (
                LimitDraft(LimitLevel.NOTIFY, Vital.SBP, Comparator.GT, Decimal(160)),
                LimitDraft(LimitLevel.HOLD, Vital.SPO2, Comparator.LT, Decimal(92)),
            ),
            "prn_items": (PrnDraft(drug_name="ondansetron", dose=Decimal(4), unit="mg", route="IV", maximum_count=1),),
            "phases": (
                PhaseDraft(anchor=Anchor.START, every_min=15),
                PhaseDraft(anchor=Anchor.STOP, every_min=15, for_min=30),
            ),
            "checks": (
                CheckDraft(
                    section="Patient", kind=CheckKind.IDENTITY, text="Name and birth date agree", effect=GateEffect.HARD
                ),
                CheckDraft(section="Body", kind=CheckKind.WEIGHT, text="Weighed today", effect=GateEffect.HARD),
            ),
        }
        return TermsDraft(**(chosen | values))

    return make


@pytest.fixture
def make_protocol_version(make_draft, signing_physician):
    """Makes a protocol in use; `approve=False` leaves its version a draft."""
    numbers = itertools.count(1)

    def make(name=None, draft=None, *, approve=True, at=WRITTEN):
        with db.unit_of_work():
            version = operations.create_protocol(
                name or f"KET-STEP {next(numbers)}", draft or make_draft(), by=signing_physician, at=at
            )
            if approve:
                operations_review.submit(version, by=signing_physician, at=at)
                operations_review.approve(version, by=signing_physician, password=PASSWORD, at=at)
        return version

    return make

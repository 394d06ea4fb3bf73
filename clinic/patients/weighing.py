"""Weights: kilograms, measured or stated, compared with the last one before they stand."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from clinic.accounts.models import Clinic, Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.findings import Finding
from clinic.core.rows import add_row
from clinic.patients import queries
from clinic.patients.models import Patient, Weight
from clinic.patients.rules import WeightMethod
from clinic.patients.weight_rules import check_weight


class WeightHeld(RuleBroken):
    """A weight that looks like pounds, or is too far from the last: held until it is typed again with a reason."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        said = " ".join(finding.message for finding in findings)
        super().__init__(
            f"Entry held. {said} Weigh again, then type the weight a second time with the reason.", field="kg"
        )
        self.findings = list(findings)


def record_weight(
    patient: Patient,
    kg: Decimal,
    *,
    method: WeightMethod,
    measured_at: datetime,
    by: Staff,
    at: datetime,
    confirmed: bool = False,
    reason: str | None = None,
) -> Weight:
    """Add a weight in kg, weighed at `measured_at`.

    It is compared with the last one that stands: a ratio as between pounds and kilograms, or a change beyond the
    clinic's own per cent, raises WeightHeld, unless it is `confirmed` by typing it again, with a reason
    (REFERENCE 0.3). A clinic without such a per cent compares for pounds alone.
    """
    _refuse_future(measured_at, at)
    findings = _odd(patient, kg)
    if findings and not confirmed:
        raise WeightHeld(findings)
    if findings and not reason:
        raise RuleBroken("Say why the weight is right.", field="reason")
    weight = Weight(
        patient_id=patient.id,
        kg=kg,
        method=method,
        measured_at=measured_at,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add_row(weight)
    _audit(weight, by=by, at=at, held=[finding.code for finding in findings], reason=reason)
    return weight


def correct_weight(
    weight: Weight, kg: Decimal, *, method: WeightMethod, measured_at: datetime, reason: str, by: Staff, at: datetime
) -> Weight:
    """Put a corrected weight in the place of one entered wrongly, which stays readable with the reason."""
    _refuse_future(measured_at, at)
    corrected = Weight(
        patient_id=weight.patient_id,
        kg=kg,
        method=method,
        measured_at=measured_at,
        recorded_at=at,
        recorded_by_id=by.id,
        supersedes_id=weight.id,
        correction_reason=reason,
    )
    add_row(corrected)
    _audit(corrected, by=by, at=at, was_kg=weight.kg, reason=reason)
    return corrected


def note_refused_weight(patient: Patient, kg: Decimal, held: WeightHeld, *, by: Staff, at: datetime) -> None:
    """Leave a line about a weight that was held, in a transaction of its own: the refusal itself is rolled back."""
    audit.record(
        AuditAction.WEIGHT_REFUSED,
        patient,
        actor_id=by.id,
        at=at,
        patient_id=patient.id,
        kg=kg,
        findings=[{"code": finding.code, **finding.facts} for finding in held.findings],
    )


def _odd(patient: Patient, kg: Decimal) -> list[Finding]:
    last = queries.last_weight(patient.id)
    percent = db.session.get_one(Clinic, patient.clinic_id).weight_change_percent
    return check_weight(kg, last.kg if last else None, None if percent is None else Decimal(percent))


def _refuse_future(measured_at: datetime, at: datetime) -> None:
    if measured_at > at:
        raise RuleBroken("The time of weighing is in the future.", field="measured_at")


def _audit(weight: Weight, *, by: Staff, at: datetime, **details: Any) -> None:
    audit.record(
        AuditAction.WEIGHT_RECORDED,
        weight,
        actor_id=by.id,
        at=at,
        kg=weight.kg,
        method=weight.method,
        measured_at=weight.measured_at,
        **details,
    )

"""What stands against signing an order today, gathered from the patient's record and the clinic's own limits."""

import uuid
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from clinic.accounts.models import Clinic
from clinic.core import db, times
from clinic.core.findings import Finding, FindingLevel
from clinic.core.times import date_label
from clinic.core.units import Unit, format_quantity
from clinic.orders import rules
from clinic.orders.models import OrderVersion, VerbalOrder
from clinic.orders.signing_rules import OrderFacts, StatedAnswer, findings_before_signing
from clinic.patients import queries as patients
from clinic.patients.models import Weight
from clinic.patients.rules import AllergyKind, allergy_status
from clinic.patients.weight_rules import check_weight
from clinic.protocols.models import Drug
from clinic.protocols.terms import TermsDraft, draft_of


def problems(version: OrderVersion, *, on: date | None = None, protocol: TermsDraft | None = None) -> list[Finding]:
    """What is missing or outside before `version` can be signed on a day of the clinic (REFERENCE 3.3).

    `protocol` holds the terms of the protocol version that the order was begun from.
    """
    return problems_of(
        version.order.patient_id,
        draft_of(version.terms),
        drug=version.terms.drug,
        weight=version.weight,
        dosing=version.dosing_weight,
        valid_until=version.valid_until,
        on=on,
        protocol=protocol,
    )


def problems_of(
    patient_id: uuid.UUID,
    terms_draft: TermsDraft,
    *,
    drug: Drug,
    weight: Weight | None,
    dosing: rules.DosingWeight | None = None,
    valid_until: date | None,
    on: date | None,
    protocol: TermsDraft | None = None,
) -> list[Finding]:
    """The same for terms that are still being written."""
    allergies = patients.current_allergies(patient_id)
    answers = {row.question_id: row for row in patients.current_answers(patient_id)}
    stated = [
        StatedAnswer(
            question.text,
            answers[question.id].answer if question.id in answers else None,
            is_settled=question.id in answers and bool(answers[question.id].settled_text),
            valid_until=patients.answer_valid_until(answers[question.id]) if question.id in answers else None,
        )
        for question in patients.screening_questions(drug.name)
    ]
    facts = OrderFacts(
        terms=terms_draft,
        drug_name=drug.name,
        is_drug_retired=bool(drug.is_retired),
        measured_kg=weight.kg if weight else None,
        dosing=dosing,
        weight_method=weight.method if weight else None,
        allergy_status=allergy_status(allergies),
        substances=tuple(row.substance or "" for row in allergies if row.kind is AllergyKind.KNOWN),
        answers=tuple(stated),
        valid_until=valid_until,
        on=on,
        protocol=protocol,
        beyond_protocol_level=_clinic().beyond_protocol_level or FindingLevel.SOFT,
    )
    return [*findings_before_signing(facts), *weight_moved(patient_id, terms_draft, weight)]


def weight_moved(patient_id: uuid.UUID, terms_draft: TermsDraft, weight: Weight | None) -> list[Finding]:
    """Return a soft finding when the patient's weight has changed by more than the clinic's per cent since `weight`.

    A clinic without a per cent is not asked, nor an order whose rates need no weight.
    """
    units = {terms_draft.basis, terms_draft.maximum_rate_unit}
    percent, newest = _clinic().weight_change_percent, patients.last_weight(patient_id, measured_only=True)
    if weight is None or newest is None or percent is None or not any(unit and unit.uses_weight for unit in units):
        return []
    now, then = format_quantity(newest.kg, Unit.KG), format_quantity(weight.kg, Unit.KG)
    day = date_label(clinic_day(newest.measured_at))
    return [
        Finding(
            found.code,
            FindingLevel.SOFT,
            f"Measured {now} on {day}; the order is worked out with {then}: "
            f"a change of {found.facts['change_pct']}%, more than {found.facts['limit_pct']}%.",
            found.facts,
        )
        for found in check_weight(newest.kg, weight.kg, Decimal(percent))
        if found.code == "weight-changed"
    ]


def is_signature_overdue(spoken: VerbalOrder, now: datetime) -> bool:
    """Whether a spoken order has waited for its speaker's signature longer than the clinic's own limit."""
    return rules.is_signature_overdue(spoken.spoken_at, now, _clinic().spoken_order_sign_hours)


def clinic_day(at: datetime) -> date:
    """The date on the clinic's wall at an instant."""
    return times.local(at, ZoneInfo(_clinic().zone)).date()


def _clinic() -> Clinic:
    return db.session.get_one(Clinic, db.current_clinic_id())

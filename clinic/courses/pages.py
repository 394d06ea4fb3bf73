"""What the pages about a course and its orders show."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from clinic.accounts import queries as accounts
from clinic.audit import queries as audit
from clinic.audit.queries import StatusChange
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.findings import Finding
from clinic.core.times import date_label
from clinic.core.units import Unit, format_quantity
from clinic.courses import queries
from clinic.courses.forms import OrderForm
from clinic.courses.models import Course
from clinic.courses.rules import CourseDecision, CourseStatus, status_after
from clinic.orders import operations as orders
from clinic.orders import queries as order_queries
from clinic.orders.arithmetic import PumpLine, pump_lines, total_lines
from clinic.orders.facing import is_signature_overdue
from clinic.orders.models import OrderVersion, VerbalOrder
from clinic.orders.operations_error import error_content
from clinic.orders.rules import DosingWeight, Ending, OrderStatus
from clinic.orders.signing_rules import refusals, remarks
from clinic.orders.usage import ending_of
from clinic.patients import pages as patient_pages
from clinic.patients import queries as patients
from clinic.patients.models import Patient, Weight
from clinic.protocols import queries as protocols
from clinic.protocols.comparison import NOTHING, Difference, differences
from clinic.protocols.models import Drug, ProtocolVersion
from clinic.protocols.pages import changed_count, terms_page, typed_draft
from clinic.protocols.rules import WeightRule
from clinic.protocols.terms import TermsDraft, draft_of
from clinic.protocols.terms_form import form_values
from clinic.protocols.wording import drug_text, plan_text, reading, sentence
from clinic.signatures.pages import ShownSignature, shown
from clinic.signatures.queries import signature_with
from clinic.signatures.rules import Meaning, seen_code

STATUS_LOOKS: Final = {
    CourseStatus.DRAFT: ("draft", "Draft"),
    CourseStatus.ACTIVE: ("active", "Active"),
    CourseStatus.ON_HOLD: ("held", "On hold"),
    CourseStatus.COMPLETED: ("completed", "Completed"),
    CourseStatus.REVOKED: ("discontinued", "Discontinued"),
    CourseStatus.ENTERED_IN_ERROR: ("cancelled", "Entered in error"),
}
DECISION_WORDS: Final = {
    CourseDecision.CONTINUE: "Continue unchanged",
    CourseDecision.ADJUST: "Adjust the order",
    CourseDecision.HOLD: "Put on hold",
    CourseDecision.RESUME: "Resume",
    CourseDecision.DISCONTINUE: "Discontinue",
    CourseDecision.COMPLETE: "Complete",
}

DECISION_DOES: Final = {
    CourseDecision.CONTINUE: "The order in force stands as it is.",
    CourseDecision.ADJUST: "You write the next version of the order; the one in force stands until the next is signed.",
    CourseDecision.HOLD: "The order is on hold: no session can start until the course is resumed.",
    CourseDecision.RESUME: "The order is in force again.",
    CourseDecision.DISCONTINUE: "The course ends here and its order can no longer be used.",
    CourseDecision.COMPLETE: "The course ends, its aim reached or its sessions given. Its order can no longer be used.",
}


def course_name(course: Course) -> str:
    """Return "Ketamine course 2"; the protocol's terms must be loaded."""
    drug = course.protocol_version.terms.drug.name
    return f"{drug[:1].upper()}{drug[1:]} course {course.number}"


def decisions_open(status: CourseStatus) -> list[CourseDecision]:
    """The decisions that fit how a course stands."""
    return [decision for decision in CourseDecision if status_after(decision, status) is not None]


# --- writing an order ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """What terms that are being written read as, and what stands against signing them."""

    sentence: str = ""
    pump: list[PumpLine] = field(default_factory=list)
    totals: list[tuple[str, str]] = field(default_factory=list)
    weight: str = ""
    findings: list[Finding] = field(default_factory=list)
    consent_until: date | None = None
    has_consent: bool = False

    @property
    def refusals(self) -> list[Finding]:
        """What refuses the signature."""
        return refusals(self.findings)

    @property
    def remarks(self) -> list[Finding]:
        """What is shown beside it."""
        return remarks(self.findings)

    @property
    def remarked(self) -> str:
        """What a reason that is typed now is written for."""
        return orders.remarks_code(self.findings)


def dosing_weight(patient: Patient) -> Weight | None:
    """The weight that an order is written with: the last one that was measured."""
    return patients.last_weight(patient.id, measured_only=True)


def _weight_words(weight: Weight | None, now: datetime, *, dosing: DosingWeight | None, rule: WeightRule | None) -> str:
    """The weight that went into the arithmetic, with how it was had and the day."""
    measured = ""
    if weight is not None:
        day = patient_pages.day_text(weight.measured_at, now)
        measured = f"{format_quantity(weight.kg, Unit.KG)}, {weight.method} {day}"
    if dosing is None:
        return measured
    kind = f"{rule} weight" if rule else "weight to dose on"
    typed = f"{format_quantity(dosing.kg, Unit.KG)}, {kind}: {dosing.basis}, {date_label(dosing.on)}"
    return f"{typed}; on the scale {measured}" if measured else typed


def read_terms(
    patient: Patient,
    draft: TermsDraft,
    drug: Drug,
    weight: Weight | None,
    until: date | None,
    *,
    protocol: TermsDraft,
    dosing: DosingWeight | None = None,
) -> Reading:
    """How terms read for a patient today."""
    today = orders.clinic_day(clock.now())
    consent = patients.consent_covering(patient.id, drug.name, today)
    measured: Decimal | None = weight.kg if weight else None
    kg = dosing.kg if dosing else measured
    return Reading(
        sentence=sentence(draft, drug_name=drug.name, weight_kg=kg),
        pump=pump_lines(draft, kg),
        totals=total_lines(draft, kg),
        weight=_weight_words(weight, clock.now(), dosing=dosing, rule=draft.weight_rule),
        findings=orders.problems_of(
            patient.id, draft, drug=drug, weight=weight, dosing=dosing, valid_until=until, on=today, protocol=protocol
        ),
        consent_until=consent.valid_until if consent else None,
        has_consent=consent is not None,
    )


def written_page(
    patient: Patient, form: OrderForm, reference: TermsDraft | None, *, protocol: TermsDraft, word: str
) -> dict[str, Any]:
    """Everything a page that writes an order shows beside its fields.

    Changes are marked against `reference`; the limits are those of `protocol`.
    """
    form.offer_drugs(protocols.drugs())
    now = clock.now()
    weight = dosing_weight(patient)
    draft = typed_draft(form) if form.drug_id.data else None
    drug = protocols.drug(draft.drug_id) if draft else None
    page = terms_page(form, reference, word=word)
    return {
        **page,
        "form": form,
        "patient": patient,
        "bar": patient_pages.bar(patient, now=now),
        "weight": weight,
        "weight_text": patient_pages.weight_text(weight, now) if weight else "",
        "reads": read_terms(
            patient, draft, drug, weight, form.valid_until.data, protocol=protocol, dosing=form.typed_dosing()
        )
        if draft and drug
        else None,
        "changed": changed_count(page),
        "changes": _changes(reference, draft, drug) if reference and draft and drug else [],
    }


def _changes(before: TermsDraft, after: TermsDraft, drug: Drug) -> list[Difference]:
    """What changed; the drug before is read only when it is another one."""
    was = protocols.drug(before.drug_id) if before.drug_id != drug.id else drug
    return differences(before, after, drugs=(drug_text(was) if was else NOTHING, drug_text(drug)))


def order_values(version: OrderVersion) -> dict[str, Any]:
    """What the form of an order shows for a version."""
    return {
        **form_values(draft_of(version.terms)),
        "valid_from": version.valid_from,
        "valid_until": version.valid_until,
        "change_reason": version.change_reason,
        "dosing_weight_kg": version.dosing_weight_kg,
        "dosing_weight_basis": version.dosing_weight_basis,
        "dosing_weight_on": version.dosing_weight_on,
    }


def plan_values(course: Course) -> dict[str, Any]:
    """What the form shows of the course itself."""
    return {"indication": course.indication, "goal": course.goal, "intent": str(course.intent)}


# --- reading an order ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OrderPage:
    """One version of an order in words."""

    version: OrderVersion
    sentence: str
    plan: str
    pump: list[PumpLine]
    totals: list[tuple[str, str]]
    weight: str
    groups: list[tuple[str, list[tuple[str, str]]]]
    changes: list[Difference]
    before: OrderVersion | None
    signature: ShownSignature | None
    findings: list[Finding]
    others: list[OrderVersion]
    verbal: list[tuple[VerbalOrder, str]]
    seen: str
    history: list[tuple[StatusChange, str]]
    ended: Ending | None
    error: ShownSignature | None
    weight_moved: list[Finding]

    @property
    def remarks(self) -> list[Finding]:
        """What is signed with a written reason."""
        return remarks(self.findings)


def order_page(version: OrderVersion, *, protocol: TermsDraft) -> OrderPage:
    """Gather what the page of a version shows; the number of reads does not grow with versions or rows."""
    draft = draft_of(version.terms)
    earlier = [other for other in version.order.versions if other.number < version.number]
    before = order_queries.version(earlier[-1].id) if earlier else None
    is_open = version.is_open
    today = orders.clinic_day(clock.now())
    findings = orders.problems(version, on=today, protocol=protocol) if is_open or version.is_waiting else []
    # What asked for a reason was signed with one; what refuses a signature refuses the second one, too.
    findings = refusals(findings) if version.is_waiting else findings
    moved = orders.weight_moved(version.order.patient_id, draft, version.weight)
    changes = audit.status_changes(AuditAction.ORDER_STATUS_CHANGED, version.id)
    names: dict[uuid.UUID | None, str] = {person.id: person.name for person in accounts.staff_of_clinic()}
    return OrderPage(
        version=version,
        sentence=sentence(draft, drug_name=version.terms.drug.name, weight_kg=version.weight_used_kg),
        plan=plan_text(draft),
        pump=pump_lines(draft, version.weight_used_kg),
        totals=total_lines(draft, version.weight_used_kg),
        weight=_weight_words(version.weight, clock.now(), dosing=version.dosing_weight, rule=draft.weight_rule),
        groups=reading(draft),
        changes=_changes(draft_of(before.terms), draft, version.terms.drug) if before else [],
        before=before,
        signature=shown(
            version.signature,
            orders.version_content(version),
            is_superseded=version.status is OrderStatus.SUPERSEDED,
        )
        if version.signature
        else None,
        findings=findings,
        others=[other for other in version.order.versions if other.id != version.id],
        verbal=[
            (spoken, _stands(spoken, is_signed=is_signed))
            for spoken, is_signed in order_queries.verbal_orders_of(version.order_id)
        ],
        seen=seen_code(orders.seen_content(version, findings)) if is_open else "",
        history=[(change, names.get(change.actor_id, "")) for change in changes],
        weight_moved=moved if version.is_standing else [],
        ended=ending_of(version, today),
        error=_error_signature(version),
    )


def _error_signature(version: OrderVersion) -> ShownSignature | None:
    """The signature that says that a version was entered in error."""
    if version.error is None:
        return None
    made = signature_with(version.error.id, Meaning.AUTHOR)
    return shown(made, error_content(version.error)) if made else None


def _stands(spoken: VerbalOrder, *, is_signed: bool) -> str:
    """How a spoken order stands, as a word of the component `status`."""
    if is_signed:
        return "signed"
    return "overdue" if is_signature_overdue(spoken, clock.now()) else "to_sign"


# --- on the page of a protocol ---------------------------------------------------------------------------------------


def protocol_panel(version: ProtocolVersion) -> Mapping[str, object]:
    """How many courses began with a version of a protocol, by how they stand."""
    counts = queries.begun_with(version.id)
    return {"courses": [(words, counts[status]) for status, (_, words) in STATUS_LOOKS.items() if status in counts]}


# --- on the patient's page -------------------------------------------------------------------------------------------


def patient_panel(patient: Patient, now: datetime) -> Mapping[str, object]:  # noqa: ARG001 every panel is told the time
    """The courses of a patient, the newest first."""
    return {
        "courses": [
            (
                course,
                course_name(course),
                STATUS_LOOKS[course.status],
                course.order.draft,
                course.order.current,
                course.order.waiting,
            )
            for course in queries.courses_of(patient.id)
        ]
    }


def chosen_id(text: str) -> uuid.UUID | None:
    """A key from an address, or None when it is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None

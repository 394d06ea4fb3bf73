"""Orders change here: drafted, signed, superseded, held, stopped; spoken and signed afterwards."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, NotRequired, TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.orm.attributes import flag_modified

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.findings import Finding
from clinic.core.rows import add_row
from clinic.orders.facing import clinic_day, problems, problems_of, weight_moved
from clinic.orders.models import AcknowledgedExcess, Order, OrderDraft, OrderVersion
from clinic.orders.queries import cosign_rule_for
from clinic.orders.rules import DosingWeight, OrderCosign, OrderStatus, may_become
from clinic.orders.signing_rules import refusals, remarks
from clinic.orders.spoken import sign_verbal_order, verbal_content, write_verbal_order
from clinic.patients.models import Patient, Weight
from clinic.protocols.operations import rewrite_terms
from clinic.protocols.terms import TermsDraft, content_of, make_terms
from clinic.signatures import operations as signatures
from clinic.signatures.models import Signature
from clinic.signatures.rules import Meaning, canonical, seen_code

__all__ = [
    "UNSIGNED",
    "Frame",
    "cancel",
    "clinic_day",
    "come_into_force",
    "complete",
    "draft",
    "hold",
    "problems",
    "problems_of",
    "refuse_moved_on",
    "resume",
    "revise",
    "seen_content",
    "sign",
    "sign_verbal_order",
    "stop",
    "verbal_content",
    "version_content",
    "weight_moved",
    "write_verbal_order",
]

UNSIGNED = frozenset({OrderStatus.DRAFT, OrderStatus.PENDING_SIGNATURE})


class Frame(TypedDict):
    """What a version says besides its terms."""

    weight: Weight | None
    valid_from: date | None
    valid_until: date | None
    sessions_allowed: int | None
    change_reason: NotRequired[str | None]
    dosing: NotRequired[DosingWeight | None]


def draft(
    patient: Patient,
    terms_draft: TermsDraft,
    *,
    order: Order | None = None,
    by: Staff,
    at: datetime,
    **frame: Unpack[Frame],
) -> OrderVersion:
    """Begin a version of an order as a draft: the first of a new order, or the next of `order`.

    A next version needs its reason, and waits while another draft is being written.
    """
    framed = _checked(patient, frame)
    number = _next_number(order, framed["change_reason"])
    if order is None:
        order = Order(patient_id=patient.id, created_at=at)
        db.session.add(order)
    terms = make_terms(terms_draft)
    db.session.add(terms)
    db.session.flush()  # the version names both
    version = OrderVersion(
        order_id=order.id,
        number=number,
        status=OrderStatus.DRAFT,
        terms=terms,
        **framed,
        drafted_at=at,
        drafted_by_id=by.id,
    )
    add_row(version, clash="Somebody else began a version of this order meanwhile. Open the page again.")
    db.session.expire(order, ["versions"])
    _keep_draft(version, by=by, at=at)
    return version


def _next_number(order: Order | None, change_reason: str | None) -> int:
    if order is None:
        return 1
    standing = db.session.execute(
        sa.select(OrderVersion.number, OrderVersion.status, OrderVersion.signature_id).where(
            OrderVersion.order_id == order.id
        )
    ).all()
    if any(status in UNSIGNED and signature_id for _, status, signature_id in standing):
        raise RuleBroken("A version of this order waits for its co-signature. It is co-signed or sent back first.")
    if any(status in UNSIGNED for _, status, _ in standing):
        raise RuleBroken("A version of this order is being written already. Go on with that one.")
    if standing and not change_reason:
        raise RuleBroken("Say why the order changes.", field="change_reason")
    return max((number for number, _, _ in standing), default=0) + 1


def _checked(patient: Patient, frame: Frame) -> dict[str, Any]:
    """The columns of a version besides its terms."""
    weight, valid_from, valid_until = frame["weight"], frame["valid_from"], frame["valid_until"]
    if weight is not None and weight.patient_id != patient.id:
        raise RuleBroken("This weight belongs to another patient.")
    if valid_until is not None and valid_from is not None and valid_until < valid_from:
        raise RuleBroken("The order ends before it begins.", field="valid_until")
    if frame["sessions_allowed"] is not None and frame["sessions_allowed"] < 1:
        raise RuleBroken("An order allows at least one session.", field="sessions_allowed")
    dosing = frame.get("dosing")
    used = dosing.kg if dosing else (weight.kg if weight else None)
    return {
        "weight": weight,
        "weight_used_kg": used,
        "dosing_weight_kg": dosing.kg if dosing else None,
        "dosing_weight_basis": dosing.basis if dosing else None,
        "dosing_weight_on": dosing.on if dosing else None,
        "valid_from": valid_from,
        "valid_until": valid_until,
        "sessions_allowed": frame["sessions_allowed"],
        "change_reason": frame.get("change_reason") or None,
    }


def revise(
    version: OrderVersion,
    terms_draft: TermsDraft,
    *,
    drawn_version: int | None = None,
    by: Staff,
    at: datetime,
    **frame: Unpack[Frame],
) -> OrderVersion:
    """Write a draft again. Raises Conflict when it moved on since it was drawn, RuleBroken once it is signed."""
    refuse_moved_on(version, drawn_version)
    if not version.is_open:
        raise RuleBroken("A signed order never changes. Begin a new version.")
    framed = _checked(version.order.patient, frame)
    if version.number > 1 and not framed["change_reason"]:
        raise RuleBroken("Say why the order changes.", field="change_reason")
    rewrite_terms(version.terms, terms_draft)
    for name, value in framed.items():
        setattr(version, name, value)
    version.status = OrderStatus.DRAFT
    version.drafted_at, version.drafted_by_id = at, by.id
    flag_modified(version, "drafted_at")  # a change of the terms alone must count as a new version of the draft too
    db.session.flush()
    _keep_draft(version, by=by, at=at)
    return version


def _keep_draft(version: OrderVersion, *, by: Staff, at: datetime) -> None:
    db.session.add(
        OrderDraft(
            order_version_id=version.id,
            revision=version.version,
            content=canonical(version_content(version)),
            recorded_at=at,
            recorded_by_id=by.id,
        )
    )
    _audit(AuditAction.ORDER_DRAFTED, version, by=by, at=at)


def refuse_moved_on(version: OrderVersion, drawn_version: int | None) -> None:
    """Raise Conflict when the version changed since the page that the person saw was drawn."""
    if drawn_version is not None and drawn_version != version.version:
        raise Conflict("This order changed since you opened it. Nothing was signed or saved. Read it again.")


# --- signing ---------------------------------------------------------------------------------------------------------


def seen_content(version: OrderVersion, findings: Sequence[Finding]) -> dict[str, object]:
    """What a page shows of a draft to its signer: its content and what stands against it."""
    return {"content": version_content(version), "findings": [found.message for found in findings]}


def remarks_code(found: Sequence[Finding]) -> str:
    """Return the hash of what a page asks a reason for; the form that gives the reason brings it back."""
    return seen_code({"remarks": [finding.message for finding in remarks(found)]})


def sign(
    version: OrderVersion,
    *,
    by: Staff,
    password: str,
    at: datetime,
    seen: str | None = None,
    protocol: TermsDraft | None = None,
    reason: str | None = None,
) -> Signature:
    """Sign a draft: it comes into force, and the version in force before it is superseded.

    1. What was on the screen must be what stands here: `seen` is the `seen_code` of `seen_content` (else Conflict);
       None where it was written with the same act. No hard finding may stand, and a soft one has its `reason`.
    2. The exact content is signed with the person's password.
    3. The version before is superseded, the terms are sealed, the new version is active: one transaction. Where the
       clinic asks that the signer's orders are co-signed first, it waits for that, and the version before stands.
    """
    found = problems(version, on=clinic_day(at), protocol=protocol)
    signatures.refuse_unseen(seen, seen_content(version, found), "This order")
    _refuse_unsignable(version, found)
    _acknowledge(version, remarks(found), reason, by=by, at=at)
    rule = cosign_rule_for(by.id)
    version.cosign, version.cosigner = (rule.cosign, rule.cosigner) if rule else (None, None)
    signature = signatures.sign(
        version,
        version_content(version),
        meaning=Meaning.AUTHOR,
        by=by,
        password=password,
        at=at,
        patient_id=version.order.patient_id,
    )
    if version.status is OrderStatus.DRAFT:
        _check_move(version, OrderStatus.PENDING_SIGNATURE)
    if version.cosign is OrderCosign.FIRST:
        version.status = OrderStatus.PENDING_SIGNATURE
    else:
        come_into_force(version, by=by, at=at)
    version.terms.sealed_at, version.signature = at, signature
    db.session.flush()  # from here on the database refuses any change
    _audit(AuditAction.ORDER_SIGNED, version, by=by, at=at, digest=signature.digest, cosign=version.cosign)
    return signature


def come_into_force(version: OrderVersion, *, by: Staff, at: datetime) -> None:
    """Let a version that has every signature it needs supersede the one in force."""
    _supersede(version, by=by, at=at)
    version.status = OrderStatus.ACTIVE


def _refuse_unsignable(version: OrderVersion, found: Sequence[Finding]) -> None:
    if version.status is OrderStatus.CANCELLED:
        raise RuleBroken("This draft was dropped. Begin a new version.")
    if not version.is_open:
        raise RuleBroken("This version is signed already.")
    if refusals(found):
        raise RuleBroken(" ".join(finding.message for finding in refusals(found)))


def _supersede(version: OrderVersion, *, by: Staff, at: datetime) -> None:
    before = db.session.scalar(
        sa.select(OrderVersion).where(
            OrderVersion.order_id == version.order_id,
            OrderVersion.status.in_([OrderStatus.ACTIVE, OrderStatus.ON_HOLD]),
        )
    )
    if before is not None:
        move(before, OrderStatus.SUPERSEDED, by=by, at=at, reason=f"Version {version.number} was signed.")


def _acknowledge(
    version: OrderVersion, found: Sequence[Finding], reason: str | None, *, by: Staff, at: datetime
) -> None:
    """Keep what the version is signed with although it stands outside, and why."""
    why = (reason or "").strip()
    if found and not why:
        raise RuleBroken(
            f"Say why it is signed all the same. {' '.join(finding.message for finding in found)}",
            field="excess_reason",
        )
    version.excesses = [
        AcknowledgedExcess(
            position=place,
            code=finding.code,
            message=finding.message,
            facts=dict(finding.facts),
            reason=why,
            recorded_at=at,
            recorded_by_id=by.id,
        )
        for place, finding in enumerate(found, start=1)
    ]


def version_content(version: OrderVersion) -> dict[str, object]:
    """What the signature of an order version covers. The patient stands in it by the key that never changes."""
    weight = version.weight
    acknowledged = [
        {"code": row.code, "message": row.message, "facts": row.facts, "reason": row.reason} for row in version.excesses
    ]
    return {
        "order": version.order_id,
        "patient": version.order.patient_id,
        "version": version.number,
        "terms": content_of(version.terms),
        "weight": None
        if weight is None
        else {"id": weight.id, "kg": weight.kg, "method": weight.method, "measured_at": weight.measured_at},
        "weight_used_kg": version.weight_used_kg,
        # Only where one was chosen: what was signed before it could be keeps its content.
        **({"dosing_weight": asdict(version.dosing_weight)} if version.dosing_weight else {}),
        "valid_from": version.valid_from,
        "valid_until": version.valid_until,
        "sessions_allowed": version.sessions_allowed,
        "change_reason": version.change_reason,
        # Only where a co-signature is needed.
        **({"cosign": {"when": version.cosign, "by": version.cosigner_id}} if version.cosign else {}),
        # Only where there are any: what was signed before they were kept says nothing of them.
        **({"acknowledged": acknowledged} if acknowledged else {}),
    }


# --- the states of a version -----------------------------------------------------------------------------------------


def hold(version: OrderVersion, *, reason: str, by: Staff, at: datetime) -> None:
    """Put a version in force on hold: no infusion starts under it."""
    move(version, OrderStatus.ON_HOLD, by=by, at=at, reason=reason)


def resume(version: OrderVersion, *, reason: str | None = None, by: Staff, at: datetime) -> None:
    """Bring a version on hold back into force."""
    if version.status is not OrderStatus.ON_HOLD:
        raise RuleBroken("Only an order on hold can be resumed.")
    move(version, OrderStatus.ACTIVE, by=by, at=at, reason=reason)


def stop(version: OrderVersion, *, reason: str, by: Staff, at: datetime) -> None:
    """End a version after a dose was given under it."""
    move(version, OrderStatus.STOPPED, by=by, at=at, reason=reason)


def cancel(version: OrderVersion, *, reason: str, by: Staff, at: datetime) -> None:
    """End a version before any dose was given under it; also how a draft is dropped."""
    move(version, OrderStatus.CANCELLED, by=by, at=at, reason=reason)


def complete(version: OrderVersion, *, reason: str | None = None, by: Staff, at: datetime) -> None:
    """End a version whose sessions are used or whose time is over."""
    move(version, OrderStatus.COMPLETED, by=by, at=at, reason=reason)


def _check_move(version: OrderVersion, wanted: OrderStatus) -> None:
    if not may_become(version.status, wanted):
        raise RuleBroken(f"An order that is {version.status} cannot become {wanted}.")


def move(version: OrderVersion, wanted: OrderStatus, *, by: Staff, at: datetime, reason: str | None) -> None:
    """Take a version from one state of the table to another."""
    _check_move(version, wanted)
    before, version.status = version.status, wanted
    db.session.flush()  # only one version of an order is in force, which the database judges
    _audit(AuditAction.ORDER_STATUS_CHANGED, version, by=by, at=at, was=before, status=wanted, reason=reason)


def _audit(action: AuditAction, version: OrderVersion, *, by: Staff, at: datetime, **details: object) -> None:
    audit.record(
        action,
        version,
        actor_id=by.id,
        at=at,
        patient_id=version.order.patient_id,
        clinic_id=None,
        number=version.number,
        **details,
    )

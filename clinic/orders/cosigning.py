"""A second physician signs an order: who needs that is the clinic's rule, and whether the order is used before."""

from datetime import datetime

from clinic.accounts import cover
from clinic.accounts import operations as accounts
from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission
from clinic.core.rows import add_row
from clinic.orders.facing import clinic_day, problems
from clinic.orders.models import OrderCosignRule, OrderReturn, OrderVersion
from clinic.orders.operations import come_into_force, move, version_content
from clinic.orders.queries import cosign_rules
from clinic.orders.rules import OrderCosign, OrderStatus
from clinic.orders.signing_rules import refusals
from clinic.protocols.terms import TermsDraft
from clinic.signatures import operations as signatures
from clinic.signatures.models import Signature
from clinic.signatures.rules import Meaning


def set_rule(
    staff: Staff | None,
    cosign: OrderCosign | None,
    *,
    cosigner: Staff | None,
    reason: str,
    by: Staff,
    password: str,
    at: datetime,
) -> OrderCosignRule:
    """Say whether the orders of a physician, or of every one without a rule of their own, are co-signed, when, by whom.

    It holds for what is signed from now on. Nobody whose own orders are co-signed changes it.
    """
    if is_supervised(by):
        raise RuleBroken("Your own orders are co-signed. A physician whose are not changes this.")
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    cosigner = cosigner if cosign else None
    if cosigner is not None and staff is not None and cosigner.id == staff.id:
        raise RuleBroken("Another physician co-signs.", field="cosigner_id")
    if cosigner is not None and is_supervised(cosigner):
        raise RuleBroken(f"The orders of {cosigner.name} are co-signed, too. Choose another.", field="cosigner_id")
    accounts.check_password(by, password, at=at)
    rule = OrderCosignRule(
        staff=staff, cosign=cosign, cosigner=cosigner, reason=reason.strip(), recorded_at=at, recorded_by_id=by.id
    )
    db.session.add(rule)
    db.session.flush()  # the audit line needs the id
    audit.record(
        AuditAction.ORDER_COSIGN_RULE_SET,
        rule,
        actor_id=by.id,
        at=at,
        staff_id=rule.staff_id,
        cosign=cosign,
        cosigner_id=rule.cosigner_id,
        reason=rule.reason,
    )
    return rule


def is_supervised(person: Staff) -> bool:
    """Whether a rule of this person's own says that the orders are co-signed, as for somebody in training."""
    return any(row.staff_id == person.id and row.cosign is not None for row in cosign_rules())


def why_not(version: OrderVersion, person: Staff) -> str | None:
    """Why somebody does not co-sign a version, or None who may."""
    if not version.needs_cosignature or version.signature is None:
        return "This order waits for no co-signature."
    if not person.may(Permission.SIGN_ORDER):
        return "A physician co-signs an order."
    if version.signature.signer_id == person.id:
        return "You signed this order. Another physician co-signs it."
    if is_supervised(person):
        return "Your own orders are co-signed. A physician whose are not co-signs this."
    return None


def cosign(
    version: OrderVersion,
    *,
    by: Staff,
    password: str,
    at: datetime,
    seen: str | None = None,
    protocol: TermsDraft | None = None,
) -> Signature:
    """Co-sign a version as it was `seen`. One that waited comes into force, if nothing stands against it."""
    signatures.refuse_unseen(seen, version_content(version), "This order")
    if refusal := why_not(version, by):
        raise RuleBroken(refusal)
    if version.is_waiting and (found := refusals(problems(version, on=clinic_day(at), protocol=protocol))):
        raise RuleBroken(" ".join(finding.message for finding in found))
    named = version.cosigner if version.cosigner_id != by.id else None
    signature = signatures.sign(
        version,
        version_content(version),
        meaning=Meaning.COSIGNER,
        by=by,
        password=password,
        at=at,
        patient_id=version.order.patient_id,
        instead_of=named if named is not None and cover.is_covering(by, named.id, at=at) else None,
    )
    if version.is_waiting:
        come_into_force(version, by=by, at=at)
    version.cosignature = signature
    db.session.flush()  # the database takes no order into force that was to be co-signed first
    _audit(version, by=by, at=at, digest=signature.digest)
    return signature


def _audit(version: OrderVersion, *, by: Staff, at: datetime, digest: str) -> None:
    audit.record(
        AuditAction.ORDER_COSIGNED,
        version,
        actor_id=by.id,
        at=at,
        patient_id=version.order.patient_id,
        number=version.number,
        digest=digest,
    )


def decline(version: OrderVersion, reason: str, *, by: Staff, at: datetime) -> OrderReturn:
    """Send a version back instead of co-signing it: it never comes into force, its signer writes the next."""
    if refusal := why_not(version, by):
        raise RuleBroken(refusal)
    if not version.is_waiting:
        raise RuleBroken("This order is in force. Adjust it, or hold the course.")
    if not reason.strip():
        raise RuleBroken("Say what is to be changed.", field="return_reason")
    returned = OrderReturn(
        order_version_id=version.id,
        revision=version.version,
        reason=reason.strip(),
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add_row(returned, clash="This order was sent back meanwhile.")
    db.session.expire(version, ["returns"])
    move(version, OrderStatus.CANCELLED, by=by, at=at, reason=returned.reason)
    return returned

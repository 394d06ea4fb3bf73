"""Orders that were spoken: written down by one person, signed by the one who spoke."""

from datetime import datetime

from clinic.accounts import cover
from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.orders.models import OrderVersion, VerbalOrder
from clinic.orders.rules import SpokenMode
from clinic.signatures import operations as signatures
from clinic.signatures.models import Signature
from clinic.signatures.rules import Meaning


def write_verbal_order(
    order_version: OrderVersion,
    text: str,
    *,
    spoken_by: Staff,
    spoken_at: datetime,
    mode: SpokenMode | None,
    is_read_back: bool,
    by: Staff,
    at: datetime,
) -> VerbalOrder:
    """Write down what a physician said. It counts at once and waits in the speaker's signing list."""
    _refuse_unwritable(text, mode, spoken_by=spoken_by, spoken_at=spoken_at, is_read_back=is_read_back, by=by, at=at)
    spoken = VerbalOrder(
        patient_id=order_version.order.patient_id,
        order_version_id=order_version.id,
        text=text.strip(),
        spoken_by_id=spoken_by.id,
        spoken_at=spoken_at,
        mode=mode,
        is_read_back=is_read_back,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(spoken)
    db.session.flush()  # what is given under it names it
    audit.record(
        AuditAction.VERBAL_ORDER_WRITTEN,
        spoken,
        actor_id=by.id,
        at=at,
        text=spoken.text,
        spoken_by_id=spoken_by.id,
        spoken_at=spoken_at,
        mode=mode,
    )
    return spoken


def _refuse_unwritable(
    text: str,
    mode: SpokenMode | None,
    *,
    spoken_by: Staff,
    spoken_at: datetime,
    is_read_back: bool,
    by: Staff,
    at: datetime,
) -> None:
    if mode is None:
        raise RuleBroken("Say whether it was spoken face to face or by telephone.", field="spoken_mode")
    if not is_read_back:
        raise RuleBroken("Read the order back to the speaker before you save it.", field="is_read_back")
    if spoken_by.id == by.id:
        raise RuleBroken("The speaker and the writer are two people.", field="spoken_by_id")
    if Role.PHYSICIAN not in spoken_by.roles:
        raise RuleBroken("Only a physician speaks an order.", field="spoken_by_id")
    if spoken_at > at:
        raise RuleBroken("The time it was spoken is in the future.", field="spoken_at")
    if not text.strip():
        raise RuleBroken("Write down what was said.", field="text")


def sign_verbal_order(
    verbal_order: VerbalOrder, *, by: Staff, password: str, at: datetime, seen: str | None = None
) -> Signature:
    """Sign what one has spoken, as it was `seen` written down. Only the speaker can, or who covers for the speaker."""
    signatures.refuse_unseen(seen, verbal_content(verbal_order), "This spoken order")
    speaker = verbal_order.spoken_by if verbal_order.spoken_by_id != by.id else None
    if speaker is not None and not cover.is_covering(by, speaker.id, at=at):
        raise RuleBroken("Only the person who spoke the order signs it.")
    signature = signatures.sign(
        verbal_order,
        verbal_content(verbal_order),
        meaning=Meaning.VERBAL_ORDER,
        by=by,
        password=password,
        at=at,
        patient_id=verbal_order.patient_id,
        instead_of=speaker,
    )
    audit.record(AuditAction.VERBAL_ORDER_SIGNED, verbal_order, actor_id=by.id, at=at, digest=signature.digest)
    return signature


def verbal_content(verbal_order: VerbalOrder) -> dict[str, object]:
    """What the signature under a spoken order covers."""
    return {
        "patient": verbal_order.patient_id,
        "order_version": verbal_order.order_version_id,
        "text": verbal_order.text,
        "spoken_by": verbal_order.spoken_by_id,
        "spoken_at": verbal_order.spoken_at,
        "written_by": verbal_order.recorded_by_id,
        "written_at": verbal_order.recorded_at,
        "is_read_back": verbal_order.is_read_back,
        # Only where it was asked: what was signed before keeps its content.
        **({"mode": verbal_order.mode} if verbal_order.mode else {}),
    }

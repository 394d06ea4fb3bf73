"""What a page says about the second signature of an order: to its signer before, to everybody after."""

from dataclasses import dataclass

from clinic.accounts.models import Staff
from clinic.orders.cosigning import why_not
from clinic.orders.models import OrderVersion
from clinic.orders.operations import version_content
from clinic.orders.queries import cosign_rule_for
from clinic.orders.rules import OrderCosign
from clinic.signatures.pages import ShownSignature, shown
from clinic.signatures.rules import seen_code

_WHEN = {
    OrderCosign.FIRST: "Nothing is given under it before. An earlier version stands until then.",
    OrderCosign.LATER: "The clinic lets it be used before it is co-signed.",
}


@dataclass(frozen=True)
class CosignNeed:
    """That an order needs a second signature, whose, and what holds until then."""

    title: str
    until: str


def need_of(signer: Staff) -> CosignNeed | None:
    """What somebody is told before signing an order; None where one signature suffices."""
    rule = cosign_rule_for(signer.id)
    return _need(rule.cosign, rule.cosigner) if rule is not None and rule.cosign is not None else None


def _need(cosign: OrderCosign, cosigner: Staff | None) -> CosignNeed:
    who = cosigner.name if cosigner else "another physician"
    return CosignNeed(f"Needs a co-signature by {who}", _WHEN[cosign])


@dataclass(frozen=True)
class Cosign:
    """How the second signature of a version stands. `seen` is what the form of somebody who may give it brings back."""

    need: CosignNeed | None
    signature: ShownSignature | None
    seen: str
    may_decline: bool


def cosign_of(version: OrderVersion, reader: Staff) -> Cosign | None:
    """How the second signature stands of a version that needs one or has it."""
    if version.cosign is None or version.signature is None:
        return None
    content = version_content(version)
    made, may = version.cosignature, why_not(version, reader) is None
    return Cosign(
        need=_need(version.cosign, version.cosigner) if version.needs_cosignature else None,
        signature=shown(made, content) if made else None,
        seen=seen_code(content) if may else "",
        may_decline=may and version.is_waiting,
    )

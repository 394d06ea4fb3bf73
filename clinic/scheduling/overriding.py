"""What the desk's pages ask about setting a rule of the clinic aside: who may is offered it, with a reason to write."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request

from clinic.accounts.current import actor
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission
from clinic.scheduling import queries_rooms
from clinic.scheduling.operations import Override, SlotsTaken
from clinic.scheduling.operations_standing import NurseRefused
from clinic.scheduling.rules import BookingRule, override_words

ACT = "override"


@dataclass(frozen=True, slots=True)
class Offer:
    """The rules that would be set aside, in words, and the reason as it was typed."""

    rules: tuple[BookingRule, ...]
    reason: str
    # What was decided before on the same form, to be sent again with it.
    kept: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> str:
        """What a booking against these rules is."""
        return ", ".join(override_words(rule) for rule in self.rules)


def override_asked() -> Override | None:
    """What the form sets aside, if it was sent by the button that does so."""
    if request.form.get("act") != ACT:
        return None
    return Override(_named(), request.form.get("override_reason", ""))


def override_fields() -> list[tuple[str, str]]:
    """What the form sets aside as fields, so that another question asked meanwhile does not lose it."""
    if request.form.get("act") != ACT:
        return []
    named = [("override", str(rule)) for rule in sorted(_named())]
    return [("act", ACT), *named, ("override_reason", request.form.get("override_reason", ""))]


def override_offer(refusal: RuleBroken, kept: Sequence[tuple[str, str]] = ()) -> Offer | None:
    """What may be offered after a refusal: every rule that refused, if all can be set aside by this person here."""
    clashes = refusal.clashes if isinstance(refusal, SlotsTaken) else ()
    refused = [clash.rule for clash in clashes]
    if isinstance(refusal, NurseRefused):
        refused.append(refusal.rule)
    rules = {rule for rule in refused if rule} | (_named() if request.form.get("act") == ACT else frozenset())
    if not rules or None in refused or not actor().may(Permission.OVERBOOK):
        return None
    if not rules <= queries_rooms.overridable():
        return None
    return Offer(tuple(sorted(rules)), request.form.get("override_reason", ""), tuple(kept))


def _named() -> frozenset[BookingRule]:
    known = set(BookingRule)
    return frozenset(BookingRule(name) for name in request.form.getlist("override") if name in known)

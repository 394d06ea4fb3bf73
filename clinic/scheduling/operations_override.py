"""A rule of the clinic is set aside by name, by somebody who may, with a reason that stands on the appointment."""

from dataclasses import dataclass
from datetime import datetime

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission
from clinic.scheduling import queries_rooms
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import BookingRule, override_words, rules_in


@dataclass(frozen=True, slots=True)
class Override:
    """Rules that somebody who may overbook sets aside by name for this booking, and why.

    `given_by` is that person where an undo only puts back what was decided before, whoever undoes.
    """

    rules: frozenset[BookingRule]
    reason: str
    given_by: Staff | None = None


def decided_for(appointment: Appointment) -> Override | None:
    """What somebody set aside for an appointment, to put it back in its place."""
    if appointment.overridden_by is None:
        return None
    rules = rules_in(appointment.override_rules)
    return Override(rules, appointment.override_reason or "", appointment.overridden_by) if rules else None


def refuse_override(override: Override | None, *, by: Staff) -> None:
    """Refuse an override that the person or the clinic's own rules do not allow."""
    if override is None or override.given_by is not None:
        return  # what was decided before the guard judges again, by the clinic's word of now
    if not by.may(Permission.OVERBOOK):
        raise RuleBroken("Only a physician may override a rule of the clinic.", field="override_reason")
    if not override.reason.strip():
        raise RuleBroken("Say why the rule is overridden.", field="override_reason")
    if beyond := override.rules - queries_rooms.overridable():
        words = ", ".join(sorted(override_words(rule) for rule in beyond))
        raise RuleBroken(f"The clinic does not let this be overridden: {words}.", field="override_reason")


def set_aside(appointment: Appointment, constraint: str, override: Override | None, *, by: Staff) -> bool:
    """Name the rule that refused on the appointment, where the override names it; gives whether it is new there."""
    named = rules_in(appointment.override_rules)
    if override is None or constraint not in override.rules or constraint in named:
        return False
    appointment.override_rules = f" {' '.join(sorted({*named, constraint}))} "
    appointment.override_reason = override.reason.strip()
    appointment.overridden_by_id = (override.given_by or by).id
    return True


def record_override(appointment: Appointment, *, by: Staff, at: datetime) -> None:
    """Write which rules were set aside, if any."""
    if appointment.override_rules is not None:
        audit.record(
            AuditAction.APPOINTMENT_OVERRIDDEN,
            appointment,
            actor_id=by.id,
            at=at,
            rules=sorted(rules_in(appointment.override_rules)),
            reason=appointment.override_reason,
        )

"""What a clinic decides for itself about the work at the pump: changed by a physician who signs, with a reason."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from clinic.accounts import operations as accounts
from clinic.accounts.models import Clinic, Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core.errors import RuleBroken

LIMITS: Final = (
    "bolus_role",
    "step_level",
    "protocol_approver",
    "beyond_protocol_level",
    "pump_tolerance_percent",
    "rate_difference_percent",
    "weight_change_percent",
    "double_check_minutes",
    "is_every_rate_checked",
    "is_hand_over_checked",
    "late_entry_after_min",
    "late_entry_days",
    "spoken_order_sign_hours",
    "drug_tolerance_mg",
    "witness_role",
    "is_withdrawal_witnessed",
)


def edition(clinic: Clinic) -> str:
    """The limits as one text, another one after every change."""
    return "/".join(str(getattr(clinic, name)) for name in LIMITS)


def change_limits(
    clinic: Clinic, values: Mapping[str, Any], reason: str | None, *, password: str, by: Staff, at: datetime
) -> None:
    """Set the clinic's own limits; None takes one away. They hold from now on and change nothing that was recorded.

    Raises RuleBroken without a reason, for a wrong password, and where nothing was changed.
    """
    changed = {name: values[name] for name in LIMITS if name in values and values[name] != getattr(clinic, name)}
    if not changed:
        raise RuleBroken("Nothing was changed.")
    why = (reason or "").strip()
    if not why:
        raise RuleBroken("Say why.", field="reason")
    accounts.check_password(by, password, at=at)
    was = {name: getattr(clinic, name) for name in changed}
    for name, value in changed.items():
        setattr(clinic, name, value)
    audit.record(
        AuditAction.CLINIC_SETTINGS_CHANGED,
        clinic,
        actor_id=by.id,
        at=at,
        clinic_id=clinic.id,
        was=was,
        settings=changed,
        reason=why,
    )

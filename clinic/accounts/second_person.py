"""A second person at somebody else's screen, who proves at that moment who that is."""

from datetime import datetime

from clinic.accounts import operations, pin_rules, pins, proofs, queries
from clinic.accounts.models import Staff
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, Role


def clinicians() -> list[Staff]:
    """Return the nurses and physicians of the clinic, for choosing who was told, who checks, who witnesses."""
    return queries.staff_in_role(Role.NURSE, Role.PHYSICIAN)


def proved(staff_id: str, password: str, *, permission: Permission, at: datetime, field: str) -> Staff:
    """Return a second person who has just proved who that is: by password, by passkey, or here by PIN.

    Raises RuleBroken, at `field` or at the password, for somebody who may not or could not.
    """
    person = next((one for one in clinicians() if str(one.id) == staff_id), None)
    if person is None or not person.may(permission):
        raise RuleBroken("Choose your own name.", field=field)
    if pin_rules.is_pin(password):
        pins.prove(password, staff=person, device=proofs.device.get(), at=at)
    else:
        operations.check_password(person, password, at=at)
    return person


def both_proved(
    by: Staff, own_password: str, staff_id: str, password: str, *, permission: Permission, at: datetime, field: str
) -> Staff:
    """Return the second person once both have proved who they are: each will have signed.

    Raises RuleBroken at `own_password` for the person at the screen, who may have left it open, else as `proved` does.
    """
    if str(by.id) == staff_id:
        raise RuleBroken("The witness is another person.", field=field)
    try:
        operations.check_password(by, own_password, at=at)
    except RuleBroken as refusal:
        refusal.field = "own_password"
        raise
    return proved(staff_id, password, permission=permission, at=at, field=field)

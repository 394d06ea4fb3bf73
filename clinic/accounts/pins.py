"""A bedside PIN: takes the lock off at a device where its person signed in fully, and proves a witness there.

It signs nobody in and signs nothing. It counts for twelve hours after a full sign-in at that device, until the sign-in
ends or five wrong ones were typed at it; then the password is asked for. A changed password and a disabled account take
the PIN away.
"""

import uuid
from datetime import datetime
from functools import partial
from typing import Final

import sqlalchemy as sa

from clinic.accounts import guessing, pin_rules, queries
from clinic.accounts.models import BedsidePin, LoginSession, Staff
from clinic.accounts.passwords import hash_password, matches
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db, later
from clinic.core.errors import RuleBroken

NOT_HERE: Final = (
    "The PIN counts only where you signed in with your password or passkey within the last 12 hours. Type the password."
)
WRONG: Final = "This is not your PIN."
OVER: Final = "Too many wrong PINs: it is over for this sign-in. Type the password."


def of_person(staff_id: uuid.UUID) -> BedsidePin | None:
    """The PIN that a person has set."""
    return db.session.scalar(
        sa.select(BedsidePin).where(BedsidePin.staff_id == staff_id, BedsidePin.removed_at.is_(None))
    )


def counts_at(login: LoginSession, *, at: datetime) -> bool:
    """Whether the PIN of a sign-in's person is taken at it now."""
    is_full = not login.is_factor_due and login.ended_at is None and login.started_at > at - pin_rules.LASTS
    return is_full and login.pin_wrong < pin_rules.MOST_WRONG and of_person(login.staff_id) is not None


def set_own(pin: str, *, by: Staff, at: datetime) -> BedsidePin:
    """Set the own PIN, or another in its place. Raises RuleBroken for one that is easily tried."""
    problem = pin_rules.pin_problem(pin)
    if problem is not None:
        raise RuleBroken(problem, field="pin")
    remove(by, by=by, at=at)
    made = BedsidePin(staff_id=by.id, pin_hash=hash_password(pin), created_at=at)
    db.session.add(made)
    audit.record(AuditAction.PIN_SET, by, actor_id=by.id, at=at)
    return made


def remove(staff: Staff, *, by: Staff | None, at: datetime) -> None:
    """Take a person's PIN away, if there is one."""
    pin = of_person(staff.id)
    if pin is not None:
        pin.removed_at = at
        db.session.flush()  # before the next one takes its place
        audit.record(AuditAction.PIN_REMOVED, staff, actor_id=by.id if by else None, at=at)


def check(pin: str, *, staff: Staff, login: LoginSession | None, at: datetime) -> None:
    """Ask for a person's PIN at a sign-in of that person. Raises RuleBroken; a wrong one is counted at the sign-in."""
    guessing.refuse_when_guessing(staff, at=at)
    known = of_person(staff.id)
    if known is None or login is None or login.staff_id != staff.id:
        raise RuleBroken(NOT_HERE, field="password")
    if login.pin_wrong >= pin_rules.MOST_WRONG:
        raise RuleBroken(OVER, field="password")
    if not counts_at(login, at=at):
        raise RuleBroken(NOT_HERE, field="password")
    if not matches(pin, known.pin_hash):
        guessing.count_secret(staff.id, AuditAction.PIN_REFUSED, at=at)
        later.do(partial(_count, login.id))
        raise guessing.WrongSecret(WRONG, field="password")
    known.used_at = at


def _count(login_id: uuid.UUID) -> None:
    counted = sa.update(LoginSession).where(LoginSession.id == login_id, LoginSession.pin_wrong < pin_rules.MOST_WRONG)
    db.session.execute(counted.values(pin_wrong=LoginSession.pin_wrong + 1))


def prove(pin: str, *, staff: Staff, device: str | None, at: datetime) -> None:
    """Ask a witness for the PIN, at a device where the witness signed in fully too. Raises RuleBroken."""
    found = queries.login_at_device(device, staff.id, at=at, lasts=pin_rules.LASTS) if device else None
    check(pin, staff=staff, login=found, at=at)
    audit.record(AuditAction.PIN_GIVEN, staff, actor_id=staff.id, at=at)

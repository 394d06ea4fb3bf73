"""Wrong secrets are counted and slowed down, without locking out the people who work here.

A refusal is rolled back with its request, so the count goes on `later`'s list and is written in its own transaction.
Three things are counted for ten minutes: an account at one address, an account from anywhere, and an address. The first
limit is low, because a person knows the own password. The second is high, so that a stranger far away cannot keep a
nurse out. The third slows down whoever tries one password on many names; from an address with too many failures only
people who have signed in there before get in, so that a shared address goes on working.
"""

import uuid
from datetime import datetime, timedelta

import sqlalchemy as sa

from clinic.accounts import queries
from clinic.accounts.models import LoginFailure, LoginSession, Staff
from clinic.accounts.passwords import token_hash
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db, later
from clinic.core.errors import RuleBroken

COUNTED_FOR = timedelta(minutes=10)
MOST_AT_ONE_ADDRESS = 10
MOST_FROM_ANYWHERE = 50
MOST_FOR_AN_ADDRESS = 60


class WrongSecret(RuleBroken):
    """The password is not the person's. It has been put on the list to be counted."""


class TooManyTries(RuleBroken):
    """Too many wrong secrets lately; even the right one is refused until some time has passed."""

    def __init__(self) -> None:
        super().__init__("Too many wrong tries. Wait ten minutes, or ask an admin of the clinic.", field="password")


def _short_hash(text: str) -> str:
    # Kept as a hash: people type their password into the wrong field.
    return token_hash(text)[:40]


def _account(email: str) -> str:
    return f"email:{_short_hash(email)}"


def _pair(email: str, address: str | None) -> str:
    return f"pair:{_short_hash(f'{email} {address}')}"


def _failures(subject: str, at: datetime) -> int:
    return (
        db.session.scalar(
            sa.select(sa.func.count())
            .select_from(LoginFailure)
            .where(LoginFailure.subject == subject, LoginFailure.failed_at > at - COUNTED_FOR)
        )
        or 0
    )


def is_account_limited(email: str, address: str | None, *, at: datetime) -> bool:
    """Whether this account has had too many wrong passwords, from here or from everywhere."""
    return (
        _failures(_pair(email, address), at) >= MOST_AT_ONE_ADDRESS
        or _failures(_account(email), at) >= MOST_FROM_ANYWHERE
    )


def is_address_limited(address: str | None, *, at: datetime) -> bool:
    """Whether too many sign-ins from this address were refused, whatever the names."""
    return _failures(f"address:{address}", at) >= MOST_FOR_AN_ADDRESS


def is_known_at(staff: Staff, address: str | None) -> bool:
    """Whether the person has signed in from this address before."""
    return (
        db.session.scalar(
            sa.select(LoginSession.id)
            .where(LoginSession.staff_id == staff.id, LoginSession.address == address)
            .limit(1)
        )
        is not None
    )


def count_sign_in(email: str, *, address: str | None, at: datetime) -> None:
    """Count a refused sign-in once its request has ended, and write it into the trail."""

    def write() -> None:
        _forget_old(at)
        for subject in (_pair(email, address), _account(email), f"address:{address}"):
            db.session.add(LoginFailure(subject=subject, failed_at=at))
        staff = queries.by_email(email)
        clinic_id = queries.first_clinic_id(staff.id) if staff else None
        audit.record(AuditAction.SIGN_IN_REFUSED, staff, actor_id=None, at=at, clinic_id=clinic_id)

    later.do(write)


def count_refused(
    staff_id: uuid.UUID | None, *, address: str | None, at: datetime, refused: AuditAction = AuditAction.PASSKEY_REFUSED
) -> None:
    """Count a sign-in without password that was refused, once its request has ended, and write it into the trail."""

    def write() -> None:
        _forget_old(at)
        db.session.add(LoginFailure(subject=f"address:{address}", failed_at=at))
        staff = db.session.get(Staff, staff_id, execution_options={"unscoped": True}) if staff_id else None
        clinic_id = queries.first_clinic_id(staff.id) if staff else None
        audit.record(refused, staff, actor_id=None, at=at, clinic_id=clinic_id)

    later.do(write)


def refuse_when_guessing(staff: Staff, *, at: datetime) -> None:
    """Slow down guessing of a signed-in person's secret. Raises TooManyTries."""
    if _failures(f"staff:{staff.id}", at) >= MOST_AT_ONE_ADDRESS:
        raise TooManyTries


def count_secret(staff_id: uuid.UUID, action: AuditAction, *, at: datetime) -> None:
    """Count a wrong secret of a signed-in person once the request has ended, and write it into the trail."""

    def write() -> None:
        _forget_old(at)
        db.session.add(LoginFailure(subject=f"staff:{staff_id}", failed_at=at))
        audit.record(action, actor_id=staff_id, at=at)

    later.do(write)


def _forget_old(at: datetime) -> None:
    """Keep the table as small as the last ten minutes, whatever a guesser sends."""
    db.session.execute(sa.delete(LoginFailure).where(LoginFailure.failed_at <= at - COUNTED_FOR))

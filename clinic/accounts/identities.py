"""Who people are at the clinic's own sign-in changes here: it is connected, opens an account, is taken away.

Nobody is found by an e-mail address: whoever governs addresses elsewhere would govern every account here. A person
connects the own account, once, after giving the own password.
"""

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.accounts import guessing, operations, queries
from clinic.accounts.identity_provider import Identity
from clinic.accounts.models import LoginSession, ProviderIdentity, Staff
from clinic.accounts.rules import StaffStatus
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken

OPENS_NOTHING = "This sign-in opens no account here. Sign in with your password, then connect it under Your account."
NOT_BELIEVED = "You were not signed in there, or it took too long. Try again, or use your password."


def of_person(staff_id: uuid.UUID) -> ProviderIdentity | None:
    """Who the person is elsewhere; None while nothing is connected."""
    return db.session.scalar(
        sa.select(ProviderIdentity).where(ProviderIdentity.staff_id == staff_id, ProviderIdentity.removed_at.is_(None))
    )


def sign_in(identity: Identity, *, address: str | None, browser: str | None, at: datetime) -> tuple[LoginSession, str]:
    """Begin a sign-in for whoever is connected with this identity. Raises RuleBroken.

    Gives the row and the token for the cookie, like a sign-in by password. Without two factors there, the own one is
    due here as after a password.
    """
    found = db.session.scalar(
        sa.select(ProviderIdentity).where(
            ProviderIdentity.issuer == identity.issuer,
            ProviderIdentity.subject == identity.subject,
            ProviderIdentity.removed_at.is_(None),
        )
    )
    staff = _active(found.staff_id) if found is not None else None
    clinic_id = queries.first_clinic_id(staff.id) if staff is not None else None
    if found is None or staff is None or clinic_id is None:
        refuse(found.staff_id if found else None, address=address, at=at)
        raise guessing.WrongSecret(OPENS_NOTHING)
    found.used_at = at
    return operations.open_login(
        staff,
        clinic_id,
        address=address,
        browser=browser,
        at=at,
        method=operations.Method.PROVIDER,
        has_two_factors=identity.has_two_factors,
    )


def refuse(staff_id: uuid.UUID | None, *, address: str | None, at: datetime) -> None:
    """Count an answer that opened nothing, and write it into the trail."""
    guessing.count_refused(staff_id, address=address, at=at, refused=AuditAction.IDENTITY_REFUSED)


def _active(staff_id: uuid.UUID) -> Staff | None:
    return db.session.scalar(
        sa.select(Staff)
        .where(Staff.id == staff_id, Staff.status == StaffStatus.ACTIVE)
        .execution_options(unscoped=True)
    )


def connect(identity: Identity, *, by: Staff, at: datetime) -> ProviderIdentity:
    """Let this identity open the person's account from now on; the one before counts no longer. Raises RuleBroken."""
    remove(by=by, at=at)
    db.session.flush()  # one at a time: the database sees the old one gone first
    made = ProviderIdentity(staff_id=by.id, issuer=identity.issuer, subject=identity.subject, created_at=at)
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError as taken:
        raise RuleBroken("This sign-in is connected with another account here. Ask an admin.") from taken
    audit.record(AuditAction.IDENTITY_CONNECTED, by, actor_id=by.id, at=at, issuer=made.issuer)
    return made


def remove(*, by: Staff, at: datetime) -> bool:
    """Take the own connection away; False when there is none."""
    found = of_person(by.id)
    if found is None:
        return False
    found.removed_at = at
    audit.record(AuditAction.IDENTITY_REMOVED, by, actor_id=by.id, at=at, issuer=found.issuer)
    return True

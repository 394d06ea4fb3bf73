"""Accounts change here: sign-in, sign-out, new people, new roles."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa

from clinic.accounts import queries
from clinic.accounts.models import Clinic, LoginFailure, LoginSession, Site, Staff, StaffRole
from clinic.accounts.passwords import hash_password, matches, new_token, token_hash
from clinic.accounts.rules import StaffStatus
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role

WRONG = "The e-mail or the password is not right."


def create_clinic(name: str, *, zone: str, at: datetime, is_demo: bool = False) -> Clinic:
    """Add a clinic with one site of the same name."""
    clinic = Clinic(name=name, zone=zone, is_demo=is_demo)
    db.session.add(clinic)
    db.session.flush()  # its rows name it
    db.session.add(Site(clinic_id=clinic.id, name=name))
    audit.record(AuditAction.CLINIC_CREATED, clinic, actor_id=None, at=at, clinic_id=clinic.id, name=name, zone=zone)
    return clinic


def create_staff(
    *,
    email: str,
    given_name: str,
    family_name: str,
    roles: Iterable[Role],
    at: datetime,
    by: Staff | None,
    password: str | None = None,
    title: str | None = None,
    credentials: str | None = None,
) -> Staff:
    """Add a person to the current clinic; without a password the account waits for its invitation."""
    staff = Staff(
        email=email.strip().lower(),
        given_name=given_name,
        family_name=family_name,
        title=title,
        credentials=credentials,
        status=StaffStatus.ACTIVE if password else StaffStatus.INVITED,
        password_hash=hash_password(password) if password else None,
        created_at=at,
    )
    db.session.add(staff)
    db.session.flush()  # the roles name it
    for role in sorted(roles):
        db.session.add(StaffRole(staff=staff, role=role, granted_at=at, granted_by_id=by.id if by else None))
    db.session.flush()
    audit.record(
        AuditAction.STAFF_INVITED, staff, actor_id=by.id if by else None, at=at, roles=sorted(roles), email=staff.email
    )
    return staff


def check_password(staff: Staff, password: str, *, at: datetime) -> None:
    """Ask for the person's own secret again, for a signature or a double check. Raises RuleBroken when it is wrong."""
    refuse_when_guessing([f"staff:{staff.id}"], at=at)
    if not matches(password, staff.password_hash):
        db.session.add(LoginFailure(subject=f"staff:{staff.id}", failed_at=at))
        raise RuleBroken("This is not your password.", field="password")


def sign_in(
    email: str, password: str, *, address: str | None, browser: str | None, at: datetime
) -> tuple[LoginSession, str]:
    """Begin a sign-in: gives its row and the token for the cookie. Raises RuleBroken with one text for every reason."""
    account = f"email:{token_hash(email.strip().lower())[:40]}"
    refuse_when_guessing([account, f"address:{address}"], at=at)
    staff = queries.by_email(email)
    if (
        not matches(password, staff.password_hash if staff else None)
        or staff is None
        or staff.status is not StaffStatus.ACTIVE
    ):
        raise RuleBroken(WRONG, field="password")
    grant = min(staff.grants, key=lambda held: held.granted_at, default=None)
    if grant is None:
        raise RuleBroken(WRONG, field="password")
    return open_login(staff, grant.clinic_id, address=address, browser=browser, at=at)


def open_login(
    staff: Staff, clinic_id: uuid.UUID, *, address: str | None, browser: str | None, at: datetime
) -> tuple[LoginSession, str]:
    """Write the row of a sign-in; only the hash of its token is kept."""
    token = new_token()
    login = LoginSession(
        token_hash=token_hash(token),
        staff_id=staff.id,
        clinic_id=clinic_id,
        started_at=at,
        seen_at=at,
        address=address,
        browser=(browser or "")[:200],
    )
    db.session.add(login)
    audit.record(AuditAction.SIGNED_IN, staff, actor_id=staff.id, at=at, clinic_id=clinic_id)
    return login, token


def note_failure(email: str, *, address: str | None, at: datetime) -> None:
    """Count a refused sign-in, in a transaction of its own: the refusal itself is rolled back."""
    for subject in (f"email:{token_hash(email.strip().lower())[:40]}", f"address:{address}"):
        db.session.add(LoginFailure(subject=subject, failed_at=at))
    audit.record(AuditAction.SIGN_IN_REFUSED, actor_id=None, at=at)


MOST_FAILURES = 10
FAILURES_COUNT_FOR = timedelta(minutes=10)


def refuse_when_guessing(subjects: list[str], *, at: datetime) -> None:
    """Slow down guessing per account and per address."""
    counts = db.session.execute(
        sa.select(LoginFailure.subject, sa.func.count())
        .where(LoginFailure.subject.in_(subjects), LoginFailure.failed_at > at - FAILURES_COUNT_FOR)
        .group_by(LoginFailure.subject)
    ).all()
    for subject, count in counts:
        # Many people share an address; few share an account.
        if count >= MOST_FAILURES * (6 if subject.startswith("address:") else 1):
            raise RuleBroken("Too many wrong tries. Wait ten minutes, or ask your administrator.", field="password")


def end_login(login: LoginSession, *, at: datetime) -> None:
    """End a sign-in; its cookie is dead from the next request on."""
    if login.ended_at is None:
        login.ended_at = at
        audit.record(AuditAction.SIGNED_OUT, login, actor_id=login.staff_id, at=at, clinic_id=login.clinic_id)

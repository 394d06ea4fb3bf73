"""Accounts change here: sign-in, sign-out, new people, new roles."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from functools import partial

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.accounts import factors, guessing, pin_rules, pins, proofs, queries
from clinic.accounts.models import Clinic, LoginSession, Site, Staff, StaffRole
from clinic.accounts.passwords import hash_password, is_outdated, matches, new_token, token_hash
from clinic.accounts.rules import StaffStatus, password_problem, words_of
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db, later
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


def add_site(name: str, *, by: Staff, at: datetime) -> Site:
    """Add a place to the current clinic. Raises RuleBroken without a name, or for one that there is already."""
    said = " ".join(name.split())
    if not said:
        raise RuleBroken("Name the site.", field="name")
    site = Site(clinic_id=db.current_clinic_id(), name=said)
    try:
        with db.session.begin_nested():  # the name may be taken, and the page must be drawn again
            db.session.add(site)
    except IntegrityError as taken:
        raise RuleBroken("There is a site of this name.", field="name") from taken
    audit.record(AuditAction.SITE_ADDED, site, actor_id=by.id, at=at, name=said)
    return site


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
    try:
        with db.session.begin_nested():  # the address may be taken, and the page must be drawn again
            db.session.add(staff)
    except IntegrityError as error:
        raise RuleBroken("There is already an account with this e-mail.", field="email") from error
    for role in sorted(roles):
        db.session.add(StaffRole(staff=staff, role=role, granted_at=at, granted_by_id=by.id if by else None))
    db.session.flush()
    audit.record(
        AuditAction.STAFF_INVITED, staff, actor_id=by.id if by else None, at=at, roles=sorted(roles), email=staff.email
    )
    return staff


def check_password(
    staff: Staff, password: str, *, at: datetime, refused: AuditAction = AuditAction.SIGNATURE_REFUSED
) -> None:
    """Ask for the person's own secret again: for a signature, a double check, an unlocked screen.

    The word that stands for what a passkey has just proved is taken in the password's place; a PIN is not.

    Raises WrongSecret or TooManyTries, both RuleBroken at the field `password`. A wrong secret is counted, and written
    into the trail as `refused`, even though its request is rolled back.
    """
    guessing.refuse_when_guessing(staff, at=at)
    if pin_rules.is_pin(password):
        raise RuleBroken("A PIN does not do here: type the password, or use a passkey.", field="password")
    is_word = proofs.is_word(password)
    if not (proofs.use(password, staff=staff, at=at) if is_word else matches(password, staff.password_hash)):
        guessing.count_secret(staff.id, refused, at=at)
        raise guessing.WrongSecret(proofs.NOT_YOURS if is_word else "This is not your password.", field="password")


def sign_in(
    email: str, password: str, *, address: str | None, browser: str | None, at: datetime
) -> tuple[LoginSession, str]:
    """Begin a sign-in: gives its row and the token for the cookie. Raises RuleBroken with one text for every reason.

    The password is computed whatever else stands in the way, so that the time taken gives no name away.
    """
    email = email.strip().lower()
    if guessing.is_account_limited(email, address, at=at):
        raise guessing.TooManyTries
    is_crowded = guessing.is_address_limited(address, at=at)
    staff = queries.by_email(email)
    if is_crowded and not (staff and guessing.is_known_at(staff, address)):
        matches(password, None)
        raise guessing.TooManyTries
    is_right = matches(password, staff.password_hash if staff else None)
    clinic_id = queries.first_clinic_id(staff.id) if staff else None
    if not is_right or staff is None or staff.status is not StaffStatus.ACTIVE or clinic_id is None:
        guessing.count_sign_in(email, address=address, at=at)
        if is_crowded:
            raise guessing.TooManyTries
        raise guessing.WrongSecret(WRONG, field="password")
    if staff.password_hash and is_outdated(staff.password_hash):
        later.do(partial(_renew_hash, staff.id, staff.password_hash, password))
    return open_login(staff, clinic_id, address=address, browser=browser, at=at)


def _renew_hash(staff_id: uuid.UUID, outdated: str, password: str) -> None:
    """Hash anew what was hashed with other parameters.

    Afterwards and past the row's version: who signs in on two devices at once changes nothing about the account.
    """
    db.session.execute(
        sa.update(Staff)
        .where(Staff.id == staff_id, Staff.password_hash == outdated)
        .values(password_hash=hash_password(password))
    )


class Method(StrEnum):
    """How somebody signed in."""

    PASSWORD = "password"  # noqa: S105 the name of a method
    PASSKEY = "passkey"
    PROVIDER = "provider"


def open_login(
    staff: Staff,
    clinic_id: uuid.UUID,
    *,
    address: str | None,
    browser: str | None,
    at: datetime,
    method: Method = Method.PASSWORD,
    has_two_factors: bool = False,
) -> tuple[LoginSession, str]:
    """Write the row of a sign-in; only the hash of its token is kept."""
    token = new_token()
    login = LoginSession(
        token_hash=token_hash(token),
        staff_id=staff.id,
        clinic_id=clinic_id,
        started_at=at,
        seen_at=at,
        is_factor_due=not has_two_factors
        and (factors.has_factor(staff.id) or factors.needs_factor(staff, db.session.get_one(Clinic, clinic_id))),
        address=address,
        browser=(browser or "")[:200],
    )
    db.session.add(login)
    audit.record(AuditAction.SIGNED_IN, staff, actor_id=staff.id, at=at, clinic_id=clinic_id, method=method)
    return login, token


def end_login(login: LoginSession, *, at: datetime) -> None:
    """End a sign-in; its cookie is dead from the next request on."""
    if login.ended_at is None:
        login.ended_at = at
        audit.record(AuditAction.SIGNED_OUT, login, actor_id=login.staff_id, at=at, clinic_id=login.clinic_id)


def note_seen(login_id: uuid.UUID, *, at: datetime) -> None:
    """Somebody was there: the sign-in's idle time begins anew."""
    login = db.session.get(LoginSession, login_id)
    if login is not None and login.ended_at is None:
        login.seen_at = at


def end_logins(staff: Staff, *, at: datetime, keep: LoginSession | None = None) -> int:
    """End all live sign-ins of a person, except one to keep. Gives how many were ended."""
    ended = [login for login in queries.unended_logins(staff.id) if keep is None or login.id != keep.id]
    for login in ended:
        end_login(login, at=at)
    return len(ended)


def lock(login: LoginSession, *, at: datetime) -> None:
    """Lock the screen: until its person unlocks it, no page but the unlock page answers."""
    if login.locked_at is None:
        login.locked_at = at
        audit.record(AuditAction.LOCKED, login, actor_id=login.staff_id, at=at, clinic_id=login.clinic_id)


def check_at(login: LoginSession, secret: str, *, by: Staff, at: datetime) -> None:
    """Ask whoever signed in fully here for the PIN or the password, to go on at the same device. Raises RuleBroken."""
    if pin_rules.is_pin(secret):
        pins.check(secret, staff=by, login=login, at=at)
    else:
        check_password(by, secret, at=at, refused=AuditAction.SIGN_IN_REFUSED)


def unlock(login: LoginSession, secret: str, *, by: Staff, at: datetime) -> None:
    """Unlock the screen with the PIN or the password of the person who locked it. Raises RuleBroken."""
    check_at(login, secret, by=by, at=at)
    if login.locked_at is not None:
        method = "PIN" if pin_rules.is_pin(secret) else Method.PASSWORD
        audit.record(AuditAction.UNLOCKED, login, actor_id=by.id, at=at, clinic_id=login.clinic_id, method=method)
    login.locked_at = None
    login.seen_at = at


def switch_to(login: LoginSession, secret: str, *, by: Staff, at: datetime) -> str:
    """Go on with a sign-in that waits locked at this device, as its own person. Gives a new token."""
    unlock(login, secret, by=by, at=at)
    token = new_token()
    login.token_hash = token_hash(token)
    return token


def hand_tablet(login: LoginSession, path: str, *, at: datetime) -> None:
    """Put the tablet into a patient's hands: until staff take it back, no address but those under `path` answers."""
    login.handed_path = path
    audit.record(AuditAction.TABLET_HANDED, login, actor_id=login.staff_id, at=at, clinic_id=login.clinic_id)


def take_tablet_back(login: LoginSession, secret: str, *, by: Staff, at: datetime) -> None:
    """Take the tablet back with the PIN or the password of the person who handed it over. Raises RuleBroken."""
    check_at(login, secret, by=by, at=at)
    login.handed_path = None
    login.seen_at = at
    audit.record(AuditAction.TABLET_TAKEN_BACK, login, actor_id=by.id, at=at, clinic_id=login.clinic_id)


def change_password(current: str, new: str, *, login: LoginSession, clinic: Clinic, by: Staff, at: datetime) -> int:
    """Change one's own password. Every other sign-in of the person ends; gives how many did.

    Raises RuleBroken when the current password is wrong or the new one is refused.
    """
    try:
        check_password(by, current, at=at, refused=AuditAction.SIGN_IN_REFUSED)
    except RuleBroken as refusal:
        refusal.field = "current"
        raise
    set_password(by, new, clinic=clinic)
    pins.remove(by, by=by, at=at)
    audit.record(AuditAction.PASSWORD_CHANGED, by, actor_id=by.id, at=at)
    return end_logins(by, keep=login, at=at)


def set_password(staff: Staff, password: str, *, clinic: Clinic) -> None:
    """Give the person a new password. Raises RuleBroken when it is short or easy to guess."""
    near = words_of(staff.given_name, staff.family_name, staff.email, staff.credentials, clinic.name)
    problem = password_problem(password, near)
    if problem is not None:
        raise RuleBroken(problem, field="new")
    staff.password_hash = hash_password(password)

"""Passkeys change here: one is added, answers for its person, is taken away.

A challenge comes from the browser's own cookie, where the page put it, and counts once: its hash is written down when
it was answered, so that a copied cookie and answer open nothing.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.accounts import factors, guessing, operations, passkey_rules, proofs, queries
from clinic.accounts.models import Clinic, LoginSession, Passkey, Staff, UsedChallenge
from clinic.accounts.passkey_rules import BadPasskey, Party
from clinic.accounts.passwords import token_hash
from clinic.accounts.rules import StaffStatus
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken

NOT_ADDED = "The passkey was not added. Try again, and confirm on the device when it asks."
NOT_TAKEN = "This passkey does not open anything here, or the answer came too late. Try again, or use your password."
LAST_ONE = "Your role needs a second factor in this clinic. Add an app or another passkey first."
MOST = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """What this browser was asked: under which address, with which challenge, when."""

    party: Party
    challenge: str
    asked_at: datetime


def of_person(staff_id: uuid.UUID) -> list[Passkey]:
    """The passkeys that a person has, the oldest first."""
    found = sa.select(Passkey).where(Passkey.staff_id == staff_id, Passkey.removed_at.is_(None))
    return list(db.session.scalars(found.order_by(Passkey.created_at, Passkey.id)))


def ways_to_make(by: Staff, *, party: Party, challenge: str, clinic: Clinic) -> str:
    """What the browser is asked for a new passkey of a person, as JSON."""
    return passkey_rules.ways_to_make(
        party,
        challenge,
        clinic=clinic.name,
        person=by.email,
        name=by.name,
        handle=by.id.bytes,
        known=[passkey.credential_id for passkey in of_person(by.id)],
    )


def add(answer: str, *, name: str, asked: Asked | None, by: Staff, at: datetime) -> Passkey:
    """Keep the public half of a passkey that the person's device has just made. Raises RuleBroken."""
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise RuleBroken(f"Give the passkey a name of at most {_LONGEST_NAME} letters, for example: ward phone.")
    if len(of_person(by.id)) >= MOST:
        raise RuleBroken("Remove a passkey that you do not use any more first.")
    try:
        fresh = _still_asked(asked, at=at)
        made = passkey_rules.made(passkey_rules.read(answer), party=fresh.party, challenge=fresh.challenge)
        _use_up(fresh, at=at)
    except BadPasskey as problem:
        raise RuleBroken(NOT_ADDED) from problem
    passkey = Passkey(staff_id=by.id, name=name.strip(), created_at=at)
    passkey.credential_id, passkey.public_key = made.credential_id, made.public_key
    passkey.sign_count, passkey.is_backed_up = made.sign_count, made.is_backed_up
    try:
        with db.session.begin_nested():
            db.session.add(passkey)
    except IntegrityError as clash:
        raise RuleBroken("This passkey was added before.") from clash
    audit.record(AuditAction.PASSKEY_ADDED, by, actor_id=by.id, at=at, passkey_id=passkey.id, act=passkey.name)
    return passkey


_LONGEST_NAME = 80


def sign_in(
    answer: str,
    *,
    asked: Asked | None,
    address: str | None,
    browser: str | None,
    at: datetime,
    only: Staff | None = None,
) -> tuple[LoginSession, str]:
    """Begin a sign-in by a passkey alone: having it and unlocking it are two factors. Raises RuleBroken.

    Gives the row and the token for the cookie, like a sign-in by password; of `only` one person, where it is given.
    """
    staff = proved(answer, asked=asked, address=address, at=at)
    clinic_id = queries.first_clinic_id(staff.id)
    if clinic_id is None or (only is not None and staff.id != only.id):
        guessing.count_refused(staff.id, address=address, at=at)
        raise guessing.WrongSecret(NOT_TAKEN)
    return operations.open_login(
        staff,
        clinic_id,
        address=address,
        browser=browser,
        at=at,
        method=operations.Method.PASSKEY,
        has_two_factors=True,  # it verified its person
    )


def proved(answer: str, *, asked: Asked | None, address: str | None, at: datetime) -> Staff:
    """The person whose passkey has just answered. Every refusal has one text, is counted and stands in the trail."""
    is_crowded = guessing.is_address_limited(address, at=at)
    owner: uuid.UUID | None = None
    try:
        fresh = _still_asked(asked, at=at)
        found = passkey_rules.read(answer)
        passkey = _known(found["id"])
        owner = passkey.staff_id
        _take(passkey, found, fresh, at=at)
        staff = db.session.scalar(
            sa.select(Staff)
            .where(Staff.id == owner, Staff.status == StaffStatus.ACTIVE)
            .execution_options(unscoped=True)
        )
        if staff is None:
            raise BadPasskey("the account is not active")  # noqa: TRY301 one answer for every reason
    except BadPasskey as problem:
        if is_crowded:
            raise guessing.TooManyTries from problem
        guessing.count_refused(owner, address=address, at=at)
        raise guessing.WrongSecret(NOT_TAKEN) from problem
    if is_crowded and not guessing.is_known_at(staff, address):
        raise guessing.TooManyTries
    return staff


def open_again(login: LoginSession, answer: str, *, asked: Asked | None, by: Staff, at: datetime) -> None:
    """Take the lock off, and the second factor as given, by the passkey of the very person. Raises RuleBroken."""
    staff = proved(answer, asked=asked, address=login.address, at=at)
    if staff.id != by.id:
        guessing.count_refused(staff.id, address=login.address, at=at)
        raise guessing.WrongSecret(NOT_TAKEN)
    if login.locked_at is not None:
        method = operations.Method.PASSKEY
        audit.record(AuditAction.UNLOCKED, login, actor_id=by.id, at=at, clinic_id=login.clinic_id, method=method)
    if login.is_factor_due:
        audit.record(AuditAction.FACTOR_GIVEN, by, actor_id=by.id, at=at, clinic_id=login.clinic_id, method="passkey")
    login.locked_at, login.seen_at, login.is_factor_due = None, at, False


def prove(answer: str, *, asked: Asked | None, login: LoginSession, at: datetime) -> str:
    """Give the word that stands for the password of whoever's passkey has just answered at this sign-in's screen.

    That may be a witness beside its person, of the same clinic. Raises RuleBroken.
    """
    staff = proved(answer, asked=asked, address=login.address, at=at)
    if not queries.works_here(staff.id):
        guessing.count_refused(staff.id, address=login.address, at=at)
        raise guessing.WrongSecret(NOT_TAKEN)
    audit.record(AuditAction.PASSKEY_GIVEN, staff, actor_id=staff.id, at=at)
    return proofs.make(staff, login=login, at=at)


def _known(credential_id: str) -> Passkey:
    found = sa.select(Passkey).where(Passkey.credential_id == credential_id, Passkey.removed_at.is_(None))
    passkey = db.session.scalar(found.with_for_update())
    if passkey is None:
        raise BadPasskey("unknown")
    return passkey


def _take(passkey: Passkey, found: dict[str, object], fresh: Asked, *, at: datetime) -> None:
    if passkey_rules.handle_in(found) != passkey.staff_id.bytes:
        raise BadPasskey("names another person")
    said = passkey_rules.answered(
        found,
        party=fresh.party,
        challenge=fresh.challenge,
        public_key=passkey.public_key,
        sign_count=passkey.sign_count,
    )
    _use_up(fresh, at=at)
    passkey.sign_count, passkey.is_backed_up, passkey.used_at = said.sign_count, said.is_backed_up, at


_LASTS = timedelta(seconds=passkey_rules.CHALLENGE_LASTS_SECONDS)


def _still_asked(asked: Asked | None, *, at: datetime) -> Asked:
    if asked is None or not asked.asked_at <= at < asked.asked_at + _LASTS:
        raise BadPasskey("nothing was asked, or too long ago")
    return asked


def _use_up(asked: Asked, *, at: datetime) -> None:
    """Write down that a challenge was answered; those too old to come again are forgotten."""
    db.session.execute(sa.delete(UsedChallenge).where(UsedChallenge.used_at <= at - 2 * _LASTS))
    try:
        with db.session.begin_nested():
            db.session.add(UsedChallenge(challenge_hash=token_hash(asked.challenge), used_at=at))
    except IntegrityError as again:
        raise BadPasskey("answered before") from again


def remove(passkey_id: uuid.UUID, *, clinic: Clinic, by: Staff, at: datetime) -> Passkey | None:
    """Take an own passkey away; None when there is none of this id. Raises RuleBroken for the last factor needed."""
    own = of_person(by.id)
    passkey = next((one for one in own if one.id == passkey_id), None)
    if passkey is None:
        return None
    if len(own) == 1 and not factors.has_factor(by.id) and factors.needs_factor(by, clinic):
        raise RuleBroken(LAST_ONE)
    passkey.removed_at = at
    audit.record(AuditAction.PASSKEY_REMOVED, by, actor_id=by.id, at=at, passkey_id=passkey.id, act=passkey.name)
    return passkey

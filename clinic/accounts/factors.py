"""The second factor changes here: an app is added, asked for, taken away; recovery codes are made and used up.

Every function takes the installation's secrets, the one that seals first: an app's secret is sealed at rest.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError

from clinic.accounts import factor_rules, guessing, queries
from clinic.accounts.models import (
    Authenticator,
    Clinic,
    Invitation,
    LoginSession,
    Passkey,
    RecoveryCode,
    Staff,
    StaffRole,
)
from clinic.accounts.passwords import new_token, token_hash
from clinic.accounts.rules import RESET_LASTS, LinkPurpose, StaffStatus
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db, seal
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role

WRONG_CODE = "This code is not right, or it was used. Wait for the next one in the app."
NOT_YET = "Set up the app first: open Your account in another tab, then come back here."
LINK_AGAIN = "The lost app was not replaced to the end. Ask an admin for another link."
USE_THE_PASSKEY = "You have a passkey: use it. If it is lost, ask an admin to reset your second factor."
OTHERWISE_REFUSED = "Your role needs a second factor in this clinic. Add another app first."


def authenticator_of(staff_id: uuid.UUID) -> Authenticator | None:
    """The app that a person has, or is about to add."""
    return db.session.scalar(
        sa.select(Authenticator).where(Authenticator.staff_id == staff_id, Authenticator.removed_at.is_(None))
    )


def has_factor(staff_id: uuid.UUID) -> bool:
    """Whether a sign-in of this person asks for a code: also while a lost app was not replaced to the end."""
    found = authenticator_of(staff_id)
    return found is not None and (found.confirmed_at is not None or found.is_replacement)


def has_passkey(staff_id: uuid.UUID) -> bool:
    """Whether a person can sign in with a passkey."""
    found = sa.select(Passkey.id).where(Passkey.staff_id == staff_id, Passkey.removed_at.is_(None))
    return db.session.scalar(found.limit(1)) is not None


def kinds(staff_id: uuid.UUID) -> list[str]:
    """What a person has besides the password, in words."""
    has = (("passkey", has_passkey(staff_id)), ("code from an app", has_factor(staff_id)))
    return [words for words, is_there in has if is_there]


def kinds_of(staff_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """What each of these people has besides the password, in short words; who has nothing is left out."""
    has_app = sa.or_(Authenticator.confirmed_at.is_not(None), Authenticator.is_replacement.is_(True))
    asked = (
        ("passkey", sa.select(Passkey.staff_id).where(Passkey.removed_at.is_(None))),
        ("code", sa.select(Authenticator.staff_id).where(Authenticator.removed_at.is_(None), has_app)),
    )
    found: dict[uuid.UUID, list[str]] = {}
    for words, holders in asked:
        for staff_id in set(db.session.scalars(holders)) & set(staff_ids):
            found.setdefault(staff_id, []).append(words)
    return {staff_id: ", ".join(words) for staff_id, words in found.items()}


def needs_factor(staff: Staff, clinic: Clinic) -> bool:
    """Whether one of the person's roles may not be without a second factor in this clinic."""
    held = sa.select(StaffRole.role).where(StaffRole.staff_id == staff.id, StaffRole.clinic_id == clinic.id)
    # A sign-in is asked before its clinic is settled.
    roles = db.session.scalars(held.execution_options(unscoped=True))
    return not clinic.factor_roles.isdisjoint(str(role) for role in roles)


def recovery_codes_left(staff_id: uuid.UUID) -> int:
    """How many recovery codes a person has not used."""
    unused = sa.select(sa.func.count(RecoveryCode.id)).where(
        RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None)
    )
    return db.session.scalar(unused) or 0


# --- adding ----------------------------------------------------------------------------------------------------------


def begin(
    by: Staff, *, login: LoginSession, secrets: Sequence[str], at: datetime, is_replacement: bool = False
) -> Authenticator:
    """Make the secret of a new app. It counts for nothing until a code from the app confirms it."""
    found = authenticator_of(by.id)
    if login.is_factor_due and has_passkey(by.id):
        raise RuleBroken(USE_THE_PASSKEY)  # the password alone would add a factor past the one there is
    if found is not None and found.confirmed_at is not None:
        raise RuleBroken("There is an app already. Remove it first." if not login.is_factor_due else WRONG_CODE)
    if found is not None:
        if found.is_replacement and not is_replacement:
            raise RuleBroken(LINK_AGAIN)
        found.removed_at = at
        db.session.flush()
    key = uuid.uuid4()
    sealed = seal.cover(factor_rules.new_secret(), f"authenticator {key}", secrets[0])
    made = Authenticator(id=key, staff_id=by.id, sealed_secret=sealed, created_at=at, is_replacement=is_replacement)
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError as error:
        raise RuleBroken("You have just begun this in another tab. Open Your account again.") from error
    return made


def secret_of(found: Authenticator, secrets: Sequence[str]) -> str:
    """The secret of an app. Raises RuleBroken when it was sealed with an installation's secret that is gone."""
    try:
        return seal.uncover(found.sealed_secret, f"authenticator {found.id}", secrets)
    except seal.BadSeal as gone:
        raise RuleBroken("This app cannot be checked any more. Ask an admin to reset your second factor.") from gone


def confirm(code: str, *, login: LoginSession, by: Staff, secrets: Sequence[str], at: datetime) -> list[str]:
    """Make the new app count, because it gave the right code. Gives recovery codes, which are kept nowhere.

    A sign-in that waited for it is complete. Raises RuleBroken when the code is wrong.
    """
    found = authenticator_of(by.id)
    if login.is_factor_due and has_passkey(by.id):
        raise RuleBroken(USE_THE_PASSKEY, field="code")
    if found is None or found.confirmed_at is not None:
        raise RuleBroken("There is no app to confirm. Begin again.", field="code")
    _take_code(found, code, by=by, secrets=secrets, at=at)
    found.confirmed_at = at
    audit.record(AuditAction.FACTOR_ADDED, by, actor_id=by.id, at=at)
    login.is_factor_due = False
    return make_recovery_codes(by, at=at)


def make_recovery_codes(by: Staff, *, at: datetime) -> list[str]:
    """Make new recovery codes; earlier ones are dead. Only their hashes are kept."""
    _end_recovery_codes(by.id, at=at)
    codes = factor_rules.new_recovery_codes()
    db.session.add_all(RecoveryCode(staff_id=by.id, code_hash=token_hash(code), created_at=at) for code in codes)
    audit.record(AuditAction.RECOVERY_CODES_MADE, by, actor_id=by.id, at=at)
    return codes


def _end_recovery_codes(staff_id: uuid.UUID, *, at: datetime) -> None:
    unused = sa.update(RecoveryCode).where(RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None))
    db.session.execute(unused.values(used_at=at))


# --- asking ----------------------------------------------------------------------------------------------------------


def give(code: str, *, login: LoginSession, by: Staff, secrets: Sequence[str], at: datetime) -> None:
    """Complete a sign-in with a code from the app or a recovery code. Raises RuleBroken at the field `code`.

    A wrong code is counted like a wrong password and written into the trail; a code counts once.
    """
    found = authenticator_of(by.id)
    if found is None or found.confirmed_at is None:
        raise RuleBroken(USE_THE_PASSKEY if has_passkey(by.id) else NOT_YET, field="code")
    recovery = factor_rules.plain_recovery_code(code)
    if recovery is None:
        _take_code(found, code, by=by, secrets=secrets, at=at)
        audit.record(AuditAction.FACTOR_GIVEN, by, actor_id=by.id, at=at, clinic_id=login.clinic_id)
    else:
        guessing.refuse_when_guessing(by, at=at)
        _use_up(recovery, by=by, at=at)
        audit.record(AuditAction.RECOVERY_CODE_USED, by, actor_id=by.id, at=at, clinic_id=login.clinic_id)
    login.is_factor_due = False


def _take_code(found: Authenticator, code: str, *, by: Staff, secrets: Sequence[str], at: datetime) -> None:
    try:
        guessing.refuse_when_guessing(by, at=at)
    except RuleBroken as refusal:
        refusal.field = "code"
        raise
    step = factor_rules.accepted_step(secret_of(found, secrets), code, at=at, last_step=found.last_step)
    if step is None or not _is_taken(found, step, at=at):
        guessing.count_secret(by.id, AuditAction.FACTOR_REFUSED, at=at)
        raise guessing.WrongSecret(WRONG_CODE, field="code")
    db.session.refresh(found)


def _is_taken(found: Authenticator, step: int, *, at: datetime) -> bool:
    """Use a time step up; False where the same code came twice at the same moment and this is the second."""
    is_later = sa.or_(Authenticator.last_step.is_(None), Authenticator.last_step < step)
    taken = sa.update(Authenticator).where(Authenticator.id == found.id, is_later)
    return _changed_one(taken.values(last_step=step, used_at=at))


def _use_up(code: str, *, by: Staff, at: datetime) -> None:
    unused = sa.update(RecoveryCode).where(
        RecoveryCode.staff_id == by.id, RecoveryCode.code_hash == token_hash(code), RecoveryCode.used_at.is_(None)
    )
    if not _changed_one(unused.values(used_at=at)):
        guessing.count_secret(by.id, AuditAction.FACTOR_REFUSED, at=at)
        raise guessing.WrongSecret("This recovery code is not yours, or it was used.", field="code")


def _changed_one(statement: sa.Update) -> bool:
    result = db.session.execute(statement)
    return isinstance(result, CursorResult) and result.rowcount == 1


# --- taking away -----------------------------------------------------------------------------------------------------


def remove(by: Staff, *, clinic: Clinic, at: datetime) -> None:
    """Take the own app away, with its recovery codes. Raises RuleBroken where the clinic asks for one."""
    if needs_factor(by, clinic) and not has_passkey(by.id):
        raise RuleBroken(OTHERWISE_REFUSED)
    _remove(by, by=by, at=at)


def _remove_passkeys(staff: Staff, *, by: Staff, at: datetime) -> None:
    found = sa.select(Passkey).where(Passkey.staff_id == staff.id, Passkey.removed_at.is_(None))
    for passkey in db.session.scalars(found):
        passkey.removed_at = at
        audit.record(AuditAction.PASSKEY_REMOVED, staff, actor_id=by.id, at=at, passkey_id=passkey.id, act=passkey.name)


def _remove(staff: Staff, *, by: Staff, at: datetime) -> None:
    found = authenticator_of(staff.id)
    if found is None:
        return
    found.removed_at = at
    _end_recovery_codes(staff.id, at=at)
    audit.record(AuditAction.FACTOR_REMOVED, staff, actor_id=by.id, at=at)


def who_may_second(staff: Staff, by: Staff) -> list[Staff]:
    """Return who may stand behind an admin's reset of somebody's second factor: every other active admin."""
    found = queries.staff_in_role(Role.ADMIN)
    return [one for one in found if one.status is StaffStatus.ACTIVE and one.id not in {staff.id, by.id}]


def start_reset(staff: Staff, proof: str, *, second: Staff | None = None, by: Staff, at: datetime) -> str:
    """Make the link with which a person who lost the app adds another one. Gives its token, which is kept nowhere.

    `proof` says how it was made sure that it is this person who asks. Where the clinic has another admin, one admin
    alone resets nobody (SD-12): `second` has just proved who that is. The link alone opens nothing: it wants the
    person's password, and the old app counts until it is used.
    """
    if not proof.strip():
        raise RuleBroken("Say how you made sure who asks, for example: came in person.", field="proof")
    seconds = {one.id for one in who_may_second(staff, by)}
    if seconds and (second is None or second.id not in seconds):
        raise RuleBroken("Another admin stands behind this too.", field="second_id")
    if staff.id == by.id:
        raise RuleBroken("Nobody resets the own second factor. Ask another admin.")
    if queries.works_elsewhere(staff.id):
        raise RuleBroken("This person also works for another clinic of this installation. Ask its operator.")
    if staff.status is StaffStatus.DISABLED:
        raise RuleBroken("Enable this account first.")
    if not has_factor(staff.id) and not has_passkey(staff.id):
        raise RuleBroken("This person has no second factor.")
    of_person = sa.update(Invitation).where(
        Invitation.staff_id == staff.id,
        Invitation.purpose == LinkPurpose.FACTOR,
        Invitation.used_at.is_(None),
        Invitation.expires_at > at,
    )
    db.session.execute(of_person.values(expires_at=at))
    token = new_token()
    link = Invitation(token_hash=token_hash(token), staff_id=staff.id, created_at=at, created_by_id=by.id)
    link.purpose, link.expires_at = LinkPurpose.FACTOR, at + RESET_LASTS
    db.session.add(link)
    audit.record(
        AuditAction.FACTOR_RESET,
        staff,
        actor_id=by.id,
        at=at,
        reason=proof.strip(),
        second_id=second.id if second else None,
        act=f"with {second.name}" if second else "alone: the clinic has no other admin",
    )
    return token


def may_reset(token: str, *, login: LoginSession, at: datetime) -> bool:
    """Whether a link of an admin has something to do here: a factor is waited for, or there are only passkeys.

    To a sign-in that waits for nothing a link that does not work is no page.
    """
    if login.is_factor_due:
        return True
    link = sa.select(Invitation.id).where(*_works(token, login.staff_id, at=at))
    return not has_factor(login.staff_id) and db.session.scalar(link) is not None


def _works(token: str, staff_id: uuid.UUID, *, at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Invitation.token_hash == token_hash(token),
        Invitation.staff_id == staff_id,
        Invitation.purpose == LinkPurpose.FACTOR,
        Invitation.used_at.is_(None),
        Invitation.expires_at > at,
    )


def use_reset(token: str, *, login: LoginSession, by: Staff, at: datetime) -> None:
    """Take the lost app and every passkey away by the link, for the person who has just given the password.

    Raises RuleBroken.
    """
    link = sa.update(Invitation).where(*_works(token, by.id, at=at))
    if not may_reset(token, login=login, at=at) or not _changed_one(link.values(used_at=at)):
        raise RuleBroken("This link no longer works. Ask an admin for another one.")
    _remove(by, by=by, at=at)
    _remove_passkeys(by, by=by, at=at)


def require(roles: frozenset[Role], *, clinic: Clinic, by: Staff, at: datetime) -> None:
    """Decide which roles need a second factor in this clinic; it is asked for at the next sign-in."""
    before, clinic.factor_roles = clinic.factor_roles, frozenset(str(role) for role in roles)
    audit.record(
        AuditAction.CLINIC_SETTINGS_CHANGED,
        clinic,
        actor_id=by.id,
        at=at,
        clinic_id=clinic.id,
        before=sorted(before),
        after=sorted(clinic.factor_roles),
        act="second factor",
    )

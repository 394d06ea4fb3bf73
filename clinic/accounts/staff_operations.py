"""What an administrator does to accounts: invite, change roles, disable, enable, reset (SD-2, SD-3)."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm.attributes import flag_modified

from clinic.accounts import operations, pins, queries
from clinic.accounts.models import Clinic, Invitation, Staff, StaffRole
from clinic.accounts.passwords import new_token, token_hash
from clinic.accounts.rules import INVITATION_LASTS, LinkPurpose, StaffStatus, roles_given_by
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Role

OWN_ACCOUNT = "Nobody changes the own roles or status. Ask another admin."
LAST_ADMIN = "This is the last active admin. Make somebody else an admin first."


def add_person(
    *,
    email: str,
    given_name: str,
    family_name: str,
    title: str | None,
    credentials: str | None,
    roles: Iterable[Role],
    by: Staff,
    at: datetime,
) -> tuple[Staff, str]:
    """Add a person, who chooses a password by the invitation. Gives the account and the invitation's token."""
    given = _may_give(frozenset(roles), by)
    staff = operations.create_staff(
        email=email,
        given_name=given_name,
        family_name=family_name,
        title=title,
        credentials=credentials,
        roles=given,
        by=by,
        at=at,
    )
    return staff, invite(staff, by=by, at=at)


def invite(staff: Staff, *, by: Staff | None, at: datetime) -> str:
    """Make the person's only valid single-use link and give its token, which is kept nowhere."""
    db.session.execute(
        sa.update(Invitation)
        .where(
            Invitation.staff_id == staff.id,
            Invitation.purpose == LinkPurpose.PASSWORD,
            Invitation.used_at.is_(None),
            Invitation.expires_at > at,
        )
        .values(expires_at=at)
    )
    token = new_token()
    db.session.add(
        Invitation(
            token_hash=token_hash(token),
            staff_id=staff.id,
            created_at=at,
            created_by_id=by.id if by else None,
            expires_at=at + INVITATION_LASTS,
        )
    )
    return token


def reset(staff: Staff, *, by: Staff, at: datetime) -> str:
    """Give a person a link for a new password; the old one holds until the link is used. Gives the link's token.

    The administrator starts it and never sees the secret (SD-12).
    """
    _not_oneself(staff, by)
    _only_ours(staff)
    if staff.status is StaffStatus.DISABLED:
        raise RuleBroken("Enable this account first.")
    token = invite(staff, by=by, at=at)
    audit.record(AuditAction.STAFF_CHANGED, staff, actor_id=by.id, at=at, act="new password link")
    return token


def accept_invitation(invitation: Invitation, staff: Staff, password: str, *, clinic: Clinic, at: datetime) -> None:
    """Set the password by a link, which is used up by it. Raises RuleBroken when the password is refused."""
    operations.set_password(staff, password, clinic=clinic)
    pins.remove(staff, by=staff, at=at)
    invitation.used_at = at
    is_new = staff.status is StaffStatus.INVITED
    staff.status = StaffStatus.ACTIVE
    operations.end_logins(staff, at=at)
    action = AuditAction.STAFF_ACTIVATED if is_new else AuditAction.PASSWORD_CHANGED
    audit.record(action, staff, actor_id=staff.id, at=at)


def change_roles(staff: Staff, roles: Iterable[Role], *, by: Staff, at: datetime) -> None:
    """Give and take roles in this clinic; it takes effect at the person's next request."""
    _not_oneself(staff, by)
    wanted = _may_give(frozenset(roles), by)
    admins = _lock_admins(staff, by)
    if Role.ADMIN not in wanted and admins == {staff.id}:
        raise RuleBroken(LAST_ADMIN, field="roles")
    before = staff.roles
    if wanted == before:
        return
    for grant in [held for held in staff.grants if held.role not in wanted]:
        staff.grants.remove(grant)
        db.session.delete(grant)
    for role in sorted(wanted - before):
        db.session.add(StaffRole(staff=staff, role=role, granted_at=at, granted_by_id=by.id))
    flag_modified(staff, "status")  # so that the version moves: somebody may have the page open
    db.session.flush()
    audit.record(AuditAction.STAFF_CHANGED, staff, actor_id=by.id, at=at, before=sorted(before), after=sorted(wanted))


def disable(staff: Staff, reason: str, *, by: Staff, at: datetime) -> None:
    """End a person's access now. The name stays on every record."""
    _not_oneself(staff, by)
    _only_ours(staff)
    if staff.status is StaffStatus.DISABLED:
        raise RuleBroken("This account is disabled already.")
    if _lock_admins(staff, by) == {staff.id}:
        raise RuleBroken(LAST_ADMIN)
    staff.status = StaffStatus.DISABLED
    operations.end_logins(staff, at=at)
    pins.remove(staff, by=by, at=at)
    audit.record(AuditAction.STAFF_DISABLED, staff, actor_id=by.id, at=at, reason=reason)


def enable(staff: Staff, *, by: Staff, at: datetime) -> None:
    """Let a disabled person sign in again, with the password or the invitation of before."""
    _not_oneself(staff, by)
    _only_ours(staff)
    if staff.status is not StaffStatus.DISABLED:
        raise RuleBroken("This account is not disabled.")
    staff.status = StaffStatus.ACTIVE if staff.password_hash else StaffStatus.INVITED
    audit.record(AuditAction.STAFF_ENABLED, staff, actor_id=by.id, at=at)


def end_sign_ins(staff: Staff, *, by: Staff, at: datetime) -> int:
    """Sign a person out everywhere. Gives how many browsers that were."""
    _only_ours(staff)
    ended = operations.end_logins(staff, at=at)
    audit.record(AuditAction.STAFF_CHANGED, staff, actor_id=by.id, at=at, act="signed out everywhere", browsers=ended)
    return ended


def _not_oneself(staff: Staff, by: Staff) -> None:
    if staff.id == by.id:
        raise RuleBroken(OWN_ACCOUNT)


def _only_ours(staff: Staff) -> None:
    """Refuse what would reach into another clinic: an account is one, wherever its person works."""
    if queries.works_elsewhere(staff.id):
        raise RuleBroken("This person also works for another clinic of this installation. Ask its operator.")


def _may_give(roles: frozenset[Role], by: Staff) -> frozenset[Role]:
    if not roles:
        raise RuleBroken("Choose at least one role.", field="roles")
    if not roles <= roles_given_by(by.roles):
        raise RuleBroken("You cannot give this role.", field="roles")
    return roles


def _lock_admins(staff: Staff, by: Staff) -> set[object]:
    """Hold the rows of all admins and give who of them is active now.

    Two admins who demote each other at once would leave none: whoever comes second waits here, then sees what the first
    did. The rows are locked in the order of their keys, so that two of us never wait for each other.
    """
    wanted = sorted({staff.id, by.id, *queries.active_admin_ids()})
    db.session.execute(sa.select(Staff.id).where(Staff.id.in_(wanted)).order_by(Staff.id).with_for_update())
    admins = set(queries.active_admin_ids())
    if by.id not in admins:
        raise RuleBroken("You are no longer an admin of this clinic.")
    drawn = staff.version
    db.session.refresh(staff)
    if staff.version != drawn:
        raise Conflict("Another admin changed this account at the same moment. Nothing of yours was saved.")
    return set(admins)

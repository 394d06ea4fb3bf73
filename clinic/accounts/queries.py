"""Named reads about accounts."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from clinic.accounts.models import Clinic, Invitation, LoginSession, Staff, StaffRole
from clinic.accounts.passwords import token_hash
from clinic.accounts.rules import LinkPurpose, StaffStatus
from clinic.core import db
from clinic.core.permissions import Role


def signed_in(
    token: str, *, at: datetime, idle_seconds: int, absolute_seconds: int
) -> tuple[LoginSession, Clinic] | None:
    """The live sign-in that a cookie's token names: not ended, not idle or old beyond the limits, person active."""
    row = db.session.execute(
        sa.select(LoginSession, Clinic)
        .join(Clinic, Clinic.id == LoginSession.clinic_id)
        .join(Staff, Staff.id == LoginSession.staff_id)
        .where(
            LoginSession.token_hash == token_hash(token),
            _is_live(at=at, idle_seconds=idle_seconds, absolute_seconds=absolute_seconds),
            Staff.status == StaffStatus.ACTIVE,
        )
    ).first()
    return None if row is None else (row[0], row[1])


def _is_live(*, at: datetime, idle_seconds: int, absolute_seconds: int) -> sa.ColumnElement[bool]:
    """A sign-in that has not ended: one that nobody uses ends soon, one that was locked waits for its person."""
    return sa.and_(
        LoginSession.ended_at.is_(None),
        sa.or_(LoginSession.seen_at > at - timedelta(seconds=idle_seconds), LoginSession.locked_at.is_not(None)),
        LoginSession.started_at > at - timedelta(seconds=absolute_seconds),
    )


def waiting_at_device(device: str, *, at: datetime, absolute_seconds: int) -> list[tuple[LoginSession, Staff]]:
    """Who signed in fully at a device and locked it, or was taken over from, in any clinic; the last seen first."""
    rows = db.session.execute(
        sa.select(LoginSession, Staff)
        .join(Staff, Staff.id == LoginSession.staff_id)
        .where(
            LoginSession.device_hash == device,
            LoginSession.ended_at.is_(None),
            LoginSession.locked_at.is_not(None),
            LoginSession.is_factor_due.is_(False),
            LoginSession.handed_path.is_(None),
            LoginSession.started_at > at - timedelta(seconds=absolute_seconds),
            Staff.status == StaffStatus.ACTIVE,
        )
        .order_by(LoginSession.seen_at.desc(), LoginSession.id)
        .execution_options(unscoped=True)
    )
    return [(login, staff) for login, staff in rows]


def login_at_device(device: str, staff_id: uuid.UUID, *, at: datetime, lasts: timedelta) -> LoginSession | None:
    """The last full sign-in of a person at a device that has not ended."""
    return db.session.scalar(
        sa.select(LoginSession)
        .where(
            LoginSession.device_hash == device,
            LoginSession.staff_id == staff_id,
            LoginSession.ended_at.is_(None),
            LoginSession.is_factor_due.is_(False),
            LoginSession.started_at > at - lasts,
        )
        .order_by(LoginSession.started_at.desc())
        .limit(1)
    )


def staff_with_roles(staff_id: uuid.UUID) -> Staff | None:
    """A person with the roles held in this clinic; None for somebody who holds none here."""
    staff = db.session.get(Staff, staff_id)
    return staff if staff is not None and staff.grants else None


def by_email(email: str) -> Staff | None:
    """The account with this e-mail address, with its roles in every clinic."""
    return db.session.scalar(
        sa.select(Staff).where(Staff.email == email.strip().lower()).execution_options(unscoped=True)
    )


def staff_of_clinic() -> list[Staff]:
    """Everybody who holds a role in this clinic, by family name."""
    ids = sa.select(StaffRole.staff_id)
    return list(
        db.session.scalars(sa.select(Staff).where(Staff.id.in_(ids)).order_by(Staff.family_name, Staff.given_name))
    )


def staff_in_role(*roles: Role) -> list[Staff]:
    """Active people who hold one of the roles in this clinic, by family name."""
    ids = sa.select(StaffRole.staff_id).where(StaffRole.role.in_(roles))
    return list(
        db.session.scalars(
            sa.select(Staff)
            .where(Staff.id.in_(ids), Staff.status == StaffStatus.ACTIVE)
            .order_by(Staff.family_name, Staff.given_name)
        )
    )


def author_of(token: str) -> Staff | None:
    """The person whose sign-in a token names, even one that has ended, as long as the account is active."""
    return db.session.scalar(
        sa.select(Staff)
        .join(LoginSession, LoginSession.staff_id == Staff.id)
        .where(LoginSession.token_hash == token_hash(token), Staff.status == StaffStatus.ACTIVE)
        .execution_options(unscoped=True)
    )


def staff_by_id(staff_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Staff]:
    """People by their id, whatever became of their accounts: names stay on every record."""
    rows = db.session.scalars(sa.select(Staff).where(Staff.id.in_(list(staff_ids))).execution_options(unscoped=True))
    return {person.id: person for person in rows}


def handed_path_of(token: object) -> str | None:
    """The page that a tablet was handed over with, from the token of its sign-in, even one that has ended."""
    if not isinstance(token, str):
        return None
    return db.session.scalar(
        sa.select(LoginSession.handed_path)
        .where(LoginSession.token_hash == token_hash(token))
        .execution_options(unscoped=True)
    )


def first_clinic_id(staff_id: uuid.UUID) -> uuid.UUID | None:
    """The clinic that a person signs in to: the one of the oldest role."""
    return db.session.scalar(
        sa.select(StaffRole.clinic_id)
        .where(StaffRole.staff_id == staff_id)
        .order_by(StaffRole.granted_at, StaffRole.id)
        .limit(1)
        .execution_options(unscoped=True)
    )


def works_here(staff_id: uuid.UUID) -> bool:
    """Whether a person holds a role in this clinic, whatever else was read about them before."""
    return db.session.scalar(sa.select(StaffRole.id).where(StaffRole.staff_id == staff_id).limit(1)) is not None


def works_elsewhere(staff_id: uuid.UUID) -> bool:
    """Whether a person holds a role in another clinic too."""
    return (
        db.session.scalar(
            sa.select(StaffRole.id)
            .where(StaffRole.staff_id == staff_id, StaffRole.clinic_id != db.current_clinic_id())
            .limit(1)
            .execution_options(unscoped=True)
        )
        is not None
    )


def active_admin_ids() -> list[uuid.UUID]:
    """The people who can look after this clinic's accounts now."""
    return list(
        db.session.scalars(
            sa.select(StaffRole.staff_id)
            .join(Staff, Staff.id == StaffRole.staff_id)
            .where(StaffRole.role == Role.ADMIN, Staff.status == StaffStatus.ACTIVE)
        )
    )


def sole_clinic() -> Clinic | None:
    """The clinic of an installation that serves one: its name may stand on the sign-in page."""
    found = db.session.scalars(sa.select(Clinic).limit(2)).all()
    return found[0] if len(found) == 1 else None


def clinic_called(name: str) -> Clinic | None:
    """The clinic of this name."""
    return db.session.scalar(sa.select(Clinic).where(Clinic.name == name))


def unended_logins(staff_id: uuid.UUID) -> list[LoginSession]:
    """The sign-ins of a person that nobody has ended, newest first; some may be past their time."""
    return list(
        db.session.scalars(
            sa.select(LoginSession)
            .where(LoginSession.staff_id == staff_id, LoginSession.ended_at.is_(None))
            .order_by(LoginSession.started_at.desc())
        )
    )


def live_logins(staff_id: uuid.UUID, *, at: datetime, idle_seconds: int, absolute_seconds: int) -> list[LoginSession]:
    """The browsers that a person is signed in with now, newest first."""
    live = _is_live(at=at, idle_seconds=idle_seconds, absolute_seconds=absolute_seconds)
    found = sa.select(LoginSession).where(LoginSession.staff_id == staff_id, live)
    return list(db.session.scalars(found.order_by(LoginSession.started_at.desc())))


@dataclass(frozen=True, slots=True)
class SignIns:
    """When a person last signed in, and with how many browsers right now."""

    last_at: datetime | None
    live: int


def sign_ins(*, at: datetime, idle_seconds: int, absolute_seconds: int) -> dict[uuid.UUID, SignIns]:
    """The sign-ins of everybody who has one in this clinic."""
    is_live = _is_live(at=at, idle_seconds=idle_seconds, absolute_seconds=absolute_seconds)
    rows = db.session.execute(
        sa.select(
            LoginSession.staff_id, sa.func.max(LoginSession.started_at), sa.func.sum(sa.case((is_live, 1), else_=0))
        )
        .where(LoginSession.clinic_id == db.current_clinic_id())
        .group_by(LoginSession.staff_id)
    )
    return {staff_id: SignIns(last_at, int(live)) for staff_id, last_at, live in rows}


def open_invitations(*, at: datetime) -> dict[uuid.UUID, datetime]:
    """Until when the link of an invited person works: the newest one that is neither used nor too old."""
    rows = db.session.execute(
        sa.select(Invitation.staff_id, sa.func.max(Invitation.expires_at))
        .where(Invitation.purpose == LinkPurpose.PASSWORD, Invitation.used_at.is_(None), Invitation.expires_at > at)
        .group_by(Invitation.staff_id)
    )
    return {staff_id: until for staff_id, until in rows}  # noqa: C416 rows are no pairs to the type checker


def invited(token: str, *, at: datetime) -> tuple[Invitation, Staff, Clinic] | None:
    """What a link leads to: the invitation, held against a second use, its person and the clinic; None when dead."""
    invitation = db.session.scalar(
        sa.select(Invitation)
        .where(
            Invitation.token_hash == token_hash(token),
            Invitation.purpose == LinkPurpose.PASSWORD,
            Invitation.used_at.is_(None),
            Invitation.expires_at > at,
        )
        .with_for_update()
    )
    clinic_id = first_clinic_id(invitation.staff_id) if invitation else None
    clinic = db.session.get(Clinic, clinic_id) if clinic_id else None
    if invitation is None or clinic is None:
        return None
    staff = db.session.scalar(
        sa.select(Staff)
        .where(Staff.id == invitation.staff_id, Staff.status != StaffStatus.DISABLED)
        .execution_options(unscoped=True)
    )
    return None if staff is None else (invitation, staff, clinic)

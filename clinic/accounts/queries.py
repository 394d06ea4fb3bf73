"""Named reads about accounts."""

import uuid
from datetime import datetime, timedelta

import sqlalchemy as sa

from clinic.accounts.models import Clinic, LoginSession, Staff, StaffRole
from clinic.accounts.passwords import token_hash
from clinic.accounts.rules import StaffStatus
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
            LoginSession.ended_at.is_(None),
            LoginSession.seen_at > at - timedelta(seconds=idle_seconds),
            LoginSession.started_at > at - timedelta(seconds=absolute_seconds),
            Staff.status == StaffStatus.ACTIVE,
        )
    ).first()
    return None if row is None else (row[0], row[1])


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

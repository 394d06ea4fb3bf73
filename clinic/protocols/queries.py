"""Named reads about the formulary and the protocols."""

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, joinedload, selectinload

from clinic.accounts.models import Clinic, Staff, StaffRole
from clinic.accounts.rules import Approver, StaffStatus
from clinic.core import db
from clinic.core.permissions import Role
from clinic.protocols.models import Drug, Protocol, ProtocolStep, ProtocolVersion, Terms
from clinic.protocols.rules import ProtocolStatus


def whole_terms(path: InstrumentedAttribute[Terms]) -> Any:
    """Load the terms behind `path` (`OrderVersion.terms`) with all that hangs on them, in a fixed number of reads."""
    return joinedload(path).options(
        joinedload(Terms.drug),
        selectinload(Terms.limits),
        selectinload(Terms.prn_items),
        selectinload(Terms.phases),
        selectinload(Terms.checks),
    )


def drugs(*, with_retired: bool = False) -> list[Drug]:
    """The clinic's formulary by name."""
    found = sa.select(Drug).order_by(Drug.name, Drug.product)
    if not with_retired:
        found = found.where(Drug.is_retired.is_(False))
    return list(db.session.scalars(found))


def drug(drug_id: uuid.UUID) -> Drug | None:
    """A line of the formulary."""
    return db.session.scalar(sa.select(Drug).where(Drug.id == drug_id))


def protocols() -> list[Protocol]:
    """Every protocol with its versions and their terms, by name."""
    return list(
        db.session.scalars(
            sa.select(Protocol)
            .order_by(Protocol.name)
            .options(
                selectinload(Protocol.versions).options(
                    joinedload(ProtocolVersion.terms).joinedload(Terms.drug), joinedload(ProtocolVersion.approved_by)
                )
            )
        )
    )


def protocol(protocol_id: uuid.UUID) -> Protocol | None:
    """A protocol with its versions."""
    return db.session.scalar(
        sa.select(Protocol)
        .where(Protocol.id == protocol_id)
        .options(selectinload(Protocol.versions).joinedload(ProtocolVersion.approved_by))
    )


def protocol_named(name: str) -> Protocol | None:
    """The protocol with this name, with its versions."""
    return db.session.scalar(sa.select(Protocol).where(Protocol.name == name).options(selectinload(Protocol.versions)))


def version(version_id: uuid.UUID) -> ProtocolVersion | None:
    """A version with all its terms."""
    return db.session.scalar(
        sa.select(ProtocolVersion)
        .where(ProtocolVersion.id == version_id)
        .options(
            joinedload(ProtocolVersion.approved_by),
            joinedload(ProtocolVersion.drafted_by),
            joinedload(ProtocolVersion.protocol).selectinload(Protocol.versions),
            selectinload(ProtocolVersion.steps).joinedload(ProtocolStep.recorded_by),
            whole_terms(ProtocolVersion.terms),
        )
    )


def versions_in_use() -> list[ProtocolVersion]:
    """The versions that a new course can begin with, by the protocol's name."""
    return list(
        db.session.scalars(
            sa.select(ProtocolVersion)
            .join(ProtocolVersion.protocol)
            .where(ProtocolVersion.status == ProtocolStatus.ACTIVE)
            .options(joinedload(ProtocolVersion.protocol), joinedload(ProtocolVersion.terms))
            .order_by(Protocol.name)
        )
    )


def number_in_use(protocol_id: uuid.UUID) -> int | None:
    """The number of the version of a protocol that new courses begin with."""
    return db.session.scalar(
        sa.select(ProtocolVersion.number).where(
            ProtocolVersion.protocol_id == protocol_id, ProtocolVersion.status == ProtocolStatus.ACTIVE
        )
    )


def waits_for(person_id: uuid.UUID) -> sa.ColumnElement[bool]:
    """Versions in review that a physician may sign into use; not one's own where another physician does that."""
    wants_another = sa.exists().where(Clinic.id == ProtocolVersion.clinic_id, _wants_another())
    wrote = sa.exists().where(
        ProtocolStep.protocol_version_id == ProtocolVersion.id,
        ProtocolStep.recorded_by_id == person_id,
        is_writing(),
    )
    is_own = sa.or_(ProtocolVersion.drafted_by_id == person_id, wrote)
    return sa.and_(ProtocolVersion.status == ProtocolStatus.REVIEW, ~sa.and_(wants_another, is_own))


def _wants_another() -> sa.ColumnElement[bool]:
    """The clinic decided that another physician than an author signs a protocol, or decided nothing and has several."""
    physicians = (
        sa.select(sa.func.count(Staff.id))
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .where(StaffRole.role == Role.PHYSICIAN, StaffRole.clinic_id == Clinic.id, Staff.status == StaffStatus.ACTIVE)
        .correlate(Clinic)
        .scalar_subquery()
    )
    return sa.or_(
        Clinic.protocol_approver == Approver.ANOTHER, sa.and_(Clinic.protocol_approver.is_(None), physicians > 1)
    )


def wants_another(clinic_id: uuid.UUID) -> bool:
    """Whether an author of a protocol version leaves it to another physician to sign it into use."""
    return bool(db.session.scalar(sa.select(sa.exists().where(Clinic.id == clinic_id, _wants_another()))))


def is_writing() -> sa.ColumnElement[bool]:
    """Steps by which somebody wrote in a version."""
    return sa.and_(
        ProtocolStep.to_status == ProtocolStatus.DRAFT,
        sa.or_(ProtocolStep.from_status.is_(None), ProtocolStep.from_status == ProtocolStatus.DRAFT),
    )


def in_review(person_id: uuid.UUID) -> list[ProtocolVersion]:
    """The versions that wait for a physician, with protocol, author and steps."""
    return list(
        db.session.scalars(
            sa.select(ProtocolVersion)
            .where(waits_for(person_id))
            .options(
                joinedload(ProtocolVersion.protocol),
                joinedload(ProtocolVersion.drafted_by),
                selectinload(ProtocolVersion.steps),
            )
            .order_by(ProtocolVersion.drafted_at)
        )
    )

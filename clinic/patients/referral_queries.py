"""Named reads about referrals."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from clinic.core import db
from clinic.patients.models import Referral, ReferralVerdict


def _stands() -> sa.ColumnElement[bool]:
    later = aliased(Referral)
    is_replaced = sa.exists().where(later.supersedes_id == Referral.id).correlate(Referral)
    return sa.and_(Referral.is_void.is_(False), ~is_replaced)


def undecided() -> sa.ColumnElement[bool]:
    """Referrals that stand and that no physician has decided on."""
    is_decided = sa.exists().where(ReferralVerdict.referral_id == Referral.id).correlate(Referral)
    return sa.and_(_stands(), ~is_decided)


def _referrals(condition: sa.ColumnElement[bool], *also: ORMOption) -> list[Referral]:
    return list(
        db.session.scalars(
            sa.select(Referral)
            .where(condition)
            .options(joinedload(Referral.patient), joinedload(Referral.recorded_by), *also)
            .order_by(Referral.received_on.desc(), Referral.id.desc())
        )
    )


def _with_verdicts() -> ORMOption:
    return selectinload(Referral.verdicts).joinedload(ReferralVerdict.recorded_by)


def current_referrals(patient_id: uuid.UUID) -> list[Referral]:
    """The referrals of a patient that stand, the latest first."""
    return _referrals(sa.and_(Referral.patient_id == patient_id, _stands()), _with_verdicts())


def earlier_referrals(patient_id: uuid.UUID) -> list[Referral]:
    """What referrals said before they were written again."""
    return _referrals(sa.and_(Referral.patient_id == patient_id, ~_stands()), _with_verdicts())


def referrals_to_decide() -> list[Referral]:
    """What waits for a physician, the latest first."""
    return _referrals(undecided())


def referral(referral_id: uuid.UUID) -> Referral | None:
    """A referral by its key."""
    return db.session.get(Referral, referral_id)

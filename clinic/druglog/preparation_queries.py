"""Named reads of bags and syringes that were made for a session."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from clinic.core import db
from clinic.druglog.models import DrugAccount, RegisterEntry
from clinic.druglog.models_settling import Preparation
from clinic.druglog.settling_rules import read_code

_LINE = joinedload(Preparation.line).joinedload(RegisterEntry.answer)
_CORRECTED = selectinload(Preparation.time_corrections).options(
    joinedload(RegisterEntry.recorded_by), joinedload(RegisterEntry.witness)
)


def preparations_of(account_id: uuid.UUID) -> list[Preparation]:
    """Return what was made for a session, the earliest first, read anew: others may have struck one out meanwhile."""
    return list(
        db.session.scalars(
            sa.select(Preparation)
            .where(Preparation.account_id == account_id)
            .options(joinedload(Preparation.recorded_by), joinedload(Preparation.checked_by), _LINE, _CORRECTED)
            .order_by(Preparation.made_at, Preparation.id)
            .execution_options(populate_existing=True)
        )
    )


def preparation(preparation_id: uuid.UUID) -> Preparation | None:
    """Return a bag or syringe with its people and its patient."""
    return db.session.scalar(
        sa.select(Preparation)
        .where(Preparation.id == preparation_id)
        .options(
            joinedload(Preparation.recorded_by),
            joinedload(Preparation.checked_by),
            joinedload(Preparation.account).joinedload(DrugAccount.patient),
            _LINE,
            _CORRECTED,
        )
    )


def preparation_with(code: str) -> Preparation | None:
    """Return what a scanned or typed label names."""
    return db.session.scalar(sa.select(Preparation).where(Preparation.code == read_code(code)))

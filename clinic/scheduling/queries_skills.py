"""Named reads of what nurses know."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from clinic.core import db
from clinic.protocols.models import Drug
from clinic.scheduling.models_skills import NurseSkill


def skills() -> list[NurseSkill]:
    """Everything that is written down and was not taken back, by drug and nurse."""
    later = aliased(NurseSkill)
    return list(
        db.session.scalars(
            sa.select(NurseSkill)
            .where(NurseSkill.is_void.is_(False), ~sa.exists().where(later.supersedes_id == NurseSkill.id))
            .options(joinedload(NurseSkill.staff), joinedload(NurseSkill.recorded_by))
            .order_by(NurseSkill.drug_name, NurseSkill.valid_from, NurseSkill.recorded_at)
        )
    )


def skill(skill_id: uuid.UUID) -> NurseSkill | None:
    """One row that was not taken back."""
    return next((each for each in skills() if each.id == skill_id), None)


def drug_names() -> list[str]:
    """The drugs of the formulary, each name once."""
    return list(
        db.session.scalars(sa.select(Drug.name).where(Drug.is_retired.is_(False)).distinct().order_by(Drug.name))
    )

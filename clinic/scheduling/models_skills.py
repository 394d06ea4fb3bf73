"""Which drugs a nurse knows. A row is never changed: a void row that supersedes it takes it back."""

import uuid
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import Recorded, Superseding, correction_says_why


class NurseSkill(ClinicScoped, Recorded, Superseding, Base):
    """A nurse may look after patients of this drug, from one date on, perhaps until another.

    As long as anybody is written down for a drug, nobody else is booked with its patients. Drugs are named as in the
    formulary, so that every product of one name is meant.
    """

    __tablename__ = "nurse_skill"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("valid_until >= valid_from", name="skill_ends_after_it_begins"),
        sa.Index(None, "clinic_id", "drug_name"),
    )

    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    drug_name: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    staff: Mapped[Staff] = relationship(foreign_keys="NurseSkill.staff_id")
    recorded_by: Mapped[Staff] = relationship(foreign_keys="NurseSkill.recorded_by_id")

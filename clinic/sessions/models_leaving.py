"""How a patient leaves: the discharge score and the way out, as rows of a session."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import ADDED, Recorded, Superseding, SupersedingSince, correction_says_why, first_only
from clinic.core.types import enum_type
from clinic.protocols.rules import DischargeScale
from clinic.sessions.event_rules import DischargeExit

if TYPE_CHECKING:
    from clinic.sessions.models import InfusionSession


class DischargeAssessment(ClinicScoped, Recorded, Superseding, Base):
    """A discharge score, item by item in the order of the scale. A missing item is never counted as met."""

    __tablename__ = "discharge_assessment"
    __table_args__ = (
        correction_says_why(),
        *(sa.CheckConstraint(f"item_{n} BETWEEN 0 AND 2", name=f"item_{n}_is_0_to_2") for n in range(1, 6)),
    )

    infusion_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_session.id"), index=True)
    scale: Mapped[DischargeScale] = mapped_column(enum_type(DischargeScale, "discharge_scale"))
    assessed_at: Mapped[datetime]
    item_1: Mapped[int | None]
    item_2: Mapped[int | None]
    item_3: Mapped[int | None]
    item_4: Mapped[int | None]
    item_5: Mapped[int | None]
    infusion: Mapped["InfusionSession"] = relationship(back_populates="discharge_assessments")
    recorded_by: Mapped[Staff] = relationship(foreign_keys="DischargeAssessment.recorded_by_id")

    @property
    def items(self) -> list[int | None]:
        return [self.item_1, self.item_2, self.item_3, self.item_4, self.item_5]


class Discharge(ClinicScoped, Recorded, SupersedingSince, Base):
    """How the patient left. One that is undone is withdrawn by a row of its own, and the next goes on from there."""

    __tablename__ = "discharge"
    __table_args__ = (
        correction_says_why(),
        sa.Index("uq_discharge_first", "infusion_id", unique=True, **first_only()),
        sa.CheckConstraint("exit <> 'transfer' OR destination IS NOT NULL", name="transfer_names_destination"),
        sa.CheckConstraint("override_by_id IS NULL OR override_reason IS NOT NULL", name="override_says_why"),
    )

    infusion_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_session.id"), index=True)
    discharged_at: Mapped[datetime]
    exit: Mapped[DischargeExit] = mapped_column(enum_type(DischargeExit, "discharge_exit"))
    escort_name: Mapped[str | None]
    escort_phone: Mapped[str | None]
    instructions: Mapped[str | None]
    instructions_language: Mapped[str | None]
    is_cannula_removed: Mapped[bool]
    is_escort_present: Mapped[bool]
    are_belongings_returned: Mapped[bool | None]
    destination: Mapped[str | None]
    reason: Mapped[str | None]
    override_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    override_reason: Mapped[str | None]
    # Until when the chair was held before the discharge freed it.
    held_until: Mapped[datetime | None] = mapped_column(info=ADDED)
    infusion: Mapped["InfusionSession"] = relationship(back_populates="discharges")
    override_by: Mapped[Staff | None] = relationship(foreign_keys=[override_by_id])
    recorded_by: Mapped[Staff] = relationship(foreign_keys="Discharge.recorded_by_id")


def standing(rows: Sequence[Discharge]) -> Discharge | None:
    """Return the discharge of a session that stands: superseded by none and not undone."""
    superseded = {row.supersedes_id for row in rows}
    return next((row for row in rows if row.id not in superseded and not row.is_void), None)

"""What becomes of a discrepancy, sheets on which a whole cabinet is counted, and what was made for one session."""

import uuid
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import Recorded
from clinic.core.types import Quantity, enum_type
from clinic.druglog.models import Cabinet, Discrepancy, DrugAccount, RegisterEntry
from clinic.druglog.rules import RegisterKind
from clinic.druglog.settling_rules import Cause, CountPurpose, PreparationKind, StepKind, TakenAt


class StockCount(ClinicScoped, Recorded, Base):
    """One sheet: two people counted every page of a cabinet. Its lines in the register name it."""

    __tablename__ = "stock_count"
    __table_args__ = (
        sa.CheckConstraint("witness_id <> recorded_by_id", name="two_people_count"),
        sa.CheckConstraint(
            "purpose NOT IN ('initial inventory', 'biennial inventory') OR taken IS NOT NULL",
            name="inventory_says_when_in_the_day",
        ),
    )

    cabinet_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("cabinet.id"))
    purpose: Mapped[CountPurpose] = mapped_column(enum_type(CountPurpose, "count_purpose"))
    taken: Mapped[TakenAt | None] = mapped_column(enum_type(TakenAt, "taken_at"))
    counted_at: Mapped[datetime]
    witness_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    cabinet: Mapped[Cabinet] = relationship()
    witness: Mapped[Staff] = relationship(foreign_keys=[witness_id])
    recorded_by: Mapped[Staff] = relationship(foreign_keys="StockCount.recorded_by_id")
    entries: Mapped[list[RegisterEntry]] = relationship(order_by=RegisterEntry.id)


class Preparation(ClinicScoped, Recorded, Base):
    """A bag or syringe made for one session: what is in it, who made it, who checked it, until when it may be used."""

    __tablename__ = "preparation"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "code"),
        sa.CheckConstraint("amount_mg > 0 AND volume_ml > 0", name="something_was_made"),
        sa.CheckConstraint("beyond_use_at > made_at", name="it_lasts_after_it_is_made"),
        sa.CheckConstraint("checked_by_id <> recorded_by_id", name="another_person_checks"),
    )

    account_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("drug_account.id"), index=True)
    code: Mapped[str] = mapped_column(sa.String(12))
    kind: Mapped[PreparationKind] = mapped_column(enum_type(PreparationKind, "preparation_kind"))
    drug_name: Mapped[str]
    amount_mg: Mapped[Decimal] = mapped_column(Quantity(4))
    volume_ml: Mapped[Decimal] = mapped_column(Quantity(4))
    diluent: Mapped[str | None]
    made_at: Mapped[datetime]
    beyond_use_at: Mapped[datetime]
    checked_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    account: Mapped[DrugAccount] = relationship()
    checked_by: Mapped[Staff] = relationship(foreign_keys=[checked_by_id])
    recorded_by: Mapped[Staff] = relationship(foreign_keys="Preparation.recorded_by_id")
    line: Mapped[RegisterEntry | None] = relationship(
        primaryjoin=lambda: sa.and_(
            RegisterEntry.preparation_id == Preparation.id, RegisterEntry.kind == RegisterKind.PREPARE
        ),
        foreign_keys=[RegisterEntry.preparation_id],
        uselist=False,
        viewonly=True,
    )
    time_corrections: Mapped[list[RegisterEntry]] = relationship(
        primaryjoin=lambda: sa.and_(
            RegisterEntry.preparation_id == Preparation.id, RegisterEntry.beyond_use_at.is_not(None)
        ),
        foreign_keys=[RegisterEntry.preparation_id],
        order_by=RegisterEntry.id,
        viewonly=True,
    )

    @property
    def use_before_at(self) -> datetime:
        """Until when it may be used: as the last correction says, else as it was entered when it was made."""
        corrected = self.time_corrections[-1].beyond_use_at if self.time_corrections else None
        return corrected or self.beyond_use_at

    @property
    def is_struck(self) -> bool:
        """Whether its line was struck out: it was never made, and nothing is hung from it."""
        return self.line is not None and self.line.is_struck


class DiscrepancyStep(ClinicScoped, Recorded, Base):
    """What was done about a discrepancy: looked into, resolved or reported by two people with a cause, reopened."""

    __tablename__ = "discrepancy_step"
    __table_args__ = (
        sa.UniqueConstraint("discrepancy_id", "number"),
        sa.CheckConstraint(
            "kind NOT IN ('resolved', 'reported') OR (cause IS NOT NULL AND second_id IS NOT NULL)",
            name="two_people_close_with_a_cause",
        ),
        sa.CheckConstraint("second_id <> recorded_by_id", name="second_is_another_person"),
    )

    discrepancy_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("discrepancy.id"))
    number: Mapped[int]
    kind: Mapped[StepKind] = mapped_column(enum_type(StepKind, "step_kind"))
    cause: Mapped[Cause | None] = mapped_column(enum_type(Cause, "discrepancy_cause"))
    note: Mapped[str]
    second_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    discrepancy: Mapped[Discrepancy] = relationship(back_populates="steps")
    second: Mapped[Staff | None] = relationship(foreign_keys=[second_id])
    recorded_by: Mapped[Staff] = relationship(foreign_keys="DiscrepancyStep.recorded_by_id")

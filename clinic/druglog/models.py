"""The drug account of a session and the register of controlled drugs."""

import uuid
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import Recorded
from clinic.core.types import Quantity, enum_type
from clinic.druglog.rules import RegisterKind
from clinic.patients.models import Patient


class Container(ClinicScoped, Base):
    """A vial or bag as it came: drug, strength, size, lot."""

    __tablename__ = "container"

    drug_name: Mapped[str]
    strength_mg_ml: Mapped[Decimal | None] = mapped_column(Quantity(4))
    size_ml: Mapped[Decimal | None] = mapped_column(Quantity(4))
    description: Mapped[str]
    lot: Mapped[str | None]
    expires_on: Mapped[date | None]
    received_at: Mapped[datetime]


class DrugAccount(ClinicScoped, Base):
    """What was taken out for one session; it must come to nothing: withdrawn = given + wasted + returned."""

    __tablename__ = "drug_account"

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    opened_at: Mapped[datetime]
    patient: Mapped[Patient] = relationship()
    entries: Mapped[list["RegisterEntry"]] = relationship(
        back_populates="account", order_by="RegisterEntry.happened_at"
    )


class RegisterEntry(ClinicScoped, Recorded, Base):
    """A line of the register, in mg. Never changed: a wrong line is followed by an adjusting one."""

    __tablename__ = "register_entry"
    __table_args__ = (
        sa.CheckConstraint("witness_id <> recorded_by_id", name="witness_is_another_person"),
        sa.CheckConstraint(
            "kind NOT IN ('waste', 'destroy', 'count', 'adjust') OR witness_id IS NOT NULL", name="waste_is_witnessed"
        ),
        sa.CheckConstraint("balance_after_mg >= 0", name="balance_is_never_negative"),
        sa.CheckConstraint("kind = 'adjust' OR quantity_mg >= 0", name="quantity_is_not_negative"),
        sa.Index(None, "account_id"),
        sa.Index(None, "container_id", "happened_at"),
    )

    account_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("drug_account.id"))
    container_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("container.id"))
    drug_name: Mapped[str]
    kind: Mapped[RegisterKind] = mapped_column(enum_type(RegisterKind, "register_kind"))
    quantity_mg: Mapped[Decimal] = mapped_column(Quantity(4))
    balance_after_mg: Mapped[Decimal | None] = mapped_column(Quantity(4))
    happened_at: Mapped[datetime]
    reason: Mapped[str | None]
    witness_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    account: Mapped[DrugAccount | None] = relationship(back_populates="entries")
    container: Mapped[Container | None] = relationship()
    recorded_by: Mapped[Staff] = relationship(foreign_keys="RegisterEntry.recorded_by_id")
    witness: Mapped[Staff | None] = relationship(foreign_keys=[witness_id])


class Discrepancy(ClinicScoped, Recorded, Base):
    """Drug that is not accounted for. Opened by closing a session out of balance or by a count."""

    __tablename__ = "discrepancy"

    account_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("drug_account.id"), index=True)
    container_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("container.id"))
    drug_name: Mapped[str]
    amount_mg: Mapped[Decimal] = mapped_column(Quantity(4))
    opened_at: Mapped[datetime]
    text: Mapped[str]
    recorded_by: Mapped[Staff] = relationship(foreign_keys="Discrepancy.recorded_by_id")

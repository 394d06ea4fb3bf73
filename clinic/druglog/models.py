"""The register of controlled drugs by cabinet and drug, the containers in it, and the drug account of a session."""

import uuid
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Site, Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import ADDED, Recorded, Superseding, correction_says_why
from clinic.core.types import Quantity, enum_type
from clinic.druglog.rules import RegisterKind, content_mg, plural
from clinic.druglog.settling_rules import DiscrepancyStatus, status_after
from clinic.patients.models import Patient


class Cabinet(ClinicScoped, Base):
    """A locked place for controlled drugs."""

    __tablename__ = "cabinet"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "name"),)

    site_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("site.id"))
    name: Mapped[str]
    is_retired: Mapped[bool] = mapped_column(default=False)
    site: Mapped[Site] = relationship()


_ONE_MEASURE = "piece_mg IS NULL OR (piece_mg > 0 AND strength_mg_ml IS NULL AND size_ml IS NULL)"


class Register(ClinicScoped, Base):
    """One page of the register: a drug in one strength, size and form in one cabinet. Its lines are numbered.

    A liquid has mg per mL and mL; a tablet, a patch and their like have mg in each piece.
    """

    __tablename__ = "register"
    __table_args__ = (
        sa.UniqueConstraint("cabinet_id", "name"),
        sa.CheckConstraint(_ONE_MEASURE, name="a_piece_has_no_volume"),
    )

    cabinet_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("cabinet.id"))
    drug_name: Mapped[str]
    form: Mapped[str]
    strength_mg_ml: Mapped[Decimal | None] = mapped_column(Quantity(4))
    size_ml: Mapped[Decimal | None] = mapped_column(Quantity(4))
    name: Mapped[str]
    piece_mg: Mapped[Decimal | None] = mapped_column(Quantity(4), sort_order=10)
    cabinet: Mapped[Cabinet] = relationship()

    @property
    def content_mg(self) -> Decimal | None:
        """What one of what is counted holds, where the label says it: a full container, or a single tablet."""
        return self.piece_mg or content_mg(self.strength_mg_ml, self.size_ml)

    @property
    def counted(self) -> str:
        """The word for several of what is counted."""
        return plural(self.form)


class Receipt(ClinicScoped, Recorded, Base):
    """A delivery: from whom, on which invoice. Its containers name it."""

    __tablename__ = "receipt"

    supplier: Mapped[str]
    supplier_address: Mapped[str | None]
    supplier_number: Mapped[str | None]
    invoice: Mapped[str]
    received_at: Mapped[datetime]
    recorded_by: Mapped[Staff] = relationship(foreign_keys="Receipt.recorded_by_id")


class LotRecall(ClinicScoped, Recorded, Superseding, Base):
    """A lot that the clinic has been told to use no more. Lifted by a later row."""

    __tablename__ = "lot_recall"
    __table_args__ = (correction_says_why(),)

    drug_name: Mapped[str]
    lot: Mapped[str]
    reason: Mapped[str]
    recorded_by: Mapped[Staff] = relationship(foreign_keys="LotRecall.recorded_by_id")


class Container(ClinicScoped, Base):
    """A vial or bag as it came: drug, strength, size, lot; where it stands and since when it is open."""

    __tablename__ = "container"
    __table_args__ = (
        sa.CheckConstraint(_ONE_MEASURE, name="a_piece_has_no_volume"),
        sa.CheckConstraint(
            "piece_count IS NULL OR (piece_count > 0 AND piece_mg IS NOT NULL)", name="pieces_say_what_each_holds"
        ),
    )

    drug_name: Mapped[str]
    strength_mg_ml: Mapped[Decimal | None] = mapped_column(Quantity(4))
    size_ml: Mapped[Decimal | None] = mapped_column(Quantity(4))
    description: Mapped[str]
    lot: Mapped[str | None]
    expires_on: Mapped[date | None]
    received_at: Mapped[datetime]
    register_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("register.id"), index=True, sort_order=10)
    receipt_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("receipt.id"), sort_order=10)
    product_code: Mapped[str | None] = mapped_column(sort_order=10)
    piece_mg: Mapped[Decimal | None] = mapped_column(Quantity(4), sort_order=11)
    piece_count: Mapped[int | None] = mapped_column(sort_order=11)
    opened_at: Mapped[datetime | None] = mapped_column(sort_order=10)
    beyond_use_at: Mapped[datetime | None] = mapped_column(sort_order=10)
    register: Mapped[Register] = relationship()
    receipt: Mapped[Receipt | None] = relationship()
    time_corrections: Mapped[list["RegisterEntry"]] = relationship(
        primaryjoin="and_(RegisterEntry.container_id == Container.id, RegisterEntry.beyond_use_at.is_not(None))",
        order_by="RegisterEntry.id",
        viewonly=True,
    )

    @property
    def use_before_at(self) -> datetime | None:
        """Until when it may be used: as the last correction says, else as it was entered when it was opened."""
        return self.time_corrections[-1].beyond_use_at if self.time_corrections else self.beyond_use_at


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
    """A line of the register. Never changed: a wrong line is struck out, or followed by an adjusting one.

    `line` is its place on its page and never skips; `register_before_mg` and `register_after_mg` are what the page's
    cabinet holds of the drug before and after it, `balance_after_mg` what its container holds. The database refuses a
    line that does not begin where the last one ended. `about_id` names the line that this one strikes out, or the
    departure that this arrival answers.
    """

    __tablename__ = "register_entry"
    __table_args__ = (
        sa.CheckConstraint("witness_id <> recorded_by_id", name="witness_is_another_person"),
        sa.CheckConstraint(
            "kind NOT IN ('waste', 'destroy', 'count', 'adjust') OR witness_id IS NOT NULL", name="waste_is_witnessed"
        ),
        sa.CheckConstraint("kind <> 'prime' OR witness_id IS NOT NULL", name="prime_is_witnessed"),
        sa.CheckConstraint(
            "kind <> 'strike' OR (about_id IS NOT NULL AND witness_id IS NOT NULL AND reason IS NOT NULL)",
            name="strike_says_what_and_why",
        ),
        sa.CheckConstraint(
            "(kind = 'time-corrected') = (beyond_use_at IS NOT NULL) AND (kind <> 'time-corrected' OR "
            "(quantity_mg = 0 AND witness_id IS NOT NULL AND reason IS NOT NULL "
            "AND (container_id IS NULL) <> (preparation_id IS NULL)))",
            name="time_is_corrected_before_a_witness",
        ),
        sa.CheckConstraint("kind <> 'transfer-in' OR about_id IS NOT NULL", name="arrival_names_its_departure"),
        sa.CheckConstraint("balance_after_mg >= 0", name="balance_is_never_negative"),
        sa.CheckConstraint("register_before_mg >= 0 AND register_after_mg >= 0", name="register_is_never_negative"),
        sa.CheckConstraint("kind = 'adjust' OR quantity_mg >= 0", name="quantity_is_not_negative"),
        sa.CheckConstraint("quantity_ml >= 0", name="volume_is_not_negative"),
        sa.CheckConstraint(
            "(register_id IS NULL) = (line IS NULL) AND (register_id IS NULL) = (register_before_mg IS NULL) "
            "AND (register_id IS NULL) = (register_after_mg IS NULL) "
            "AND (container_id IS NULL OR register_id IS NOT NULL)",
            name="register_line_is_whole",
        ),
        sa.CheckConstraint(
            "register_id IS NULL OR kind = 'strike' OR register_after_mg - register_before_mg = "
            "CASE WHEN container_id IS NULL THEN 0 "
            "WHEN kind IN ('receive', 'return', 'adjust', 'transfer-in') THEN quantity_mg "
            "WHEN kind IN ('withdraw', 'transfer', 'destroy') THEN -quantity_mg ELSE 0 END",
            name="register_follows_the_kind",
        ),
        sa.Index(None, "account_id"),
        sa.Index(None, "container_id", "happened_at"),
        sa.Index(None, "container_id", "line"),
        sa.Index("uq_register_entry_register_id_line", "register_id", "line", unique=True),
        sa.Index("uq_register_entry_about_id", "about_id", unique=True),
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
    register_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("register.id"), sort_order=100, info=ADDED)
    line: Mapped[int | None] = mapped_column(sort_order=100, info=ADDED)
    register_before_mg: Mapped[Decimal | None] = mapped_column(Quantity(4), sort_order=100, info=ADDED)
    register_after_mg: Mapped[Decimal | None] = mapped_column(Quantity(4), sort_order=100, info=ADDED)
    quantity_ml: Mapped[Decimal | None] = mapped_column(Quantity(4), sort_order=100, info=ADDED)
    about_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("register_entry.id"), sort_order=100, info=ADDED)
    stock_count_id: Mapped[uuid.UUID | None] = mapped_column(
        sa.ForeignKey("stock_count.id"), sort_order=101, info=ADDED
    )
    preparation_id: Mapped[uuid.UUID | None] = mapped_column(
        sa.ForeignKey("preparation.id"), sort_order=101, info=ADDED
    )
    beyond_use_at: Mapped[datetime | None] = mapped_column(sort_order=102, info=ADDED)
    account: Mapped[DrugAccount | None] = relationship(back_populates="entries")
    container: Mapped[Container | None] = relationship()
    register: Mapped[Register | None] = relationship()
    recorded_by: Mapped[Staff] = relationship(foreign_keys="RegisterEntry.recorded_by_id")
    witness: Mapped[Staff | None] = relationship(foreign_keys=[witness_id])
    about: Mapped["RegisterEntry | None"] = relationship(
        back_populates="answer", remote_side="RegisterEntry.id", foreign_keys=[about_id]
    )
    # The line that strikes this one out, or the arrival that answers this departure.
    answer: Mapped["RegisterEntry | None"] = relationship(
        back_populates="about", uselist=False, foreign_keys="RegisterEntry.about_id"
    )

    @property
    def is_struck(self) -> bool:
        """Whether a later line says that this one was wrong."""
        return self.answer is not None and self.answer.kind is RegisterKind.STRIKE

    @property
    def is_even(self) -> bool:
        """Whether a count found what its page holds."""
        return self.quantity_mg == self.register_after_mg

    @property
    def counts(self) -> bool:
        """Whether the line says what happened: it was not struck out and strikes nothing out."""
        return self.kind is not RegisterKind.STRIKE and not self.is_struck


class Discrepancy(ClinicScoped, Recorded, Base):
    """Drug that is not accounted for. Opened by closing a session out of balance or by a count."""

    __tablename__ = "discrepancy"

    account_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("drug_account.id"), index=True)
    container_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("container.id"))
    drug_name: Mapped[str]
    amount_mg: Mapped[Decimal] = mapped_column(Quantity(4))
    opened_at: Mapped[datetime]
    text: Mapped[str]
    register_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("register.id"), sort_order=100)
    account: Mapped[DrugAccount | None] = relationship()
    register: Mapped[Register | None] = relationship()
    recorded_by: Mapped[Staff] = relationship(foreign_keys="Discrepancy.recorded_by_id")
    steps: Mapped[list["DiscrepancyStep"]] = relationship(
        back_populates="discrepancy", order_by="DiscrepancyStep.number"
    )

    @property
    def status(self) -> DiscrepancyStatus:
        """Where it stands after its steps."""
        return status_after([one.kind for one in self.steps])


# Its steps stand in a module of their own, and are known wherever the discrepancy is.
from clinic.druglog.models_settling import DiscrepancyStep  # noqa: E402

"""Orders, their versions, and orders that were spoken."""

import uuid
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import Recorded
from clinic.core.types import Quantity, enum_type
from clinic.orders.rules import DosingWeight, OrderCosign, OrderStatus, SpokenMode
from clinic.orders.wording import MODE_TITLES
from clinic.patients.models import Patient, Weight
from clinic.protocols.models import Terms
from clinic.signatures.models import Signature


class Order(ClinicScoped, Base):
    """A signed instruction for one patient; what it says stands in its versions."""

    __tablename__ = "infusion_order"

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    created_at: Mapped[datetime]
    patient: Mapped[Patient] = relationship()
    versions: Mapped[list["OrderVersion"]] = relationship(back_populates="order", order_by="OrderVersion.number")

    @property
    def current(self) -> "OrderVersion | None":
        """The version in force or on hold, if any."""
        for version in reversed(self.versions):
            if version.is_standing:
                return version
        return None

    @property
    def draft(self) -> "OrderVersion | None":
        """The version that is still being written, if any."""
        return next((version for version in reversed(self.versions) if version.is_open), None)

    @property
    def waiting(self) -> "OrderVersion | None":
        """The version that is signed and comes into force with its co-signature, if any."""
        return next((version for version in reversed(self.versions) if version.is_waiting), None)


class OrderVersion(ClinicScoped, Base):
    """One version of an order. After signing only its status changes; its terms are sealed.

    At most one version of an order is in force.
    """

    __tablename__ = "order_version"
    __table_args__ = (
        sa.UniqueConstraint("order_id", "number"),
        sa.CheckConstraint("number > 0", name="number_is_positive"),
        sa.CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="validity_runs_forward"),
        sa.CheckConstraint(
            "status NOT IN ('active', 'on-hold', 'completed', 'superseded', 'stopped') OR signature_id IS NOT NULL",
            name="order_in_force_is_signed",
        ),
        sa.CheckConstraint("dosing_weight_kg > 0", name="dosing_weight_is_positive"),
        sa.CheckConstraint(
            "(dosing_weight_kg IS NULL) = (dosing_weight_on IS NULL) "
            "AND (dosing_weight_kg IS NULL) = (dosing_weight_basis IS NULL)",
            name="dosing_weight_is_whole",
        ),
        sa.CheckConstraint(
            "cosign IS NULL OR cosign <> 'first' OR cosignature_id IS NOT NULL "
            "OR status NOT IN ('active', 'on-hold', 'completed', 'superseded', 'stopped')",
            name="cosigned_before_use",
        ),
        sa.Index(
            "uq_order_version_one_in_force",
            "order_id",
            unique=True,
            sqlite_where=sa.text("status IN ('active', 'on-hold')"),
            postgresql_where=sa.text("status IN ('active', 'on-hold')"),
        ),
    )

    order_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_order.id"))
    number: Mapped[int]
    status: Mapped[OrderStatus] = mapped_column(enum_type(OrderStatus, "order_status"))
    terms_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("terms.id"), unique=True)
    weight_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("weight.id"))
    weight_used_kg: Mapped[Decimal | None] = mapped_column(Quantity(2))
    # What a clinician chose to dose on instead of the measured weight: ideal or adjusted, as the terms say.
    dosing_weight_kg: Mapped[Decimal | None] = mapped_column(Quantity(2))
    dosing_weight_basis: Mapped[str | None]
    dosing_weight_on: Mapped[date | None]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    sessions_allowed: Mapped[int | None]
    change_reason: Mapped[str | None]
    drafted_at: Mapped[datetime]
    drafted_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    signature_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("signature.id"))
    # As the clinic's rule said of its signer when it was signed; without a co-signer any other physician co-signs.
    cosign: Mapped[OrderCosign | None] = mapped_column(enum_type(OrderCosign, "order_cosign"))
    cosigner_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    cosignature_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("signature.id"))
    version: Mapped[int] = mapped_column(sort_order=95)
    order: Mapped[Order] = relationship(back_populates="versions")
    terms: Mapped[Terms] = relationship()
    weight: Mapped[Weight | None] = relationship()
    drafted_by: Mapped[Staff] = relationship(foreign_keys=[drafted_by_id])
    signature: Mapped[Signature | None] = relationship(foreign_keys=[signature_id])
    cosigner: Mapped[Staff | None] = relationship(foreign_keys=[cosigner_id])
    cosignature: Mapped[Signature | None] = relationship(foreign_keys=[cosignature_id])
    excesses: Mapped[list["AcknowledgedExcess"]] = relationship(order_by="AcknowledgedExcess.position")
    error: Mapped["OrderError | None"] = relationship(back_populates="order_version")
    returns: Mapped[list["OrderReturn"]] = relationship(
        back_populates="order_version", order_by="OrderReturn.recorded_at"
    )

    __mapper_args__ = {"version_id_col": version}

    @property
    def dosing_weight(self) -> DosingWeight | None:
        """The weight that the clinician chose to dose on, where it is not the measured one."""
        if self.dosing_weight_kg is None or self.dosing_weight_basis is None or self.dosing_weight_on is None:
            return None
        return DosingWeight(self.dosing_weight_kg, self.dosing_weight_basis, self.dosing_weight_on)

    @property
    def is_standing(self) -> bool:
        """Whether it is in force or on hold."""
        return self.status in {OrderStatus.ACTIVE, OrderStatus.ON_HOLD}

    @property
    def is_open(self) -> bool:
        """Whether it is still being written: nobody has signed it."""
        return self.status in {OrderStatus.DRAFT, OrderStatus.PENDING_SIGNATURE} and self.signature_id is None

    @property
    def is_waiting(self) -> bool:
        """Whether it is signed and comes into force with its co-signature."""
        return self.status is OrderStatus.PENDING_SIGNATURE and self.signature_id is not None

    @property
    def needs_cosignature(self) -> bool:
        """Whether a second physician has still to sign it, before it is used or while it is."""
        return self.cosign is not None and self.cosignature_id is None and (self.is_waiting or self.has_stood)

    @property
    def cosign_words(self) -> str:
        """Return "co-signed Dr S. Okafor", "waits for its co-signature", "" where one signature suffices."""
        if self.cosignature is not None:
            return f"co-signed {self.cosignature.signed_by}"
        return "waits for its co-signature" if self.needs_cosignature else ""

    @property
    def has_stood(self) -> bool:
        """Whether it is in force, or was."""
        return self.is_standing or self.status in {
            OrderStatus.COMPLETED,
            OrderStatus.SUPERSEDED,
            OrderStatus.STOPPED,
        }

    @property
    def is_declined(self) -> bool:
        """Whether it was signed and sent back instead of co-signed: it never came into force."""
        signed = self.signature
        is_sent_back = signed is not None and any(each.recorded_at >= signed.signed_at for each in self.returns)
        return self.status is OrderStatus.CANCELLED and is_sent_back

    @property
    def open_return(self) -> "OrderReturn | None":
        """The last time this draft was sent back, while its author has not written it again."""
        return next((each for each in self.returns if each.revision == self.version), None)


class OrderCosignRule(ClinicScoped, Recorded, Base):
    """Whether what a physician signs needs a second signature, when, and whose; the latest row holds.

    Without a person it holds for every physician who has no row of their own.
    """

    __tablename__ = "order_cosign_rule"
    __table_args__ = (
        sa.CheckConstraint("length(trim(reason)) > 0", name="reason_is_given"),
        sa.CheckConstraint("cosigner_id <> staff_id", name="cosigner_is_another"),
    )

    staff_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    cosign: Mapped[OrderCosign | None] = mapped_column(enum_type(OrderCosign, "order_cosign"))
    cosigner_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    reason: Mapped[str]
    staff: Mapped[Staff | None] = relationship(foreign_keys=[staff_id])
    cosigner: Mapped[Staff | None] = relationship(foreign_keys=[cosigner_id])
    recorded_by: Mapped[Staff] = relationship(foreign_keys="OrderCosignRule.recorded_by_id")


class AcknowledgedExcess(ClinicScoped, Recorded, Base):
    """A soft finding that a version was signed with: what was compared, in its numbers, and the signer's reason."""

    __tablename__ = "acknowledged_excess"
    __table_args__ = (sa.UniqueConstraint("order_version_id", "position"),)

    order_version_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("order_version.id"))
    position: Mapped[int]
    code: Mapped[str]
    message: Mapped[str]
    facts: Mapped[dict[str, str]] = mapped_column(sa.JSON)
    reason: Mapped[str]


class OrderDraft(ClinicScoped, Recorded, Base):
    """What a version said each time it was saved as a draft: the text that a person read stays readable.

    `revision` is the version number of the row at that save, the one that every page drawn from it carries.
    """

    __tablename__ = "order_draft"
    __table_args__ = (sa.UniqueConstraint("order_version_id", "revision"),)

    order_version_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("order_version.id"))
    revision: Mapped[int]
    content: Mapped[str]


class OrderReturn(ClinicScoped, Recorded, Base):
    """A draft was sent back to its author. `revision` is the version number of the row that was read."""

    __tablename__ = "order_return"
    __table_args__ = (
        sa.UniqueConstraint("order_version_id", "revision"),
        sa.CheckConstraint("length(trim(reason)) > 0", name="reason_is_given"),
    )

    order_version_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("order_version.id"))
    revision: Mapped[int]
    reason: Mapped[str]
    order_version: Mapped[OrderVersion] = relationship(back_populates="returns")
    recorded_by: Mapped[Staff] = relationship(foreign_keys="OrderReturn.recorded_by_id")


class OrderError(ClinicScoped, Recorded, Base):
    """A signed version was entered in error; the signature is the one over this row. `booked` is what was read."""

    __tablename__ = "order_error"
    __table_args__ = (sa.CheckConstraint("length(trim(reason)) > 0", name="reason_is_given"),)

    order_version_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("order_version.id"), unique=True)
    reason: Mapped[str]
    booked: Mapped[list[str]] = mapped_column(sa.JSON)
    order_version: Mapped[OrderVersion] = relationship(back_populates="error")
    recorded_by: Mapped[Staff] = relationship(foreign_keys="OrderError.recorded_by_id")


class VerbalOrder(ClinicScoped, Recorded, Base):
    """An order that was spoken: who spoke, how, who wrote, that it was read back. It waits to be signed, with its age.

    The signature is the one over this row with the meaning `verbal order confirmed`.
    """

    __tablename__ = "verbal_order"
    __table_args__ = (
        sa.CheckConstraint("is_read_back", name="verbal_order_was_read_back"),
        sa.CheckConstraint("spoken_by_id <> recorded_by_id", name="speaker_is_not_writer"),
    )

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    order_version_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("order_version.id"))
    text: Mapped[str]
    spoken_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    spoken_at: Mapped[datetime]
    # Empty in rows from before it was asked; the database takes no new row without it.
    mode: Mapped[SpokenMode | None] = mapped_column(enum_type(SpokenMode, "spoken_mode"))
    is_read_back: Mapped[bool]
    spoken_by: Mapped[Staff] = relationship(foreign_keys=[spoken_by_id])
    recorded_by: Mapped[Staff] = relationship(foreign_keys="VerbalOrder.recorded_by_id")
    patient: Mapped[Patient] = relationship()

    @property
    def title(self) -> str:
        """What it is called: "Verbal order", "Telephone order"."""
        return MODE_TITLES[self.mode]

"""The formulary, the protocols and the terms that a protocol or an order is made of."""

import uuid
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.permissions import Role
from clinic.core.recorded import Recorded
from clinic.core.types import Amounts, Quantity, WholeNumbers, enum_type
from clinic.protocols.rules import (
    Anchor,
    CheckKind,
    Comparator,
    DischargeScale,
    DoseBasis,
    GateEffect,
    LimitLevel,
    ProtocolStatus,
    SedationScale,
    Vital,
    WeightRule,
)
from clinic.protocols.spacing_rules import SpacingKind


class Drug(ClinicScoped, Base):
    """A line of the clinic's formulary. It holds no limit: limits stand in protocols and orders."""

    __tablename__ = "drug"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "name", "product"),)

    name: Mapped[str]
    product: Mapped[str | None]
    strength_mg_ml: Mapped[Decimal | None] = mapped_column(Quantity(4))
    form: Mapped[str | None]
    is_controlled: Mapped[bool] = mapped_column(default=False)
    schedule: Mapped[str | None]
    rxcui: Mapped[str | None]
    is_retired: Mapped[bool] = mapped_column(default=False)


class Terms(ClinicScoped, Base):
    """What is given and how it may be changed, what is watched, and every limit that a clinician entered.

    A protocol version has one; an order version has one of its own, begun as a copy. Once the version is approved or
    signed, `sealed_at` is set and the database refuses any change to the row and to the rows that hang on it.
    Rates and totals are in the unit of `basis`; `maximum_rate` is in `maximum_rate_unit`. `start_amount` is the dose of
    every session, `session_amounts` that of session 1, 2, 3 …; `session_doses.amount_for` knows which one counts.
    """

    __tablename__ = "terms"
    __table_args__ = (
        sa.CheckConstraint("start_amount > 0", name="start_is_positive"),
        sa.CheckConstraint("session_amounts IS NULL OR start_amount IS NULL", name="one_dose_or_one_for_each_session"),
        sa.CheckConstraint("concentration_mg_ml > 0", name="concentration_is_positive"),
        sa.CheckConstraint("duration_min > 0", name="duration_is_positive"),
        sa.CheckConstraint("maximum_duration_min >= duration_min", name="time_cap_covers_duration"),
        sa.CheckConstraint("maximum_total_mg > 0", name="maximum_total_is_positive"),
        sa.CheckConstraint("maximum_rate > 0", name="maximum_rate_is_positive"),
        sa.CheckConstraint("sessions_planned > 0", name="sessions_planned_is_positive"),
        sa.CheckConstraint("apart_max_days >= apart_min_days", name="spacing_runs_forward"),
    )

    drug_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("drug.id"))
    product: Mapped[str | None]
    diluent: Mapped[str | None]
    concentration_mg_ml: Mapped[Decimal | None] = mapped_column(Quantity(4))
    basis: Mapped[DoseBasis] = mapped_column(enum_type(DoseBasis, "basis"))
    weight_rule: Mapped[WeightRule | None] = mapped_column(enum_type(WeightRule, "weight_rule"))
    start_amount: Mapped[Decimal | None] = mapped_column(Quantity(4))
    session_amounts: Mapped[tuple[Decimal, ...] | None] = mapped_column(Amounts())
    step_amount: Mapped[Decimal | None] = mapped_column(Quantity(4))
    step_every_min: Mapped[int | None]
    step_condition: Mapped[str | None]
    highest_amount: Mapped[Decimal | None] = mapped_column(Quantity(4))
    maximum_rate: Mapped[Decimal | None] = mapped_column(Quantity(4))
    maximum_rate_unit: Mapped[DoseBasis | None] = mapped_column(enum_type(DoseBasis, "maximum_rate_unit"))
    maximum_total_mg: Mapped[Decimal | None] = mapped_column(Quantity(4))
    course_maximum_mg: Mapped[Decimal | None] = mapped_column(Quantity(4))
    duration_min: Mapped[int | None]
    maximum_duration_min: Mapped[int | None]
    bolus_mg: Mapped[Decimal | None] = mapped_column(Quantity(4))
    bolus_over_min: Mapped[int | None]
    pump_step_ml_h: Mapped[Decimal | None] = mapped_column(Quantity(4))
    sedation_scale: Mapped[SedationScale | None] = mapped_column(enum_type(SedationScale, "sedation_scale"))
    notify_text: Mapped[str | None]
    outside_limit_text: Mapped[str | None]
    recheck_min: Mapped[int | None]
    grace_min: Mapped[int | None]
    monitoring: Mapped[str | None]
    adjuncts: Mapped[str | None]
    fasting_solid_h: Mapped[Decimal | None] = mapped_column(Quantity(1))
    fasting_clear_h: Mapped[Decimal | None] = mapped_column(Quantity(1))
    is_escort_required: Mapped[bool | None]
    is_pregnancy_test_required: Mapped[bool | None]
    discharge_scale: Mapped[DischargeScale | None] = mapped_column(enum_type(DischargeScale, "discharge_scale"))
    discharge_cutoff: Mapped[int | None]
    recovery_min: Mapped[int | None]
    sessions_planned: Mapped[int | None]
    apart_min_days: Mapped[int | None]
    apart_max_days: Mapped[int | None]
    spacing: Mapped[SpacingKind | None] = mapped_column(enum_type(SpacingKind, "spacing"))
    # Monday is 1. The gaps stand in their order; after the last one it goes on.
    weekdays: Mapped[tuple[int, ...] | None] = mapped_column(WholeNumbers())
    every_days: Mapped[int | None]
    gaps_days: Mapped[tuple[int, ...] | None] = mapped_column(WholeNumbers())
    early_days: Mapped[int | None]
    late_days: Mapped[int | None]
    spacing_text: Mapped[str | None]
    # How many sessions are given before a physician reviews the course; the next does not start until then.
    review_after: Mapped[tuple[int, ...] | None] = mapped_column(WholeNumbers())
    precheck_slot_min: Mapped[int | None]
    recovery_slot_min: Mapped[int | None]
    turnaround_min: Mapped[int | None]
    sealed_at: Mapped[datetime | None]

    drug: Mapped[Drug] = relationship(lazy="joined")
    limits: Mapped[list["Limit"]] = relationship(
        back_populates="terms", order_by="Limit.position", cascade="all, delete-orphan"
    )
    prn_items: Mapped[list["PrnItem"]] = relationship(
        back_populates="terms", order_by="PrnItem.position", cascade="all, delete-orphan"
    )
    phases: Mapped[list["ObservationPhase"]] = relationship(
        back_populates="terms", order_by="ObservationPhase.position", cascade="all, delete-orphan"
    )
    checks: Mapped[list["CheckItem"]] = relationship(
        back_populates="terms", order_by="CheckItem.position", cascade="all, delete-orphan"
    )


class Limit(ClinicScoped, Base):
    """A bound that a clinician entered: crossed when the value stands in `comparator` to `bound`."""

    __tablename__ = "order_limit"
    __table_args__ = (sa.UniqueConstraint("terms_id", "position"),)

    terms_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("terms.id"))
    position: Mapped[int]
    level: Mapped[LimitLevel] = mapped_column(enum_type(LimitLevel, "limit_level"))
    vital: Mapped[Vital] = mapped_column(enum_type(Vital, "vital"))
    comparator: Mapped[Comparator] = mapped_column(enum_type(Comparator, "comparator"))
    bound: Mapped[Decimal] = mapped_column(Quantity(1))
    terms: Mapped[Terms] = relationship(back_populates="limits")


class PrnItem(ClinicScoped, Base):
    """A medicine that may be given as needed, with its count and gap."""

    __tablename__ = "prn_item"
    __table_args__ = (
        sa.UniqueConstraint("terms_id", "position"),
        sa.CheckConstraint("dose > 0", name="dose_is_positive"),
        sa.CheckConstraint("maximum_count > 0", name="count_is_positive"),
    )

    terms_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("terms.id"))
    position: Mapped[int]
    drug_name: Mapped[str]
    dose: Mapped[Decimal] = mapped_column(Quantity(4))
    unit: Mapped[str]
    route: Mapped[str]
    maximum_count: Mapped[int | None]
    minimum_gap_min: Mapped[int | None]
    over_min: Mapped[int | None]
    trigger: Mapped[str | None]
    is_controlled: Mapped[bool] = mapped_column(default=False)
    terms: Mapped[Terms] = relationship(back_populates="prn_items")


class ObservationPhase(ClinicScoped, Base):
    """A stretch of the observation schedule: after its anchor, every so many minutes, so long or so often."""

    __tablename__ = "observation_phase"
    __table_args__ = (
        sa.UniqueConstraint("terms_id", "position"),
        sa.CheckConstraint("every_min > 0", name="interval_is_positive"),
        sa.CheckConstraint("every_min IS NOT NULL OR after_min IS NOT NULL", name="phase_says_when"),
    )

    terms_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("terms.id"))
    position: Mapped[int]
    anchor: Mapped[Anchor] = mapped_column(enum_type(Anchor, "anchor"))
    every_min: Mapped[int | None]
    for_min: Mapped[int | None]
    times: Mapped[int | None]
    after_min: Mapped[int | None]
    items: Mapped[list[str] | None] = mapped_column(sa.JSON)
    terms: Mapped[Terms] = relationship(back_populates="phases")


class CheckItem(ClinicScoped, Base):
    """A check of the page "Before infusion", phrased so that Yes means go."""

    __tablename__ = "check_item"
    __table_args__ = (sa.UniqueConstraint("terms_id", "position"),)

    terms_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("terms.id"))
    position: Mapped[int]
    section: Mapped[str]
    kind: Mapped[CheckKind] = mapped_column(enum_type(CheckKind, "check_kind"))
    text: Mapped[str]
    hint: Mapped[str | None]
    effect: Mapped[GateEffect] = mapped_column(enum_type(GateEffect, "gate_effect"))
    # Who has to answer it; empty lets everybody who settles checks.
    role: Mapped[Role | None] = mapped_column(enum_type(Role, "check_role"))
    terms: Mapped[Terms] = relationship(back_populates="checks")


class Protocol(ClinicScoped, Base):
    """A reusable regimen of the clinic."""

    __tablename__ = "protocol"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "name"),)

    name: Mapped[str]
    is_fictional: Mapped[bool] = mapped_column(default=False)
    versions: Mapped[list["ProtocolVersion"]] = relationship(
        back_populates="protocol", order_by="ProtocolVersion.number"
    )


class ProtocolVersion(ClinicScoped, Base):
    """A protocol as it stood; a course keeps the version it began with."""

    __tablename__ = "protocol_version"
    __table_args__ = (
        sa.UniqueConstraint("protocol_id", "number"),
        sa.CheckConstraint("number > 0", name="number_is_positive"),
        sa.Index(
            "uq_protocol_version_one_in_use",
            "protocol_id",
            unique=True,
            sqlite_where=sa.text("status = 'active'"),
            postgresql_where=sa.text("status = 'active'"),
        ),
    )

    protocol_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("protocol.id"))
    number: Mapped[int]
    status: Mapped[ProtocolStatus] = mapped_column(enum_type(ProtocolStatus, "protocol_status"))
    terms_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("terms.id"), unique=True)
    drafted_at: Mapped[datetime]
    drafted_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    approved_at: Mapped[datetime | None]
    approved_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    version: Mapped[int] = mapped_column(sort_order=95)
    protocol: Mapped[Protocol] = relationship(back_populates="versions")
    terms: Mapped[Terms] = relationship()
    drafted_by: Mapped[Staff] = relationship(foreign_keys=[drafted_by_id])
    approved_by: Mapped[Staff | None] = relationship(foreign_keys=[approved_by_id])
    steps: Mapped[list["ProtocolStep"]] = relationship(
        back_populates="protocol_version", order_by="(ProtocolStep.recorded_at, ProtocolStep.id)"
    )

    __mapper_args__ = {"version_id_col": version}


class ProtocolStep(ClinicScoped, Recorded, Base):
    """What happened to a version: written, sent to review, sent back, signed into use, retired, and why."""

    __tablename__ = "protocol_step"
    __table_args__ = (
        sa.CheckConstraint(
            "reason IS NOT NULL OR NOT (to_status = 'retired' OR (from_status = 'review' AND to_status = 'draft'))",
            name="says_why",
        ),
    )

    protocol_version_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("protocol_version.id"), index=True)
    from_status: Mapped[ProtocolStatus | None] = mapped_column(enum_type(ProtocolStatus, "from_status"))
    to_status: Mapped[ProtocolStatus] = mapped_column(enum_type(ProtocolStatus, "to_status"))
    reason: Mapped[str | None]
    protocol_version: Mapped[ProtocolVersion] = relationship(back_populates="steps")
    recorded_by: Mapped[Staff] = relationship(foreign_keys="ProtocolStep.recorded_by_id")

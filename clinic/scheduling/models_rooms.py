"""What the clinic has: hours, closed days, clinicians on site, pumps, and its own rules and words about bookings.

Hours and closed days are wall-clock rules of a site; what is written as minutes counts from midnight on the clinic's
wall. A row is never changed: another one supersedes it or, as a void row, takes it back.
"""

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Site, Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import Recorded, Superseding, correction_says_why
from clinic.core.types import enum_type
from clinic.scheduling.rules import BookingRule, LossKind


class ClockOffset(Base):
    """How many minutes the wall clock of a zone is ahead of UTC between two instants.

    Derived from the zone's definition, so that the database can tell the wall time of an instant: SQLite knows no
    zones. Made anew whenever somebody types hours.
    """

    __tablename__ = "clock_offset"
    __table_args__ = (sa.UniqueConstraint("zone", "starts_at"),)

    zone: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    minutes: Mapped[int]


class OpeningHours(ClinicScoped, Recorded, Superseding, Base):
    """When a site is open on a weekday (ISO, 1 for Monday), from one date on. Two rows of a day are two openings."""

    __tablename__ = "opening_hours"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday_is_iso"),
        sa.CheckConstraint("from_min >= 0 AND until_min > from_min AND until_min <= 1440", name="opens_within_a_day"),
        sa.CheckConstraint("valid_until >= valid_from", name="validity_ends_after_it_begins"),
    )

    site_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("site.id"), index=True)
    weekday: Mapped[int]
    from_min: Mapped[int]
    until_min: Mapped[int]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    site: Mapped[Site] = relationship()
    recorded_by: Mapped[Staff] = relationship(foreign_keys="OpeningHours.recorded_by_id")


class ClosedDay(ClinicScoped, Recorded, Superseding, Base):
    """Days on which a site is closed, both included, and why; with minutes only that part of each day."""

    __tablename__ = "closed_day"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("until_on >= from_on", name="closed_days_end_after_they_begin"),
        sa.CheckConstraint(
            "(from_min IS NULL) = (until_min IS NULL)"
            " AND (from_min IS NULL OR (from_min >= 0 AND until_min > from_min AND until_min <= 1440))",
            name="closed_within_a_day",
        ),
    )

    site_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("site.id"), index=True)
    from_on: Mapped[date]
    until_on: Mapped[date]
    from_min: Mapped[int | None]
    until_min: Mapped[int | None]
    reason: Mapped[str]
    site: Mapped[Site] = relationship()
    recorded_by: Mapped[Staff] = relationship(foreign_keys="ClosedDay.recorded_by_id")


class Presence(ClinicScoped, Recorded, Superseding, Base):
    """A supervising clinician is at a site."""

    __tablename__ = "presence"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("ends_at > starts_at", name="presence_ends_after_it_starts"),
        sa.Index(None, "site_id", "starts_at"),
    )

    site_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("site.id"))
    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    site: Mapped[Site] = relationship()
    staff: Mapped[Staff] = relationship(foreign_keys=[staff_id])


class Pump(ClinicScoped, Base):
    """A pump that can be held with an appointment."""

    __tablename__ = "pump"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "name"), sa.UniqueConstraint("clinic_id", "serial"))

    name: Mapped[str]
    serial: Mapped[str]
    is_retired: Mapped[bool] = mapped_column(default=False)


class PumpClosure(ClinicScoped, Recorded, Superseding, Base):
    """A time in which a pump is out of service, and why."""

    __tablename__ = "pump_closure"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("ends_at > starts_at", name="pump_closure_ends_after_it_starts"),
    )

    pump_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("pump.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str]
    pump: Mapped[Pump] = relationship()
    recorded_by: Mapped[Staff] = relationship(foreign_keys="PumpClosure.recorded_by_id")


class BookingPolicy(ClinicScoped, Recorded, Base):
    """Whether this clinic lets a rule be overridden. The last row of a rule counts; without one it is not allowed."""

    __tablename__ = "booking_policy"

    rule: Mapped[BookingRule] = mapped_column(enum_type(BookingRule, "booking_rule"))
    is_allowed: Mapped[bool]
    reason: Mapped[str]
    recorded_by: Mapped[Staff] = relationship(foreign_keys="BookingPolicy.recorded_by_id")


class LostReason(ClinicScoped, Base):
    """A reason for a lost appointment in the clinic's own words; a retired one is offered no more."""

    __tablename__ = "lost_reason"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "kind", "text"),)

    kind: Mapped[LossKind] = mapped_column(enum_type(LossKind, "loss_kind"))
    text: Mapped[str]
    is_retired: Mapped[bool] = mapped_column(default=False)


class NurseLimit(ClinicScoped, Base):
    """How many patients one nurse may have from a date on; None sets no limit.

    At once, begun in a quarter of an hour, and at once in each phase of a session. The row with the latest date that
    has come counts, as a whole; of two for one date the later one. Rows without a person were settings without a date.
    """

    __tablename__ = "nurse_limit"
    __table_args__ = (
        sa.CheckConstraint("at_once > 0", name="at_once_is_positive"),
        sa.CheckConstraint("per_quarter > 0", name="per_quarter_is_positive"),
        sa.CheckConstraint("precheck > 0", name="precheck_is_positive"),
        sa.CheckConstraint("infusion > 0", name="infusion_is_positive"),
        sa.CheckConstraint("recovery > 0", name="recovery_is_positive"),
        sa.Index(None, "clinic_id", "valid_from"),
    )

    valid_from: Mapped[date]
    at_once: Mapped[int | None]
    per_quarter: Mapped[int | None]
    precheck: Mapped[int | None]
    infusion: Mapped[int | None]
    recovery: Mapped[int | None]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    recorded_by: Mapped[Staff | None] = relationship()

"""Rates as two people read and computed them, each on one's own, before the pump was set."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import Recorded
from clinic.core.types import Quantity, enum_type
from clinic.sessions.event_rules import CheckPurpose

if TYPE_CHECKING:
    from clinic.sessions.models import InfusionSession


class RateProposal(ClinicScoped, Recorded, Base):
    """The rate a nurse read from the pump, and in `findings` what stood against it; a blocked one is never given."""

    __tablename__ = "rate_proposal"
    __table_args__ = (sa.CheckConstraint("rate_ml_h > 0", name="rate_is_positive"),)

    infusion_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_session.id"), index=True)
    purpose: Mapped[CheckPurpose] = mapped_column(enum_type(CheckPurpose, "check_purpose"))
    rate_ml_h: Mapped[Decimal] = mapped_column(Quantity(4))
    proposed_at: Mapped[datetime]
    findings: Mapped[str | None]
    is_blocked: Mapped[bool] = mapped_column(default=False)
    infusion: Mapped["InfusionSession"] = relationship(back_populates="rate_proposals")
    double_checks: Mapped[list["DoubleCheck"]] = relationship(back_populates="proposal")
    recorded_by: Mapped[Staff] = relationship(foreign_keys="RateProposal.recorded_by_id")


class DoubleCheck(ClinicScoped, Recorded, Base):
    """The second person's own computation, typed without seeing the first. `recorded_by` is the checker."""

    __tablename__ = "double_check"
    __table_args__ = (sa.CheckConstraint("checker_id <> proposer_id", name="checker_is_another_person"),)

    infusion_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_session.id"), index=True)
    proposal_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("rate_proposal.id"), index=True)
    proposer_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    checker_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    computed_rate_ml_h: Mapped[Decimal] = mapped_column(Quantity(4))
    checked_at: Mapped[datetime]
    is_match: Mapped[bool]
    proposal: Mapped[RateProposal] = relationship(back_populates="double_checks")
    checker: Mapped[Staff] = relationship(foreign_keys=[checker_id])

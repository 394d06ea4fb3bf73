"""A session that one nurse offers to another, and the orders that it ran under."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import ADDED, Recorded
from clinic.sessions.models import InfusionSession
from clinic.sessions.models_rates import RateProposal


class HandOverOffer(ClinicScoped, Recorded, Base):
    """That a session is offered to another nurse; the hand-over itself is the event of her acceptance."""

    __tablename__ = "hand_over_offer"

    infusion_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_session.id"), index=True)
    to_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    text: Mapped[str | None]
    # The rate that the first nurse read from the pump, where the clinic asks both for it.
    proposal_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("rate_proposal.id"), info=ADDED)
    infusion: Mapped[InfusionSession] = relationship(back_populates="offers")
    proposal: Mapped[RateProposal | None] = relationship()
    to: Mapped[Staff] = relationship(foreign_keys=[to_id])
    recorded_by: Mapped[Staff] = relationship(foreign_keys="HandOverOffer.recorded_by_id")

    @property
    def is_refuted(self) -> bool:
        """Whether the other nurse typed another rate: nobody takes over on this offer."""
        return self.proposal is not None and any(not check.is_match for check in self.proposal.double_checks)


class OrderAdoption(ClinicScoped, Recorded, Base):
    """That a session goes on under another version of its order: until then it ran under `was_version`."""

    __tablename__ = "order_adoption"

    infusion_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_session.id"), index=True)
    was_version_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("order_version.id"))
    version_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("order_version.id"))
    infusion: Mapped[InfusionSession] = relationship(back_populates="adoptions")

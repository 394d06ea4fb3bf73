"""What a person may do by a paper of somebody else's: licences and certificates, each with its end."""

import uuid
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import Recorded, Superseding, correction_says_why


class StaffCredential(ClinicScoped, Recorded, Superseding, Base):
    """A licence or certificate as its paper says. Renewed, corrected or taken back by a later row; never changed."""

    __tablename__ = "staff_credential"
    __table_args__ = (correction_says_why(),)

    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    kind: Mapped[str]
    number: Mapped[str | None]
    issuer: Mapped[str]
    # The last day on which it holds; some have no end.
    valid_until: Mapped[date | None]
    staff: Mapped[Staff] = relationship(foreign_keys=[staff_id])
    recorded_by: Mapped[Staff] = relationship(foreign_keys="StaffCredential.recorded_by_id")

    @property
    def words(self) -> str:
        """As a person would say it: "RN licence 12345, State Board"."""
        return f"{self.kind}{f' {self.number}' if self.number else ''}, {self.issuer}"

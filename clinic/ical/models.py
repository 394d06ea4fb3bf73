"""Calendar addresses: secret, revocable, one in force for each nurse, physician, chair and patient."""

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.types import enum_type
from clinic.ical.rules import FeedKind
from clinic.patients.models import Patient
from clinic.scheduling.models import Chair

_LIVE = sa.text("revoked_at IS NULL")
_WHOSE = (
    "(kind IN ('nurse', 'physician') AND staff_id IS NOT NULL AND chair_id IS NULL AND patient_id IS NULL)"
    " OR (kind = 'chair' AND chair_id IS NOT NULL AND staff_id IS NULL AND patient_id IS NULL)"
    " OR (kind = 'patient' AND patient_id IS NOT NULL AND staff_id IS NULL AND chair_id IS NULL)"
)


class CalendarFeed(ClinicScoped, Base):
    """An address from which a calendar program reads appointments. The database keeps only its hash.

    `fetched_at` is when it was last read, `digest` what was sent then and `changed_at` since when that is so.
    """

    __tablename__ = "calendar_feed"
    __table_args__ = (
        sa.CheckConstraint(_WHOSE, name="feed_is_of_one"),
        sa.CheckConstraint("(revoked_at IS NULL) = (revoked_by_id IS NULL)", name="revoked_by_somebody"),
        sa.Index(
            "uq_calendar_feed_live_staff",
            "clinic_id",
            "staff_id",
            "kind",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        sa.Index("uq_calendar_feed_live_chair", "chair_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
        sa.Index(
            "uq_calendar_feed_live_patient", "patient_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE
        ),
    )

    kind: Mapped[FeedKind] = mapped_column(enum_type(FeedKind, "feed_kind"))
    staff_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    chair_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("chair.id"))
    patient_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("patient.id"))
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    issued_at: Mapped[datetime]
    issued_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    fetched_at: Mapped[datetime | None]
    digest: Mapped[str | None] = mapped_column(sa.String(64))
    changed_at: Mapped[datetime | None]
    staff: Mapped[Staff | None] = relationship(foreign_keys=[staff_id])
    chair: Mapped[Chair | None] = relationship()
    patient: Mapped[Patient | None] = relationship()
    issued_by: Mapped[Staff] = relationship(foreign_keys=[issued_by_id])

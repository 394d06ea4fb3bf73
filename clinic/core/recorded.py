"""What every row of the clinical record carries: who entered it, when, and what it supersedes."""

import uuid
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

# For a column that came when rows of its table stood on paper already: where it is empty, or a flag that is not set, no
# check code is over it.
ADDED: Final[dict[str, Any]] = {"is_added": True}


class Recorded:
    """Entered by a person at an instant. Such a row is never changed and never deleted; the database refuses it."""

    recorded_at: Mapped[datetime] = mapped_column(sort_order=90)

    @declared_attr
    @classmethod
    def recorded_by_id(cls) -> Mapped[uuid.UUID]:
        """The person who entered the row."""
        return mapped_column(sa.ForeignKey("staff.id"), sort_order=91)


class Superseding:
    """A correction is a new row that names the one it supersedes and says why; `is_void` withdraws it altogether."""

    @declared_attr
    @classmethod
    def supersedes_id(cls) -> Mapped[uuid.UUID | None]:
        """The row that this one takes the place of; a row is superseded once."""
        table: str = cls.__tablename__  # type: ignore[attr-defined]
        return mapped_column(sa.ForeignKey(f"{table}.id"), unique=True, sort_order=92)

    correction_reason: Mapped[str | None] = mapped_column(sort_order=93)
    is_void: Mapped[bool] = mapped_column(default=False, sort_order=94)


class SupersedingSince(Superseding):
    """The same for a table whose rows stood on paper before they could be corrected: see `ADDED`."""

    @declared_attr
    @classmethod
    def supersedes_id(cls) -> Mapped[uuid.UUID | None]:
        """The row that this one takes the place of; a row is superseded once."""
        table: str = cls.__tablename__  # type: ignore[attr-defined]
        return mapped_column(sa.ForeignKey(f"{table}.id"), unique=True, sort_order=92, info=ADDED)

    correction_reason: Mapped[str | None] = mapped_column(sort_order=93, info=ADDED)
    is_void: Mapped[bool] = mapped_column(default=False, server_default=sa.false(), sort_order=94, info=ADDED)


def first_only() -> dict[str, Any]:
    """What makes an index be about the first row of each line of corrections only, on both databases."""
    return dict.fromkeys(("sqlite_where", "postgresql_where"), sa.text("supersedes_id IS NULL"))


def correction_says_why() -> sa.CheckConstraint:
    """The constraint for tables of `Superseding` rows."""
    return sa.CheckConstraint("supersedes_id IS NULL OR correction_reason IS NOT NULL", name="correction_says_why")

"""What became of the appointments of a period, counted."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from clinic.core import db
from clinic.scheduling.models import Appointment
from clinic.scheduling.models_rooms import LostReason
from clinic.scheduling.rules import AppointmentStatus, LossKind


@dataclass(frozen=True, slots=True)
class Lost:
    """How often appointments were lost for a reason of the list; None stands for the desk's own words."""

    kind: LossKind
    reason: str | None
    count: int


def _lost(start: datetime, end: datetime) -> list[sa.ColumnElement[bool]]:
    """Lost in a period. What was moved is not lost: it stands at its new time."""
    later = aliased(Appointment)
    return [
        Appointment.starts_at >= start,
        Appointment.starts_at < end,
        Appointment.status.in_([AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW]),
        ~sa.exists().where(later.moved_from_id == Appointment.id),
    ]


def lost_counts(start: datetime, end: datetime) -> list[Lost]:
    """Lost appointments by kind and reason, the most frequent first."""
    rows = db.session.execute(
        sa.select(Appointment.status, LostReason.text, sa.func.count())
        .outerjoin(LostReason, LostReason.id == Appointment.lost_reason_id)
        .where(*_lost(start, end))
        .group_by(Appointment.status, LostReason.text)
    )
    found = [Lost(LossKind(status.value), text, count) for status, text, count in rows]
    return sorted(found, key=lambda row: (row.kind, -row.count, row.reason or "~"))


def own_words(start: datetime, end: datetime) -> list[Appointment]:
    """The lost appointments of a period for which the desk wrote its own words, latest first."""
    return list(
        db.session.scalars(
            sa.select(Appointment)
            .where(*_lost(start, end), Appointment.lost_reason_id.is_(None))
            .options(joinedload(Appointment.chair))
            .order_by(Appointment.starts_at.desc())
            .limit(200)
        )
    )


def appointment_counts(start: datetime, end: datetime) -> Counter[str]:
    """How many appointments of a period there were in each state, those that were moved apart as `moved`."""
    later = aliased(Appointment)
    moved = sa.exists().where(later.moved_from_id == Appointment.id)
    rows = db.session.execute(
        sa.select(Appointment.status, moved.label("moved"), sa.func.count())
        .where(Appointment.starts_at >= start, Appointment.starts_at < end)
        .group_by(Appointment.status, sa.literal_column("moved"))
    )
    found: Counter[str] = Counter()
    for status, is_moved, count in rows:
        found["moved" if is_moved else status.value] += count
    return found

"""Named reads about mail to patients."""

import uuid
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from clinic.core import db
from clinic.scheduling.models import Appointment


def appointments_by_id(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, Appointment]:
    """Appointments with their patients, in one read."""
    found = sa.select(Appointment).where(Appointment.id.in_(set(keys))).options(joinedload(Appointment.patient))
    return {each.id: each for each in db.session.scalars(found)}

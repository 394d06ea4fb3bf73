"""A patient's appointments on the patient's page: when, where, which session. The desk reads it too."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from clinic.core import db
from clinic.patients import pages
from clinic.patients.models import Patient
from clinic.scheduling import queries_availability
from clinic.scheduling.availability_rules import time_words
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import HOLDING

_MOST_PAST: Final = 6


def appointments_panel(patient: Patient, now: datetime) -> Mapping[str, object]:
    """What is booked, the soonest first, and the last ones that are over."""
    mine = sa.select(Appointment).where(Appointment.patient_id == patient.id).options(joinedload(Appointment.chair))
    ahead = mine.where(Appointment.ends_at > now, Appointment.status.in_(HOLDING)).order_by(Appointment.starts_at)
    past = mine.where(sa.or_(Appointment.ends_at <= now, Appointment.status.not_in(HOLDING)))
    past = past.order_by(Appointment.starts_at.desc()).limit(_MOST_PAST)
    said = queries_availability.hours_of([patient.id]).get(patient.id, [])
    return {
        "patient_id": patient.id,
        "said": [time_words(each) for each in said],
        "ahead": list(db.session.scalars(ahead)),
        "past": list(db.session.scalars(past)),
    }


pages.add_panel("scheduling/_patient_panel.html", appointments_panel, column=2, is_clinical=False)

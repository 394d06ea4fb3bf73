"""On the patient's page: whether the patient is written to."""

from collections.abc import Mapping
from datetime import datetime

from clinic.patients import pages
from clinic.patients.models import Patient
from clinic.reminders import queries


def mail_panel(patient: Patient, now: datetime) -> Mapping[str, object]:  # noqa: ARG001 every panel is told the time
    """Where the patient agreed to be written to, if at all."""
    return {"agreement": queries.agreement(patient.id)}


pages.add_panel("reminders/_patient_panel.html", mail_panel, column=2, is_clinical=False)

"""The patient's calendar address on the patient's page: whether there is one, and when it was last read."""

from collections.abc import Mapping
from datetime import datetime

from clinic.ical import queries
from clinic.patients import pages
from clinic.patients.models import Patient


def address_panel(patient: Patient, now: datetime) -> Mapping[str, object]:  # noqa: ARG001 every panel is told the time
    """The address in force, if any."""
    return {"feed": queries.patients_feed(patient.id)}


pages.add_panel("ical/_patient_panel.html", address_panel, column=2, is_clinical=False)

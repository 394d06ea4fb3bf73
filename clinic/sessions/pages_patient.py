"""The patient bar of every page about a session: who this is, in the same order everywhere."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from clinic.core.units import Unit, format_quantity
from clinic.patients import queries as patients
from clinic.patients.models import Patient, Weight
from clinic.patients.rules import AllergyKind, AllergyStatus, Sex, WeightMethod, allergy_status
from clinic.sessions.pages_words import day_words

_LETTERS = {Sex.FEMALE: "F", Sex.MALE: "M", Sex.OTHER: "other", Sex.UNKNOWN: ""}
_LOOKS = {
    AllergyStatus.KNOWN: "known",
    AllergyStatus.NONE_KNOWN: "none",
    AllergyStatus.NOT_RECORDED: "not recorded",
}


@dataclass(frozen=True, slots=True)
class BarPatient:
    """A patient as the bar shows one."""

    id: uuid.UUID
    family_name: str
    given_name: str
    born_on: date
    sex: str
    mrn: str


@dataclass(frozen=True, slots=True)
class PatientBar:
    """What the bar says besides the name. `weight` is text with its date, None when nobody has weighed the patient."""

    patient: BarPatient
    allergies: tuple[str, ...]
    allergy_state: str
    allergies_asked: str
    weight: str | None
    chair: str | None


def shown_patient(patient: Patient) -> BarPatient:
    """Return a patient with the words of the bar."""
    return BarPatient(
        patient.id, patient.family_name, patient.given_name, patient.born_on, _LETTERS[patient.sex], patient.mrn
    )


def weight_text(weight: Weight, now: datetime, zone: ZoneInfo) -> str:
    """Return "72.4 kg today" or "88 kg on 17-Nov", and that it was only stated where it was."""
    stated = " (stated)" if weight.method is WeightMethod.STATED else ""
    return f"{format_quantity(weight.kg, Unit.KG)} {day_words(weight.measured_at, now, zone)}{stated}"


def patient_bar(
    patient: Patient, *, weight: Weight | None, chair: str | None, now: datetime, zone: ZoneInfo
) -> PatientBar:
    """Return the bar of a patient; reads the allergies, and the last weight where the session has none yet."""
    rows = patients.current_allergies(patient.id)
    known = [row for row in rows if row.kind is AllergyKind.KNOWN]
    texts = tuple(f"{row.substance} ({row.reaction})" if row.reaction else str(row.substance) for row in known)
    asked = max((row.recorded_at for row in rows), default=None)
    weight = weight or patients.last_weight(patient.id)
    return PatientBar(
        shown_patient(patient),
        texts,
        _LOOKS[allergy_status(rows)],
        day_words(asked, now, zone) if asked is not None else "",
        None if weight is None else weight_text(weight, now, zone),
        chair,
    )

"""What the pages about a patient show: the bar, and the parts that other areas add to the chart."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from clinic.core import formats, times
from clinic.core.units import Unit, format_quantity
from clinic.patients import queries
from clinic.patients.models import Allergy, Patient, Weight
from clinic.patients.rules import AllergyKind, AllergyStatus, Sex, WeightMethod, allergy_status

_LETTERS: Final = {Sex.FEMALE: "F", Sex.MALE: "M", Sex.OTHER: "other", Sex.UNKNOWN: ""}
_LOOKS: Final = {
    AllergyStatus.KNOWN: "known",
    AllergyStatus.NONE_KNOWN: "none",
    AllergyStatus.NOT_RECORDED: "not recorded",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """The patient bar in words. It reads like a patient, so that the component can draw it."""

    id: uuid.UUID
    family_name: str
    given_name: str
    born_on: date
    sex: str
    mrn: str
    allergies: tuple[str, ...] = ()
    allergy_state: str = "not recorded"
    allergies_asked: str = ""
    weight: str | None = None

    @property
    def name(self) -> str:
        """Family name in capitals, then the given name."""
        return f"{self.family_name.upper()}, {self.given_name}"


def bar(patient: Patient, *, now: datetime) -> Bar:
    """The bar of a patient; reads the allergies and the last weight that stand."""
    return make_bar(patient, queries.current_allergies(patient.id), queries.last_weight(patient.id), now=now)


def make_bar(patient: Patient, allergies: list[Allergy], weight: Weight | None, *, now: datetime) -> Bar:
    """The bar from rows that were read already."""
    asked = max((row.recorded_at for row in allergies), default=None)
    return Bar(
        id=patient.id,
        family_name=patient.family_name,
        given_name=patient.given_name,
        born_on=patient.born_on,
        sex=_LETTERS[patient.sex],
        mrn=patient.mrn,
        allergies=tuple(allergy_text(row) for row in allergies if row.kind is AllergyKind.KNOWN),
        allergy_state=_LOOKS[allergy_status(allergies)],
        allergies_asked=day_text(asked, now) if asked else "",
        weight=weight_text(weight, now) if weight else None,
    )


def today(now: datetime) -> date:
    """The day on the clinic's wall."""
    return times.local(now, formats.zone.get()).date()


def allergy_text(allergy: Allergy) -> str:
    """Return "penicillin (rash)"."""
    return f"{allergy.substance} ({allergy.reaction})" if allergy.reaction else str(allergy.substance)


def weight_text(weight: Weight, now: datetime) -> str:
    """Return "72.4 kg today", and that it was only stated where it was."""
    stated = ", stated" if weight.method is WeightMethod.STATED else ""
    return f"{format_quantity(weight.kg, Unit.KG)} {day_text(weight.measured_at, now)}{stated}"


def day_text(instant: datetime, now: datetime) -> str:
    """Return "today", or the date."""
    day = formats.day(instant)
    return "today" if day == formats.day(now) else day


# --- parts of the chart that stand in areas above this one -----------------------------------------------------------

Facts = Callable[[Patient, datetime], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the patient's page that another area adds: its template, and what it shows at an instant."""

    template: str
    facts: Facts
    column: int
    is_clinical: bool = True


_panels: dict[str, Panel] = {}


def add_panel(template: str, facts: Facts, *, column: int, is_clinical: bool = True) -> None:
    """Let an area above this one show something on the patient's page, in column 1 or 2.

    The desk sees only panels that are not clinical: appointments, never a diagnosis, a drug or a score.
    """
    _panels[template] = Panel(template, facts, column, is_clinical)


def panels(patient: Patient, now: datetime, *, clinical: bool) -> list[tuple[Panel, Mapping[str, object]]]:
    """The panels of a patient's page with what they show."""
    return [(panel, panel.facts(patient, now)) for panel in _panels.values() if clinical or not panel.is_clinical]

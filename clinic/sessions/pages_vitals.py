"""The ladder page: for each vital the neighbouring numbers, the last value marked and the order's limits hatched."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from clinic.core.units import Unit, format_number
from clinic.protocols.limit_rules import Vital
from clinic.sessions.forms_vitals import ASLEEP, MORE, ON_LADDER, VitalsEntry
from clinic.sessions.models import InfusionSession, ObservationSet
from clinic.sessions.pages_chart import allowed, running_limits
from clinic.sessions.progress import Progress
from clinic.sessions.vital_rules import (
    DISSOCIATION_WORDS,
    NAUSEA_WORDS,
    SEDATION_SCALES,
    VITALS,
    implausible,
)

_SHORT: Final = {Vital.SEDATION: "Sed", Vital.PAIN: "Pain", Vital.HR: "HR", Vital.RR: "RR", Vital.SPO2: "SpO2"}
# Where a fresh ladder opens when nothing was taken yet: so that the numbers most often seen are on the first page.
# It says nothing about a patient; any other number is as many taps away.
_CENTRES: Final = {Vital.SBP: 124, Vital.DBP: 76, Vital.HR: 74, Vital.RR: 14, Vital.SPO2: 92}


@dataclass(frozen=True, slots=True)
class MoreField:
    """A vital that is not on a ladder: typed, or chosen from words."""

    key: str
    label: str
    unit: str
    value: str
    error: str
    options: tuple[tuple[str, str], ...] = ()


def ladders(infusion: InfusionSession, going: Progress, entry: VitalsEntry) -> list[dict[str, Any]]:
    """Return the arguments of `ladder` for each vital; sedation only where the order names a scale."""
    terms = infusion.order_version.terms
    shown = [vital for vital in ON_LADDER if vital is not Vital.SEDATION or terms.sedation_scale is not None]
    return [_ladder(infusion, going, entry, vital) for vital in shown]


def _ladder(infusion: InfusionSession, going: Progress, entry: VitalsEntry, vital: Vital) -> dict[str, Any]:
    spec, terms = VITALS[vital], infusion.order_version.terms
    low, high = allowed(running_limits(terms, vital))
    signature = infusion.order_version.signature
    found: dict[str, Any] = {
        "name": vital.value,
        "label": spec.label,
        "unit": spec.unit.short,
        "minimum": int(spec.absolute[0]),
        "maximum": int(spec.absolute[1]),
        "last": last_number(going, vital),
        "low": None if low is None else int(low),
        "high": None if high is None else int(high),
        "limit_by": signature.signer_name if signature else "",
        "chosen": entry.chosen.get(vital),
        "typed": entry.typed.get(vital, ""),
        "start": entry.starts.get(vital),
        "centre": _CENTRES.get(vital),
        "short": _SHORT.get(vital),
        "error": entry.errors.get(vital.value, ""),
    }
    if vital is Vital.PAIN:
        found |= {"unit": "0 to 10", "look": "pain", "extra": (ASLEEP, "Asleep, not asked")}
    if vital is Vital.SEDATION and terms.sedation_scale is not None:
        scale = SEDATION_SCALES[terms.sedation_scale]
        deepest_first = sorted(scale.words, reverse=not scale.is_deeper_when_lower)
        found |= {
            "unit": scale.scale.value,
            "minimum": min(scale.words),
            "maximum": max(scale.words),
            "options": [(value, scale.words[value]) for value in deepest_first],
        }
    return found


def last_number(going: Progress, vital: Vital) -> int | None:
    """Return the latest value of a vital as a number, to be marked and never selected."""
    for row in sorted(going.observations, key=lambda each: each.observed_at, reverse=True):
        value = getattr(row, vital.value)
        if value is not None:
            return int(value)
    return None


def more_fields(entry: VitalsEntry) -> list[MoreField]:
    """Return the vitals that stand below the ladders."""
    words = {Vital.DISSOCIATION: DISSOCIATION_WORDS, Vital.NAUSEA: NAUSEA_WORDS}
    return [
        MoreField(
            vital.value,
            VITALS[vital].label,
            "" if VITALS[vital].unit is Unit.SCORE else VITALS[vital].unit.short,
            entry.typed.get(vital, ""),
            entry.errors.get(vital.value, ""),
            tuple((str(value), f"{value} {text}") for value, text in words[vital].items()) if vital in words else (),
        )
        for vital in MORE
    ]


def read_back(entry: VitalsEntry, *, has_sedation: bool) -> list[dict[str, Any]]:
    """Return the large numbers above Save: what was chosen so far."""
    sbp, dbp = (_shown(entry, vital) for vital in (Vital.SBP, Vital.DBP))
    items: list[dict[str, Any]] = [
        {"key": "sbp dbp", "label": "BP", "value": f"{sbp or '–'}/{dbp or '–'}" if sbp or dbp else None}
    ]
    rest = [Vital.HR, Vital.RR, Vital.SPO2, *([Vital.SEDATION] if has_sedation else []), Vital.PAIN]
    items += [{"key": vital.value, "label": _SHORT[vital], "value": _shown(entry, vital)} for vital in rest]
    return items


def _shown(entry: VitalsEntry, vital: Vital) -> str | None:
    value = entry.values.get(vital)
    if value is None:
        return entry.typed.get(vital) or entry.chosen.get(vital)
    return format_number(value)


def values_of(row: ObservationSet) -> dict[Vital, str]:
    """Return a set of vitals as it would be typed, for the page that corrects it."""
    found = {}
    for vital in (*ON_LADDER, *MORE):
        value = getattr(row, vital.value)
        if value is not None:
            found[vital] = format(Decimal(value), "f")
    return found


def questions(entry: VitalsEntry) -> list[str]:
    """Return what is possible but rare: asked once, after it was saved."""
    return list(implausible(entry.values).values())

"""How an order names the vitals of a phase of its schedule, and which values of a set those are."""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from clinic.protocols.limit_rules import Vital

# In the order in which they are said. Both pressures are one reading.
NAMES: Final = MappingProxyType(
    {
        "BP": frozenset({Vital.SBP, Vital.DBP}),
        "HR": frozenset({Vital.HR}),
        "RR": frozenset({Vital.RR}),
        "SpO2": frozenset({Vital.SPO2}),
        "oxygen": frozenset({Vital.O2_L_MIN}),
        "EtCO2": frozenset({Vital.ETCO2}),
        "temperature": frozenset({Vital.TEMP}),
        "sedation": frozenset({Vital.SEDATION}),
        "pain": frozenset({Vital.PAIN}),
        "dissociation": frozenset({Vital.DISSOCIATION}),
        "nausea": frozenset({Vital.NAUSEA}),
    }
)
_ALSO: Final = {
    "BP": ("blood pressure", "nibp", "systolic", "diastolic", "mean pressure"),
    "HR": ("heart rate", "pulse"),
    "RR": ("breathing", "respiratory rate", "respirations"),
    "SpO2": ("saturation", "oxygen saturation"),
    "oxygen": ("o2", "oxygen flow"),
    "EtCO2": ("capnography",),
    "temperature": ("temp",),
}
_KNOWN: Final = {name.lower(): name for name in NAMES} | {word: name for name, words in _ALSO.items() for word in words}


def named(words: str) -> str | None:
    """Return the name of a vital that is called in other words too, None for words that name none."""
    return _KNOWN.get(" ".join(words.lower().split()))


def vitals_of(items: Iterable[str] | None) -> frozenset[Vital]:
    """Return the values that a phase asks for; none where it does not say, or says it in words that name no vital."""
    names = [named(item) for item in items or ()]
    return frozenset(vital for name in names if name for vital in NAMES[name])


def listed(vitals: Iterable[Vital]) -> str:
    """Return vitals by their names: "BP", "HR and SpO2", "BP, HR and pain"."""
    asked = frozenset(vitals)
    names = [name for name, values in NAMES.items() if values & asked]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)

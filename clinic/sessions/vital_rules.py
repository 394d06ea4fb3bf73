"""What can be charted at the bedside: every vital's unit and bounds, and the scales in words.

Absolute bounds are those of the impossible: a value outside them is refused. Plausible bounds ask "yes, correct?"
once. Neither is a limit of a patient; those stand in the signed order. Source: REFERENCE 2.1 to 2.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final, TypeAlias

from clinic.core.units import Unit, format_number, format_quantity
from clinic.protocols.limit_rules import Vital
from clinic.protocols.rules import SedationScale

Reading: TypeAlias = Mapping[Vital, Decimal | int | None]


@dataclass(frozen=True)
class VitalSpec:
    """One line of the bedside sheet. Both ranges include their ends; `places` are the decimals that may be typed."""

    key: Vital
    label: str
    unit: Unit
    absolute: tuple[Decimal, Decimal]
    plausible: tuple[Decimal, Decimal] | None = None
    places: int = 0


def _spec(
    key: Vital,
    label: str,
    unit: Unit,
    absolute: tuple[str, str],
    plausible: tuple[str, str] | None = None,
    *,
    places: int = 0,
) -> VitalSpec:
    between = (Decimal(plausible[0]), Decimal(plausible[1])) if plausible else None
    return VitalSpec(key, label, unit, (Decimal(absolute[0]), Decimal(absolute[1])), between, places)


# The sedation range holds every scale; `sedation_bounds` has each scale's own. Oxygen flow is general knowledge, not
# in the source.
VITALS: Final[Mapping[Vital, VitalSpec]] = MappingProxyType(
    {
        spec.key: spec
        for spec in (
            _spec(Vital.SBP, "Systolic", Unit.MMHG, ("30", "300"), ("80", "200")),
            _spec(Vital.DBP, "Diastolic", Unit.MMHG, ("10", "200"), ("40", "120")),
            _spec(Vital.MAP, "Mean pressure", Unit.MMHG, ("15", "250"), ("55", "140")),
            _spec(Vital.HR, "Heart rate", Unit.PER_MIN, ("10", "300"), ("40", "150")),
            _spec(Vital.RR, "Breathing", Unit.PER_MIN, ("0", "80"), ("8", "30")),
            _spec(Vital.SPO2, "SpO2", Unit.PERCENT, ("10", "100"), ("88", "100")),
            _spec(Vital.O2_L_MIN, "Oxygen", Unit.L_PER_MIN, ("0", "60"), ("0", "15"), places=1),
            _spec(Vital.ETCO2, "EtCO2", Unit.MMHG, ("0", "150"), ("25", "55")),
            _spec(Vital.TEMP, "Temperature", Unit.CELSIUS, ("25", "45"), ("35", "38.5"), places=1),
            _spec(Vital.SEDATION, "Sedation", Unit.SCORE, ("-5", "6")),
            _spec(Vital.PAIN, "Pain", Unit.SCORE, ("0", "10")),
            _spec(Vital.DISSOCIATION, "Dissociation", Unit.SCORE, ("0", "3")),
            _spec(Vital.NAUSEA, "Nausea", Unit.SCORE, ("0", "3")),
        )
    }
)

# The note of a set in which the ladder said so; it answers for pain as far as the schedule goes.
PAIN_NOT_ASKED: Final = "Pain not asked: asleep."

WEIGHT_KG: Final = (Decimal(20), Decimal(400))

DISSOCIATION_WORDS: Final[Mapping[int, str]] = MappingProxyType(
    {
        0: "none",
        1: "mild: odd or floating, at ease",
        2: "moderate: detached, needs reassurance",
        3: "severe: frightened, cannot follow",
    }
)
NAUSEA_WORDS: Final[Mapping[int, str]] = MappingProxyType({0: "none", 1: "mild", 2: "moderate", 3: "severe"})


@dataclass(frozen=True)
class SedationLevels:
    """A sedation scale: its version, its values in words, and which way is deeper. Two scales never share one axis.

    A scale whose text may not be shipped has empty words: its value is recorded, nothing more.
    """

    scale: SedationScale
    version: str
    is_deeper_when_lower: bool
    words: Mapping[int, str]
    codes: Mapping[int, str]

    def is_deeper(self, value: int, than: int) -> bool:
        """Return whether `value` is a deeper sedation than `than` on this scale."""
        return value < than if self.is_deeper_when_lower else value > than


def _levels(
    scale: SedationScale, version: str, words: dict[int, str], *, lower: bool, codes: dict[int, str] | None = None
) -> SedationLevels:
    shown = codes or {value: f"+{value}" if value > 0 and min(words) < 0 else str(value) for value in words}
    return SedationLevels(scale, version, lower, MappingProxyType(words), MappingProxyType(shown))


SEDATION_SCALES: Final[Mapping[SedationScale, SedationLevels]] = MappingProxyType(
    {
        levels.scale: levels
        for levels in (
            _levels(
                SedationScale.RASS,
                "Sessler 2002",
                {
                    4: "combative",
                    3: "very agitated",
                    2: "agitated",
                    1: "restless",
                    0: "alert and calm",
                    -1: "drowsy: eye contact to voice for more than 10 s",
                    -2: "light: eye contact to voice for less than 10 s",
                    -3: "moderate: moves to voice, no eye contact",
                    -4: "deep: moves only to touch",
                    -5: "no response",
                },
                lower=True,
            ),
            _levels(
                SedationScale.MOAA_S,
                "0 to 5, with painful squeeze at 1",
                {
                    5: "responds readily to name",
                    4: "lethargic response to name",
                    3: "responds only to loud or repeated name",
                    2: "responds only to mild shaking",
                    1: "responds only to a painful squeeze",
                    0: "no response",
                },
                lower=True,
            ),
            _levels(
                SedationScale.RAMSAY,
                "1 to 6",
                {
                    1: "anxious or agitated",
                    2: "cooperative and calm",
                    3: "responds to command",
                    4: "asleep, brisk response",
                    5: "asleep, sluggish response",
                    6: "no response",
                },
                lower=False,
            ),
            # Only the value is recorded; the owner's words need permission. S, normal sleep, is kept as 0.
            _levels(
                SedationScale.POSS,
                "1994",
                dict.fromkeys(range(5), ""),
                lower=False,
                codes={0: "S", 1: "1", 2: "2", 3: "3", 4: "4"},
            ),
            _levels(
                SedationScale.AVPU,
                "AVPU",
                {0: "alert", 1: "responds to voice", 2: "responds to pain", 3: "unresponsive"},
                lower=False,
                codes={0: "A", 1: "V", 2: "P", 3: "U"},
            ),
        )
    }
)


def sedation_bounds(scale: SedationScale) -> tuple[int, int]:
    """Return the lowest and the highest value of a sedation scale."""
    words = SEDATION_SCALES[scale].words
    return min(words), max(words)


def impossible(reading: Reading, *, scale: SedationScale | None = None) -> dict[Vital, str]:
    """Return, for each value that cannot be, the sentence to show at its field. Vitals not taken are left out."""
    refused = {}
    for vital, value in _taken(reading):
        low, high = VITALS[vital].absolute
        if vital is Vital.SEDATION and scale is not None:
            low, high = (Decimal(bound) for bound in sedation_bounds(scale))
        if not low <= value <= high:
            refused[vital] = f"Enter a value from {format_number(low)} to {format_number(high)}"
    sbp, dbp = reading.get(Vital.SBP), reading.get(Vital.DBP)
    if (sbp is None) is not (dbp is None):
        refused.setdefault(Vital.DBP if dbp is None else Vital.SBP, "Enter both pressures, or neither")
    elif sbp is not None and dbp is not None and sbp <= dbp:
        refused.setdefault(Vital.DBP, "Enter a diastolic below the systolic")
    return refused


def implausible(reading: Reading) -> dict[Vital, str]:
    """Return the values that are possible but rare, each with the question to ask once."""
    asked = {}
    for vital, value in _taken(reading):
        plausible = VITALS[vital].plausible
        if plausible and not plausible[0] <= value <= plausible[1]:
            asked[vital] = f"{VITALS[vital].label} {format_quantity(value, VITALS[vital].unit)}: is this right?"
    return asked


def _taken(reading: Reading) -> list[tuple[Vital, Decimal]]:
    return [(vital, Decimal(value)) for vital, value in reading.items() if value is not None]

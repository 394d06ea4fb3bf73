"""Recovery scores in words, and what must be true before a patient goes home.

Missing data is never counted as met: one empty item and there is no total.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from clinic.core.units import Unit, format_number, format_quantity
from clinic.protocols.rules import DischargeScale

_CHOICES: Final = (2, 1, 0)


@dataclass(frozen=True)
class ScoreItem:
    """One line of a recovery score; each of 2, 1 and 0 has its own words."""

    key: str
    label: str
    words: Mapping[int, str]


@dataclass(frozen=True)
class RecoveryScore:
    """A recovery score. `items` stand in the order of REFERENCE 2.3."""

    scale: DischargeScale
    name: str
    items: tuple[ScoreItem, ...]

    @property
    def maximum(self) -> int:
        """The total when every item has its best value."""
        return max(_CHOICES) * len(self.items)


def _item(key: str, label: str, best: str, middle: str, worst: str) -> ScoreItem:
    return ScoreItem(key, label, MappingProxyType(dict(zip(_CHOICES, (best, middle, worst), strict=True))))


_VITAL_SIGNS: Final = _item(
    "vital_signs",
    "Blood pressure and pulse",
    "within 20% of the values before",
    "20 to 40% from the values before",
    "more than 40% from the values before",
)
_BLEEDING: Final = _item("bleeding", "Bleeding at the cannula site", "minimal", "moderate", "severe")

SCORES: Final[Mapping[DischargeScale, RecoveryScore]] = MappingProxyType(
    {
        DischargeScale.MPADSS: RecoveryScore(
            DischargeScale.MPADSS,
            "MPADSS",
            (
                _VITAL_SIGNS,
                _item("walking", "Walking", "steady, as before", "with help", "unable, or dizzy"),
                _item("nausea", "Nausea and vomiting", "minimal", "moderate", "severe"),
                _item("pain", "Pain", "minimal", "moderate", "severe"),
                _BLEEDING,
            ),
        ),
        DischargeScale.PADSS: RecoveryScore(
            DischargeScale.PADSS,
            "PADSS",
            (
                _VITAL_SIGNS,
                _item(
                    "activity",
                    "Orientation and walking",
                    "oriented and steady",
                    "oriented or steady, not both",
                    "neither",
                ),
                _item("pain_nausea", "Pain, nausea and vomiting", "minimal", "moderate, treated", "severe"),
                _BLEEDING,
                _item("intake_output", "Drinking and passing urine", "both done", "one of them done", "neither done"),
            ),
        ),
        # Circulation is per cent of the value before, as in the papers of 1970 and 1995; a known copy says mmHg.
        DischargeScale.ALDRETE: RecoveryScore(
            DischargeScale.ALDRETE,
            "Modified Aldrete",
            (
                _item("activity", "Activity", "moves four limbs", "moves two limbs", "moves no limb"),
                _item("breathing", "Breathing", "breathes deeply and coughs", "short of breath", "no breathing"),
                _item(
                    "circulation",
                    "Circulation",
                    "blood pressure within 20% of the value before",
                    "20 to 50% from the value before",
                    "more than 50% from the value before",
                ),
                _item("consciousness", "Consciousness", "fully awake", "wakes when called", "no response"),
                _item(
                    "oxygen",
                    "Oxygen saturation",
                    "over 92% on room air",
                    "needs oxygen to stay over 90%",
                    "under 90% with oxygen",
                ),
            ),
        ),
    }
)


def score_total(scale: DischargeScale, items: Mapping[str, int | None]) -> int | None:
    """Return the total of a recovery score, or None when an item is missing.

    Raises `ValueError` for a value other than 0, 1 or 2 and for an item of another scale.
    """
    score = SCORES[scale]
    if unknown := set(items) - {item.key for item in score.items}:
        raise ValueError(f"Not an item of {score.name}: {', '.join(sorted(unknown))}.")
    values = [items.get(item.key) for item in score.items]
    given = [value for value in values if value is not None]
    if any(value not in _CHOICES for value in given):
        raise ValueError("Enter a value from 0 to 2")
    return sum(given) if len(given) == len(score.items) else None


@dataclass(frozen=True)
class DischargeTerms:
    """What the order asks before a patient goes home; `is_overridden` is a physician's decision on the score alone."""

    scale: DischargeScale
    cutoff: int
    minimum_recovery_min: int
    is_escort_needed: bool
    is_overridden: bool = False


def may_discharge_home(
    terms: DischargeTerms,
    *,
    items: Mapping[str, int | None],
    recovery_min: Decimal | int,
    is_escort_present: bool | None,
    are_instructions_given: bool | None,
    is_cannula_out: bool | None,
    unaccounted_mg: Mapping[str, Decimal],
) -> list[str]:
    """Return every reason why the session may not end "home"; none means it may.

    `unaccounted_mg` names each controlled drug of the session with what is left over in its account; anything but
    zero (after the clinic's tolerance) stands in the way. None for an answer means nobody has said, and counts as no.
    """
    reasons = [] if terms.is_overridden else _score_reasons(terms, items)
    if recovery_min < terms.minimum_recovery_min:
        so_far = format_quantity(Decimal(int(recovery_min)), Unit.MIN)
        asked = format_quantity(terms.minimum_recovery_min, Unit.MIN)
        reasons.append(f"{so_far} of recovery so far; the order asks for {asked}.")
    if terms.is_escort_needed and not is_escort_present:
        reasons.append("The escort has not taken over.")
    if not are_instructions_given:
        reasons.append("The written instructions are not given.")
    if not is_cannula_out:
        reasons.append("The cannula is not recorded as removed.")
    reasons += [
        f"The {drug} account does not balance: {format_quantity(left, Unit.MG)} unaccounted for."
        for drug, left in unaccounted_mg.items()
        if left
    ]
    return reasons


def _score_reasons(terms: DischargeTerms, items: Mapping[str, int | None]) -> list[str]:
    name = SCORES[terms.scale].name
    total = score_total(terms.scale, items)
    if total is None:
        return [f"{name} is not complete."]
    if total < terms.cutoff:
        return [f"{name} is {total}; the order asks for at least {format_number(terms.cutoff)}."]
    return []

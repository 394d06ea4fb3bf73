"""Terms in words: every value with its label and unit, and the sentence that is signed."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple

from clinic.core.permissions import Role
from clinic.core.units import NO_BREAK_SPACE, Unit, dose_text, format_number, format_quantity, unit_from_label
from clinic.protocols.limit_words import LEVEL_WORDS, VITAL_WORDS, limit_lines
from clinic.protocols.models import Drug
from clinic.protocols.rules import Anchor, CheckKind, DischargeScale, GateEffect, WeightRule
from clinic.protocols.session_doses import amounts_text, dose_runs
from clinic.protocols.spacing_words import (
    SPACING_WORDS,
    gaps_text,
    reviews_text,
    reviews_typed,
    spacing_text,
    weekdays_text,
)
from clinic.protocols.terms import CheckDraft, PhaseDraft, PrnDraft, TermsDraft
from clinic.protocols.text_rules import order_sentence

UnitOf = Callable[[TermsDraft], Unit | None]


@dataclass(frozen=True)
class Line:
    """How one plain value of terms is called and in what unit it stands."""

    name: str
    label: str
    unit: Unit | UnitOf | str = ""


def _dose_unit(terms: TermsDraft) -> Unit:
    return terms.basis.unit


def _rate_unit(terms: TermsDraft) -> Unit:
    return terms.basis.rate_unit


def _maximum_unit(terms: TermsDraft) -> Unit:
    return (terms.maximum_rate_unit or terms.basis).rate_unit


GROUPS: Final[tuple[tuple[str, tuple[Line, ...]], ...]] = (
    (
        "Plan",
        (
            Line("sessions_planned", "Sessions"),
            Line("duration_min", "Length", Unit.MIN),
            Line("maximum_duration_min", "Longest, with pauses", Unit.MIN),
            Line("review_after", "A physician reviews after"),
        ),
    ),
    (
        "Spacing",
        (
            Line("spacing", "Sessions follow"),
            Line("weekdays", "Weekdays"),
            Line("every_days", "A session every", "days"),
            Line("gaps_days", "Gaps", "days"),
            Line("early_days", "Early by at most", "days"),
            Line("late_days", "Late by at most", "days"),
            Line("apart_min_days", "Apart at least", "days"),
            Line("apart_max_days", "Apart at most", "days"),
            Line("spacing_text", "Spacing in words"),
        ),
    ),
    (
        "Infusion",
        (
            Line("product", "Product"),
            Line("diluent", "Diluent"),
            Line("concentration_mg_ml", "Concentration", Unit.MG_PER_ML),
            Line("basis", "Dose in"),
            Line("weight_rule", "Weight used"),
            Line("start_amount", "Start", _dose_unit),
            Line("session_amounts", "Dose by session", _dose_unit),
            Line("step_amount", "Raise by", _rate_unit),
            Line("step_every_min", "Every", Unit.MIN),
            Line("highest_amount", "Highest rate", _rate_unit),
            Line("step_condition", "Raise only if"),
            Line("maximum_rate", "Maximum rate", _maximum_unit),
            Line("maximum_rate_unit", "Maximum rate in"),
            Line("maximum_total_mg", "Session maximum", Unit.MG),
            Line("course_maximum_mg", "Course maximum", Unit.MG),
            Line("bolus_mg", "Bolus", Unit.MG),
            Line("bolus_over_min", "Bolus over", Unit.MIN),
            Line("pump_step_ml_h", "Step of the pump", Unit.ML_PER_H),
        ),
    ),
    (
        "Limits for the nurse",
        (
            Line("outside_limit_text", "Outside a limit"),
            Line("recheck_min", "Recheck after", Unit.MIN),
            Line("notify_text", "Also notify for"),
            Line("sedation_scale", "Sedation scale"),
        ),
    ),
    ("As needed", (Line("adjuncts", "Given before"),)),
    ("Vitals", (Line("grace_min", "On time within", Unit.MIN), Line("monitoring", "Monitoring"))),
    (
        "Before infusion",
        (
            Line("fasting_solid_h", "Fasting, food", Unit.H),
            Line("fasting_clear_h", "Fasting, clear fluids", Unit.H),
            Line("is_escort_required", "Escort needed"),
            Line("is_pregnancy_test_required", "Pregnancy test needed"),
        ),
    ),
    (
        "Recovery",
        (
            Line("discharge_scale", "Discharge score"),
            Line("discharge_cutoff", "Discharge from a score of"),
            Line("recovery_min", "Recovery at least", Unit.MIN),
        ),
    ),
    (
        "Chair time",
        (
            Line("precheck_slot_min", "Before the infusion", Unit.MIN),
            Line("recovery_slot_min", "After the infusion", Unit.MIN),
            Line("turnaround_min", "Turnaround", Unit.MIN),
        ),
    ),
)

LINES: Final = {line.name: line for _, lines in GROUPS for line in lines}

ANCHOR_WORDS: Final = {
    Anchor.PRECHECK: "before the infusion",
    Anchor.START: "from the start",
    Anchor.RATE_CHANGE: "after a rate change",
    Anchor.BOLUS: "after a bolus",
    Anchor.PRN: "after an as-needed dose",
    Anchor.PAUSE: "from a pause",
    Anchor.STOP: "from the stop",
}
EFFECT_WORDS: Final = {
    GateEffect.HARD: "stops the start",
    GateEffect.SOFT: "asks for a reason",
    GateEffect.NOTIFY: "somebody is told",
}
ROLE_WORDS: Final = {Role.NURSE: "a nurse", Role.PHYSICIAN: "a physician"}
KIND_WORDS: Final = {kind: kind.replace("-", " ").capitalize() for kind in CheckKind} | {
    CheckKind.IV_ACCESS: "IV access"
}
WEIGHT_WORDS: Final = {
    WeightRule.ACTUAL: "actual weight",
    WeightRule.IDEAL: "ideal weight",
    WeightRule.ADJUSTED: "adjusted weight",
}
SCALE_WORDS: Final = {
    DischargeScale.MPADSS: "MPADSS",
    DischargeScale.PADSS: "PADSS",
    DischargeScale.ALDRETE: "Aldrete",
}

_WORDED: Final[dict[str, str]] = {
    str(value): words for worded in (WEIGHT_WORDS, SCALE_WORDS, SPACING_WORDS) for value, words in worded.items()
}


def value_text(terms: TermsDraft, name: str) -> str:
    """Return one plain value in words with its unit, "" when nobody entered it."""
    value = getattr(terms, name)
    match value:
        case None | "":
            return ""
        case bool():
            return "yes" if value else "no"
        case tuple():
            return _tuple_text(terms, name, value)
        case StrEnum():
            return _enum_text(value)
        case Decimal() | int():
            return _number_text(value, _unit(terms, name))
        case _:
            return str(value)


def _tuple_text(terms: TermsDraft, name: str, value: tuple[Any, ...]) -> str:
    if name == "session_amounts":
        return amounts_text(value, terms.basis.unit)
    if name == "review_after":
        return f"{reviews_typed(value)}{NO_BREAK_SPACE}sessions given"
    return weekdays_text(value) if name == "weekdays" else f"{gaps_text(value)}{NO_BREAK_SPACE}days"


def _enum_text(value: StrEnum) -> str:
    if value in _WORDED:
        return _WORDED[value]
    unit = unit_from_label(value)
    return unit.spoken if unit is not None else str(value)


def _number_text(value: Decimal | int, unit: Unit | str | None) -> str:
    if isinstance(unit, Unit):
        return format_quantity(value, unit, spoken=True)
    if not unit:
        return format_number(value)
    return dose_text(value, unit.removesuffix("s") if value == 1 else unit)


def _unit(terms: TermsDraft, name: str) -> Unit | str | None:
    unit = LINES[name].unit
    return unit if isinstance(unit, str) else unit(terms)


def unit_label(terms: TermsDraft | None, name: str) -> str:
    """Return the unit of a value as it stands in its field: "mg per hour"; "" before the dose's own unit is chosen."""
    unit = LINES[name].unit
    if not isinstance(unit, str):
        if terms is None:
            return ""
        found = unit(terms)
        return "" if found is None else found.spoken
    return unit.spoken if isinstance(unit, Unit) else unit


def prn_text(item: PrnDraft) -> str:
    """Return "ondansetron 4 mg IV, at most 2 doses, at least 30 min apart"."""
    parts = [f"{item.drug_name} {dose_text(item.dose, item.unit)} {item.route}"]
    if item.over_min:
        parts.append(f"over {format_quantity(item.over_min, Unit.MIN)}")
    if item.maximum_count is not None:
        parts.append("once" if item.maximum_count == 1 else f"at most {item.maximum_count} doses")
    if item.minimum_gap_min:
        parts.append(f"at least {format_quantity(item.minimum_gap_min, Unit.MIN)} apart")
    if item.trigger:
        parts.append(f"for {item.trigger}")
    if item.is_controlled:
        parts.append("controlled drug")
    return ", ".join(parts)


def phase_text(phase: PhaseDraft) -> str:
    """Return "every 15 min from the start", "5 min after a rate change"."""
    parts = []
    if phase.after_min is not None:
        parts.append(
            f"{format_quantity(phase.after_min, Unit.MIN)} {ANCHOR_WORDS[phase.anchor].replace('from', 'after')}"
        )
    if phase.every_min is not None:
        then = "then " if parts else ""
        where = "" if parts else f" {ANCHOR_WORDS[phase.anchor]}"
        parts.append(f"{then}every {format_quantity(phase.every_min, Unit.MIN)}{where}")
    if phase.for_min is not None:
        parts.append(f"for {format_quantity(phase.for_min, Unit.MIN)}")
    if phase.times is not None:
        parts.append("once" if phase.times == 1 else f"{phase.times} times")
    if phase.items:
        parts.append(f"only {', '.join(phase.items)}")
    return ", ".join(parts)


def check_text(check: CheckDraft) -> str:
    """Return a check with its section, what kind it is and what a failed one does."""
    hint = f" ({check.hint})" if check.hint else ""
    kind = "" if check.kind is CheckKind.OTHER else f"{_inside(KIND_WORDS[check.kind])}, "
    role = f"{ROLE_WORDS[check.role]} answers, " if check.role else ""
    return f"{check.section}: {check.text}{hint} · {kind}{role}{EFFECT_WORDS[check.effect]}"


def _inside(words: str) -> str:
    """Words as they stand inside a line: only an abbreviation keeps its capitals."""
    return words if words[:2].isupper() else words[:1].lower() + words[1:]


def _about(check: CheckDraft) -> set[str]:
    return {check.text} if check.kind is CheckKind.OTHER else {check.text, check.kind}


def drug_text(drug: Drug) -> str:
    """Return "ketamine, vial 50 mg/mL 10 mL": a line of the formulary as it is chosen and compared."""
    return f"{drug.name}, {drug.product}" if drug.product else drug.name


class ListLine(NamedTuple):
    """A repeated line in words.

    Two versions of it share a word of what it is `about`; `label` names it where its place does not.
    """

    text: str
    about: frozenset[str]
    label: str = ""


LISTS: Final = ("Limits for the nurse", "As needed", "Vitals", "Before infusion")


def list_lines(terms: TermsDraft) -> dict[str, list[ListLine]]:
    """Return the repeated lines of terms by the title of their group (`LISTS`)."""
    limits = [
        (f"{VITAL_WORDS[vital][0]}, {LEVEL_WORDS[level].lower()}", text)
        for level, vital, text in limit_lines(terms.limits)
    ]
    return {
        "Limits for the nurse": [ListLine(text, frozenset({label}), label) for label, text in limits],
        "As needed": [ListLine(prn_text(item), frozenset({item.drug_name.lower()})) for item in terms.prn_items],
        "Vitals": [ListLine(phase_text(phase), frozenset({phase.anchor})) for phase in terms.phases],
        "Before infusion": [ListLine(check_text(check), frozenset(_about(check))) for check in terms.checks],
    }


def reading(terms: TermsDraft, *, drug: str = "") -> list[tuple[str, list[tuple[str, str]]]]:
    """Return everything that the terms say, in groups of (label, words); what nobody entered is left out.

    `drug` names the line of the formulary, where the page does not say it elsewhere.
    """
    lists = list_lines(terms)
    groups = []
    for title, lines in GROUPS:
        found = [
            (line.label, text)
            for line in lines
            if line.name != "maximum_rate_unit" and (text := value_text(terms, line.name))  # it stands in the rate
        ]
        found += [(row.label or f"{place}", row.text) for place, row in enumerate(lists.get(title, []), start=1)]
        if title == "Infusion" and drug:
            found.insert(0, ("Drug", drug))
        if found:
            groups.append((title, found))
    return groups


def sentence(terms: TermsDraft, *, drug_name: str, weight_kg: Decimal | None = None) -> str:
    """Return the order as it is read aloud and signed, or what is missing for a sentence."""
    if terms.start_amount is None and not terms.session_amounts:
        return f"{drug_name}: the dose is not entered yet."
    spoken = order_sentence(
        drug=drug_name,
        basis=terms.basis,
        dose=terms.start_amount or dose_runs(terms.session_amounts or ()),
        duration_min=terms.duration_min,
        step=terms.step_amount,
        step_every_min=terms.step_every_min,
        highest=terms.highest_amount,
        maximum_total_mg=terms.maximum_total_mg,
        concentration_mg_ml=terms.concentration_mg_ml,
        weight_kg=weight_kg,
    )
    plan = plan_text(terms)
    return f"{spoken}. {plan[:1].upper()}{plan[1:]}." if plan else f"{spoken}."


def plan_text(terms: TermsDraft) -> str:
    """Return "6 sessions, 2 to 7 days apart", as far as it was entered."""
    parts = []
    if terms.sessions_planned:
        parts.append(f"{terms.sessions_planned} session{'' if terms.sessions_planned == 1 else 's'}")
    parts += [text for text in (spacing_text(terms), terms.spacing_text) if text]
    parts += [reviews_text(terms.review_after)] if terms.review_after else []
    return ", ".join(parts)

"""The demonstration clinic's formulary, questions and protocols. Every number is invented, none is a recommendation."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from clinic.demo.people import DemoWorld
from clinic.patients import operations as patients
from clinic.protocols import operations as protocols
from clinic.protocols import operations_review as review
from clinic.protocols.rules import (
    Anchor,
    CheckKind,
    Comparator,
    DischargeScale,
    DoseBasis,
    GateEffect,
    LimitLevel,
    SedationScale,
    Vital,
    WeightRule,
)
from clinic.protocols.spacing_rules import SpacingKind
from clinic.protocols.terms import CheckDraft, LimitDraft, PhaseDraft, PrnDraft, TermsDraft

STEPPED: Final = "Ketamine in steps, mg per hour (fictional)"
BY_WEIGHT: Final = "Ketamine by weight, 2 hours (fictional)"
LIDOCAINE: Final = "Lidocaine by weight, 2 hours (fictional)"
MAGNESIUM: Final = "Magnesium sulfate, 4 hours (fictional)"

# Name, product, strength in mg/mL, schedule of a controlled drug.
_FORMULARY: Final = (
    ("ketamine", "vial 50 mg/mL 10 mL, multi-dose", Decimal(50), "CIII"),
    ("lidocaine", "vial 20 mg/mL 50 mL", Decimal(20), None),
    ("magnesium sulfate", "vial 500 mg/mL 10 mL", Decimal(500), None),
)
QUESTIONS: Final = {
    "ketamine": (
        "Has the patient ever had a psychosis?",
        "Is the blood pressure untreated and high?",
        "Is there a disease of the liver?",
    ),
    "lidocaine": ("Is there a heart block or another disorder of rhythm?", "Does the patient have seizures?"),
    "magnesium sulfate": ("Is the kidney function reduced?", "Is there a disease of the muscles or their nerves?"),
}


@dataclass(frozen=True, slots=True)
class Regimen:
    """One of the clinic's protocols: its name, its drug, and what sets it apart from the others."""

    name: str
    drug: str
    values: dict[str, Any]


def found_formulary(world: DemoWorld, *, at: datetime) -> None:
    """Add the drugs, the questions and the protocols, each protocol signed by a physician."""
    by = world.person("PHY-1", at=at)
    for name, product, strength, schedule in _FORMULARY:
        drug = protocols.add_drug(
            name=name,
            product=product,
            strength_mg_ml=strength,
            form="solution",
            is_controlled=schedule is not None,
            schedule=schedule,
            by=by,
            at=at,
        )
        world.drugs[name] = drug.id
    for drug_name, texts in QUESTIONS.items():
        for text in texts:
            patients.add_screening_question(drug_name=drug_name, text=text, by=by, at=at)
    for regimen in REGIMENS:
        draft = _draft(regimen, world.drugs[regimen.drug])
        version = protocols.create_protocol(regimen.name, draft, is_fictional=True, by=by, at=at)
        review.submit(version, by=by, at=at)
        review.approve(version, by=by, password=world.password, at=at)
        world.protocols[regimen.name] = version.id


def _draft(regimen: Regimen, drug_id: UUID) -> TermsDraft:
    return TermsDraft(drug_id=drug_id, **(_SHARED | regimen.values))


def _limits(*stated: tuple[LimitLevel, Vital, Comparator, int]) -> tuple[LimitDraft, ...]:
    return tuple(LimitDraft(level, vital, comparator, Decimal(bound)) for level, vital, comparator, bound in stated)


def _checks(*extra: CheckDraft) -> tuple[CheckDraft, ...]:
    """The page "Before infusion" of this clinic, section by section, with what a protocol asks besides."""
    hard, soft = GateEffect.HARD, GateEffect.SOFT
    every = (
        _check("Who", CheckKind.IDENTITY, "Ask name and date of birth, type the year of birth", hard),
        _check("Who", CheckKind.ALLERGIES, "Allergies asked again today", hard),
        _check("Ready", CheckKind.CONSENT, "Consent for this course is signed", hard),
        _check("Ready", CheckKind.FASTING, "Fasted as the protocol asks", soft, "food 6 h, clear fluids 2 h"),
        _check("Ready", CheckKind.ESCORT, "Escort to go home", hard, "name and phone are asked on Yes"),
        _check("Ready", CheckKind.CHANGES, "Nothing new since last session: medicines, illness", soft),
        *extra,
        _check("Safe", CheckKind.IV_ACCESS, "Line in, flushes well", hard),
        _check("Safe", CheckKind.READINESS, "Emergency drugs, oxygen, suction at the chair", hard),
        _check("Safe", CheckKind.VITALS, "First vitals are inside the start limits", hard),
        _check("Safe", CheckKind.SUPERVISING, "The supervising physician is on site", hard),
        _check("Safe", CheckKind.DOUBLE_CHECK, "Second nurse checks pump and bag", hard),
    )
    order = ("Who", "Ready", "Safe")
    return tuple(sorted(every, key=lambda check: order.index(check.section)))


def _check(section: str, kind: CheckKind, text: str, effect: GateEffect, hint: str | None = None) -> CheckDraft:
    return CheckDraft(section=section, kind=kind, text=text, effect=effect, hint=hint)


_WEIGHED: Final = _check("Ready", CheckKind.WEIGHT, "Weighed today", GateEffect.HARD)
_MONITORED: Final = _check("Safe", CheckKind.OTHER, "Heart monitor on and readable", GateEffect.HARD)


def _phases() -> tuple[PhaseDraft, ...]:
    return (
        PhaseDraft(anchor=Anchor.START, every_min=15),
        PhaseDraft(anchor=Anchor.RATE_CHANGE, after_min=5),
        PhaseDraft(anchor=Anchor.STOP, every_min=15),
    )


_ONDANSETRON: Final = PrnDraft(
    drug_name="ondansetron", dose=Decimal(4), unit="mg", route="IV", maximum_count=1, over_min=2, trigger="nausea"
)
_MIDAZOLAM: Final = PrnDraft(
    drug_name="midazolam",
    dose=Decimal(1),
    unit="mg",
    route="IV",
    maximum_count=2,
    minimum_gap_min=5,
    trigger="distress",
    is_controlled=True,
)

_SHARED: Final[dict[str, Any]] = {
    "diluent": "sodium chloride 0.9%",
    "pump_step_ml_h": Decimal("0.1"),
    "sedation_scale": SedationScale.RASS,
    "outside_limit_text": "Stay at the chair, look again after 5 min, tell the physician.",
    "recheck_min": 5,
    "grace_min": 2,
    "monitoring": "pulse oximeter throughout",
    "fasting_solid_h": Decimal(6),
    "fasting_clear_h": Decimal(2),
    "is_escort_required": True,
    "discharge_scale": DischargeScale.MPADSS,
    "discharge_cutoff": 9,
    "recovery_min": 30,
    "precheck_slot_min": 30,
    "recovery_slot_min": 30,
    "turnaround_min": 0,
    "phases": _phases(),
}
_KETAMINE_LIMITS: Final = _limits(
    (LimitLevel.START, Vital.SBP, Comparator.GT, 160),
    (LimitLevel.START, Vital.DBP, Comparator.GT, 100),
    (LimitLevel.NOTIFY, Vital.SBP, Comparator.GT, 160),
    (LimitLevel.NOTIFY, Vital.SBP, Comparator.LT, 90),
    (LimitLevel.NOTIFY, Vital.SPO2, Comparator.LT, 94),
    (LimitLevel.NOTIFY, Vital.SEDATION, Comparator.LE, -3),
    (LimitLevel.NOTIFY, Vital.DISSOCIATION, Comparator.GE, 3),
    (LimitLevel.HOLD, Vital.SBP, Comparator.GT, 170),
    (LimitLevel.HOLD, Vital.SPO2, Comparator.LT, 93),
)
_OTHER_LIMITS: Final = _limits(
    (LimitLevel.START, Vital.HR, Comparator.LT, 50),
    (LimitLevel.NOTIFY, Vital.SBP, Comparator.LT, 95),
    (LimitLevel.NOTIFY, Vital.HR, Comparator.LT, 50),
    (LimitLevel.NOTIFY, Vital.SPO2, Comparator.LT, 94),
    (LimitLevel.HOLD, Vital.SBP, Comparator.LT, 85),
    (LimitLevel.HOLD, Vital.SPO2, Comparator.LT, 92),
)

_REGULAR: Final = (
    Regimen(
        STEPPED,
        "ketamine",
        {
            "basis": DoseBasis.MG_PER_H,
            "concentration_mg_ml": Decimal(1),
            "start_amount": Decimal(20),
            "step_amount": Decimal(5),
            "step_every_min": 30,
            "step_condition": "pain unchanged, sedation light, vitals inside the limits",
            "highest_amount": Decimal(35),
            "maximum_rate": Decimal(40),
            "maximum_rate_unit": DoseBasis.MG_PER_H,
            "maximum_total_mg": Decimal(75),
            "duration_min": 150,
            "maximum_duration_min": 180,
            "sessions_planned": 6,
            "spacing": SpacingKind.INTERVAL,
            "every_days": 3,
            "early_days": 2,
            "late_days": 4,
            "apart_min_days": 1,
            "apart_max_days": 7,
            "limits": _KETAMINE_LIMITS,
            "prn_items": (_ONDANSETRON, _MIDAZOLAM),
            "checks": _checks(),
        },
    ),
    Regimen(
        BY_WEIGHT,
        "ketamine",
        {
            "basis": DoseBasis.MG_PER_KG_H,
            "weight_rule": WeightRule.ACTUAL,
            "concentration_mg_ml": Decimal(1),
            "start_amount": Decimal("0.3"),
            "maximum_rate": Decimal("0.5"),
            "maximum_rate_unit": DoseBasis.MG_PER_KG_H,
            "maximum_total_mg": Decimal(60),
            "duration_min": 120,
            "maximum_duration_min": 180,
            "sessions_planned": 4,
            "spacing": SpacingKind.AS_NEEDED,
            "apart_min_days": 1,
            "limits": _KETAMINE_LIMITS,
            "prn_items": (_ONDANSETRON, _MIDAZOLAM),
            "checks": _checks(_WEIGHED),
        },
    ),
    Regimen(
        LIDOCAINE,
        "lidocaine",
        {
            "basis": DoseBasis.MG_PER_KG_H,
            "weight_rule": WeightRule.ACTUAL,
            "concentration_mg_ml": Decimal(4),
            "start_amount": Decimal(1),
            "maximum_rate": Decimal("1.5"),
            "maximum_rate_unit": DoseBasis.MG_PER_KG_H,
            "maximum_total_mg": Decimal(250),
            "duration_min": 120,
            "notify_text": "any ringing in the ears, metal taste or twitching",
            "sessions_planned": 4,
            "spacing": SpacingKind.DECREASING,
            "gaps_days": (7, 7, 10),
            "early_days": 5,
            "late_days": 7,
            "apart_min_days": 2,
            "apart_max_days": 28,
            "limits": _OTHER_LIMITS,
            "prn_items": (_ONDANSETRON,),
            "checks": _checks(_WEIGHED, _MONITORED),
        },
    ),
    Regimen(
        MAGNESIUM,
        "magnesium sulfate",
        {
            "basis": DoseBasis.MG,
            "concentration_mg_ml": Decimal(20),
            "start_amount": Decimal(2000),
            "maximum_rate": Decimal(600),
            "maximum_rate_unit": DoseBasis.MG_PER_H,
            "maximum_total_mg": Decimal(2000),
            "duration_min": 240,
            "maximum_duration_min": 300,
            "notify_text": "no knee jerk, or breathing slower than 10",
            "sessions_planned": 4,
            "spacing": SpacingKind.WEEKDAYS,
            "weekdays": (1, 3, 5),
            "late_days": 7,
            "apart_min_days": 2,
            "apart_max_days": 14,
            "limits": _OTHER_LIMITS,
            "prn_items": (_ONDANSETRON,),
            "checks": _checks(),
        },
    ),
)

_IN_STEPS: Final = _REGULAR[0].values

REGIMENS: Final = (
    *_REGULAR,
    Regimen(
        "Ketamine on days in a row (fictional)",
        "ketamine",
        _IN_STEPS
        | {"sessions_planned": 5, "late_days": 2, "apart_max_days": 5, "spacing": SpacingKind.CONSECUTIVE}
        | {"every_days": None, "early_days": None},
    ),
    Regimen(
        "Ketamine, inpatient block (fictional)",
        "ketamine",
        _IN_STEPS
        | {"sessions_planned": 4, "late_days": 1, "apart_max_days": 3, "spacing": SpacingKind.BLOCK}
        | {"every_days": None, "early_days": None},
    ),
)

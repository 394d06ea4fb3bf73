"""Terms as plain values: what a form fills, a protocol hands to an order, and a signature covers.

`TermsDraft` holds every value of `Terms` and of the rows that hang on it. It goes both ways: `make_terms` writes a
draft down, `draft_of` reads terms back. `content_of` is what is signed.
"""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from decimal import Decimal
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from clinic.core.permissions import Role
from clinic.protocols.limit_rules import Limit as LimitDraft
from clinic.protocols.models import CheckItem, Drug, Limit, ObservationPhase, PrnItem, Terms
from clinic.protocols.rules import (
    Anchor,
    CheckKind,
    DischargeScale,
    DoseBasis,
    GateEffect,
    SedationScale,
    WeightRule,
)
from clinic.protocols.spacing_rules import SpacingKind

__all__ = [
    "CheckDraft",
    "LimitDraft",
    "PhaseDraft",
    "PrnDraft",
    "TermsDraft",
    "content_of",
    "draft_from",
    "draft_of",
    "fill_terms",
    "make_terms",
]


@dataclass(frozen=True, kw_only=True)
class PrnDraft:
    """A medicine that may be given as needed. `maximum_count` counts all doses of a session, gaps are minutes."""

    drug_name: str
    dose: Decimal
    unit: str
    route: str
    maximum_count: int | None = None
    minimum_gap_min: int | None = None
    over_min: int | None = None
    trigger: str | None = None
    is_controlled: bool = False


@dataclass(frozen=True, kw_only=True)
class PhaseDraft:
    """A stretch of the observation schedule (REFERENCE 1.5): minutes after its anchor, every so many minutes."""

    anchor: Anchor
    every_min: int | None = None
    for_min: int | None = None
    times: int | None = None
    after_min: int | None = None
    items: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class CheckDraft:
    """A check of the page "Before infusion", phrased so that Yes means go."""

    section: str
    kind: CheckKind
    text: str
    effect: GateEffect
    hint: str | None = None
    role: Role | None = None


@dataclass(frozen=True, kw_only=True)
class TermsDraft:
    """Every value of `Terms`; amounts are in the unit of `basis`, see there. None says that nobody entered it."""

    drug_id: uuid.UUID
    basis: DoseBasis
    product: str | None = None
    diluent: str | None = None
    concentration_mg_ml: Decimal | None = None
    weight_rule: WeightRule | None = None
    start_amount: Decimal | None = None
    session_amounts: tuple[Decimal, ...] | None = None
    step_amount: Decimal | None = None
    step_every_min: int | None = None
    step_condition: str | None = None
    highest_amount: Decimal | None = None
    maximum_rate: Decimal | None = None
    maximum_rate_unit: DoseBasis | None = None
    maximum_total_mg: Decimal | None = None
    course_maximum_mg: Decimal | None = None
    duration_min: int | None = None
    maximum_duration_min: int | None = None
    bolus_mg: Decimal | None = None
    bolus_over_min: int | None = None
    pump_step_ml_h: Decimal | None = None
    sedation_scale: SedationScale | None = None
    notify_text: str | None = None
    outside_limit_text: str | None = None
    recheck_min: int | None = None
    grace_min: int | None = None
    monitoring: str | None = None
    adjuncts: str | None = None
    fasting_solid_h: Decimal | None = None
    fasting_clear_h: Decimal | None = None
    is_escort_required: bool | None = None
    is_pregnancy_test_required: bool | None = None
    discharge_scale: DischargeScale | None = None
    discharge_cutoff: int | None = None
    recovery_min: int | None = None
    sessions_planned: int | None = None
    apart_min_days: int | None = None
    apart_max_days: int | None = None
    spacing: SpacingKind | None = None
    weekdays: tuple[int, ...] | None = None
    every_days: int | None = None
    gaps_days: tuple[int, ...] | None = None
    early_days: int | None = None
    late_days: int | None = None
    spacing_text: str | None = None
    review_after: tuple[int, ...] | None = None
    precheck_slot_min: int | None = None
    recovery_slot_min: int | None = None
    turnaround_min: int | None = None
    limits: tuple[LimitDraft, ...] = ()
    prn_items: tuple[PrnDraft, ...] = ()
    phases: tuple[PhaseDraft, ...] = ()
    checks: tuple[CheckDraft, ...] = ()


_LISTS = ("limits", "prn_items", "phases", "checks")
# Values that terms learned later. Empty they say nothing, so that what was signed before them stays what it was.
_ADDED = (
    "spacing",
    "weekdays",
    "every_days",
    "gaps_days",
    "early_days",
    "late_days",
    "session_amounts",
    "review_after",
)
_PLAIN = tuple(field.name for field in fields(TermsDraft) if field.name not in _LISTS)


def make_terms(draft: TermsDraft) -> Terms:
    """New terms with the values of a draft, not sealed; the caller adds them to the session."""
    terms = Terms()
    fill_terms(terms, draft)
    return terms


def fill_terms(terms: Terms, draft: TermsDraft) -> None:
    """Write a draft into terms whose four lists are empty: new ones, or unsealed ones whose rows were removed."""
    for name in _PLAIN:
        setattr(terms, name, getattr(draft, name))
    terms.limits = [
        Limit(position=place, level=limit.level, vital=limit.vital, comparator=limit.comparator, bound=limit.bound)
        for place, limit in enumerate(draft.limits, start=1)
    ]
    terms.prn_items = [PrnItem(position=place, **asdict(item)) for place, item in enumerate(draft.prn_items, start=1)]
    terms.phases = [
        ObservationPhase(position=place, **asdict(phase) | {"items": list(phase.items) if phase.items else None})
        for place, phase in enumerate(draft.phases, start=1)
    ]
    terms.checks = [CheckItem(position=place, **asdict(check)) for place, check in enumerate(draft.checks, start=1)]


def draft_of(terms: Terms) -> TermsDraft:
    """The values of terms as a draft, for a copy that goes its own way."""
    return TermsDraft(
        **{name: getattr(terms, name) for name in _PLAIN},
        limits=tuple(LimitDraft(row.level, row.vital, row.comparator, row.bound) for row in terms.limits),
        prn_items=tuple(
            PrnDraft(**{field.name: getattr(row, field.name) for field in fields(PrnDraft)}) for row in terms.prn_items
        ),
        phases=tuple(_phase_of(row) for row in terms.phases),
        checks=tuple(
            CheckDraft(**{field.name: getattr(row, field.name) for field in fields(CheckDraft)}) for row in terms.checks
        ),
    )


def _phase_of(row: ObservationPhase) -> PhaseDraft:
    return PhaseDraft(
        anchor=row.anchor,
        every_min=row.every_min,
        for_min=row.for_min,
        times=row.times,
        after_min=row.after_min,
        items=tuple(row.items) if row.items else None,
    )


def content_of(terms: Terms) -> Mapping[str, object]:
    """What a signature over these terms covers: every value, and the drug by its name instead of its key."""
    content = asdict(draft_of(terms))
    del content["drug_id"]
    for said, names in ((content, _ADDED), *((check, ("role",)) for check in content["checks"])):
        for name in names:
            if said[name] is None:
                del said[name]
    return {**content, "drug": drug_content(terms.drug)}


def drug_content(drug: Drug) -> Mapping[str, object]:
    """What a signature covers of a line of the formulary."""
    return {
        "name": drug.name,
        "product": drug.product,
        "strength_mg_ml": drug.strength_mg_ml,
        "form": drug.form,
        "rxcui": drug.rxcui,
    }


def draft_from(content: Mapping[str, Any], drug_id: uuid.UUID) -> TermsDraft:
    """The values that a canonical text holds, the way back from `content_of`; the key of the drug is not in there."""
    draft: TermsDraft = _read(TermsDraft, {**content, "drug_id": drug_id})
    return draft


def _read(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if get_origin(hint) is tuple:
        return tuple(_read(get_args(hint)[0], item) for item in value)
    if get_args(hint):
        return _read(next(kind for kind in get_args(hint) if kind is not NoneType), value)
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{name: _read(hints[name], value[name]) for name in hints if name in value})
    return value if isinstance(value, hint) else hint(value)

"""Any terms that a form can say, for properties. Words are letters alone: no sign that our own wording puts between."""

import uuid
from decimal import Decimal

from hypothesis import strategies as st

from clinic.core.permissions import Role
from clinic.protocols.limit_words import read_limit
from clinic.protocols.rules import (
    Anchor,
    CheckKind,
    DischargeScale,
    DoseBasis,
    GateEffect,
    LimitLevel,
    SedationScale,
    Vital,
    WeightRule,
)
from clinic.protocols.spacing_rules import SpacingKind
from clinic.protocols.terms import CheckDraft, PhaseDraft, PrnDraft, TermsDraft
from clinic.protocols.vital_names import NAMES

WORD = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=4)
AMOUNT = st.decimals(min_value="0.0001", max_value=9999, places=4)
MINUTES = st.integers(1, 600)
DRUGS = tuple(uuid.UUID(int=number) for number in (1, 2))


def _maybe(strategy):
    return st.none() | strategy


PRN_ITEMS = st.builds(
    PrnDraft,
    drug_name=WORD,
    dose=AMOUNT,
    unit=st.sampled_from(["mg", "mcg", "g", "mL"]),
    route=st.sampled_from(["IV", "PO"]),
    maximum_count=_maybe(st.integers(1, 9)),
    minimum_gap_min=_maybe(MINUTES),
    over_min=_maybe(MINUTES),
    trigger=_maybe(WORD),
    is_controlled=st.booleans(),
)
PHASES = st.builds(
    PhaseDraft,
    anchor=st.sampled_from(Anchor),
    every_min=MINUTES,
    for_min=_maybe(MINUTES),
    times=_maybe(st.integers(1, 9)),
    after_min=_maybe(MINUTES),
    items=_maybe(
        st.sets(st.sampled_from(list(NAMES)), min_size=1).map(lambda asked: tuple(n for n in NAMES if n in asked))
    ),
)
CHECKS = st.builds(
    CheckDraft,
    section=WORD,
    kind=st.sampled_from(CheckKind),
    text=WORD,
    effect=st.sampled_from(GateEffect),
    hint=_maybe(WORD),
    role=_maybe(st.sampled_from([Role.NURSE, Role.PHYSICIAN])),
)
LIMITS = st.dictionaries(
    st.tuples(st.sampled_from(LimitLevel), st.sampled_from(Vital)), st.integers(0, 200), max_size=4
).map(lambda cells: tuple(limit for cell, low in cells.items() for limit in read_limit(f"{low} to {low + 9}", *cell)))
_KINDS = {
    "basis": st.sampled_from(DoseBasis),
    "weight_rule": _maybe(st.sampled_from(WeightRule)),
    "maximum_rate_unit": _maybe(st.sampled_from([basis for basis in DoseBasis if not basis.is_total])),
    "sedation_scale": _maybe(st.sampled_from(SedationScale)),
    "spacing": _maybe(st.sampled_from(SpacingKind)),
    "weekdays": _maybe(st.sets(st.integers(1, 7), min_size=1).map(lambda days: tuple(sorted(days)))),
    "gaps_days": _maybe(st.lists(st.integers(1, 90), min_size=1, max_size=6).map(tuple)),
    "review_after": _maybe(st.sets(st.integers(1, 30), min_size=1).map(lambda days: tuple(sorted(days)))),
    "session_amounts": _maybe(st.lists(AMOUNT, min_size=1, max_size=6).map(tuple)),
    "discharge_scale": _maybe(st.sampled_from(DischargeScale)),
}
_OF_TYPE = {
    str(Decimal | None): _maybe(AMOUNT),
    str(int | None): _maybe(MINUTES),
    str(str | None): _maybe(WORD),
    str(bool | None): _maybe(st.booleans()),
}
_LISTS = {
    "limits": LIMITS,
    "prn_items": st.lists(PRN_ITEMS, max_size=4).map(tuple),
    "phases": st.lists(PHASES, max_size=4).map(tuple),
    "checks": st.lists(CHECKS, max_size=4).map(tuple),
}


def _strategy(name, annotation):
    named = {"drug_id": st.sampled_from(DRUGS), **_KINDS, **_LISTS}
    return named[name] if name in named else _OF_TYPE[str(annotation)]


DRAFTS = st.builds(TermsDraft, **{name: _strategy(name, kind) for name, kind in TermsDraft.__annotations__.items()})

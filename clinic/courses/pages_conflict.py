"""An order as two people have it: what is saved beside what was typed, or beside what was read."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from clinic.core.times import date_label
from clinic.core.units import Unit, format_quantity
from clinic.courses.forms import NextOrderForm, OrderForm
from clinic.courses.pages import dosing_weight
from clinic.orders.models import OrderDraft, OrderVersion
from clinic.orders.rules import DosingWeight
from clinic.patients.models import Patient
from clinic.protocols import queries as protocols
from clinic.protocols.comparison import Difference, differences
from clinic.protocols.pages import typed_draft
from clinic.protocols.terms import TermsDraft, draft_from, draft_of
from clinic.protocols.wording import sentence

_OTHER_DRUG: Final = uuid.UUID(int=0)
_WHY: Final = "Why the order changes"


@dataclass(frozen=True)
class Written:
    """An order as one person wrote or read it. `frame` is what it says besides its terms."""

    terms: TermsDraft
    drug_name: str
    weight_kg: Decimal | None
    frame: Sequence[tuple[str, str]]

    @property
    def reads_as(self) -> str:
        """The sentence."""
        return sentence(self.terms, drug_name=self.drug_name, weight_kg=self.weight_kg)


def as_saved(version: OrderVersion) -> Written:
    """A version as it stands."""
    return Written(
        draft_of(version.terms),
        version.terms.drug.name,
        version.weight_used_kg,
        _frame(version.valid_from, version.valid_until, version.change_reason, version.dosing_weight),
    )


def as_typed(form: OrderForm, patient: Patient) -> Written | None:
    """What a form says; None while it cannot be read."""
    draft = typed_draft(form)
    drug = protocols.drug(draft.drug_id) if draft else None
    if draft is None or drug is None:
        return None
    weight, dosing = dosing_weight(patient), form.typed_dosing()
    reason = form.change_reason.data if isinstance(form, NextOrderForm) else None
    return Written(
        draft,
        drug.name,
        dosing.kg if dosing else (weight.kg if weight else None),
        _frame(form.valid_from.data, form.valid_until.data, reason, dosing),
    )


def as_kept(kept: OrderDraft, version: OrderVersion) -> Written:
    """A version as it read when it was saved that time."""
    content = json.loads(kept.content)
    name = content["terms"]["drug"]["name"]
    drug_id = version.terms.drug_id if name == version.terms.drug.name else _OTHER_DRUG
    weight = content["weight_used_kg"]
    return Written(
        draft_from(content["terms"], drug_id),
        name,
        Decimal(weight) if weight else None,
        _frame(_day(content["valid_from"]), _day(content["valid_until"]), content["change_reason"], _dosing(content)),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _dosing(content: Mapping[str, Any]) -> DosingWeight | None:
    kept = content.get("dosing_weight")
    return DosingWeight(Decimal(kept["kg"]), kept["basis"], date.fromisoformat(kept["on"])) if kept else None


def _frame(
    valid_from: date | None, valid_until: date | None, change_reason: str | None, dosing: DosingWeight | None
) -> list[tuple[str, str]]:
    typed = f"{format_quantity(dosing.kg, Unit.KG)}, {dosing.basis}, {date_label(dosing.on)}" if dosing else "–"
    return [
        ("Weight to dose on", typed),
        ("Valid from", date_label(valid_from) if valid_from else "–"),
        ("Valid until", date_label(valid_until) if valid_until else "–"),
        (_WHY, change_reason or "–"),
    ]


def frame_changes(before: OrderVersion, after: OrderVersion) -> list[Difference]:
    """What differs between two versions besides their terms and the reason: the days, the weight to dose on."""
    return [line for line in _frames_beside(as_saved(before), as_saved(after)) if line.label != _WHY]


def _frames_beside(one: Written, other: Written) -> list[Difference]:
    beside = zip(one.frame, other.frame, strict=True)
    return [Difference(label, was, now) for (label, was), (_, now) in beside if was != now]


def lines_beside(saved: Written, other: Written) -> list[Difference]:
    """Two orders for the page of a conflict: both as sentences, then all that differs."""
    return [
        Difference("Reads as", saved.reads_as, other.reads_as),
        *differences(saved.terms, other.terms, drugs=(saved.drug_name, other.drug_name)),
        *_frames_beside(saved, other),
    ]

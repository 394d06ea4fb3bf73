"""What the free text of gates and container labels says."""

import re
from dataclasses import dataclass
from decimal import Decimal

from clinic.cases.facts import PERSON
from clinic.cases.parts import GateEntry

_N = r"\d+(?:\.\d+)?"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFacts:
    """What a visit's detail says.

    `pressures` are the readings (systolic, diastolic) in turn, without the limit they are held against. `typed_kg` is a
    number typed into the weight field and held back, `weight_kg` the one that was saved, `order_weight_kg` the one the
    order was signed again with.
    """

    pressures: tuple[tuple[int, int], ...]
    typed_kg: Decimal | None
    weight_kg: Decimal | None
    order_weight_kg: Decimal | None
    people: tuple[str, ...]


_PRESSURE = re.compile(r"(?<![\d/.])(\d{2,3})/(\d{2,3})(?![\d/])")
_TYPED = re.compile(rf"\bweight\s+({_N})\s+(?:typed|entered|keyed)", re.IGNORECASE)
_SCALE = re.compile(rf"\b(?:scale(?: reading)?|re-?weighed(?: at)?|measured)\s+({_N})\s*kg", re.IGNORECASE)
_SIGNED = re.compile(rf"\bre-?signed\s+(?:with|at|for)(?:\s+weight)?\s+({_N})\s*kg", re.IGNORECASE)


def gate_facts(gate: GateEntry) -> GateFacts:
    """Read the detail of one visit."""
    without_limits = re.sub(r"\blimits?\b[^,;]*", "", gate.detail, flags=re.IGNORECASE)
    return GateFacts(
        pressures=tuple((int(high), int(low)) for high, low in _PRESSURE.findall(without_limits)),
        typed_kg=_quantity(_TYPED, gate.detail),
        weight_kg=_quantity(_SCALE, gate.detail),
        order_weight_kg=_quantity(_SIGNED, gate.detail),
        people=tuple(dict.fromkeys(PERSON.findall(gate.detail))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFacts:
    """What a label says: mg/mL, mL, lot; `is_multi_dose` is None when it does not say."""

    strength_mg_ml: Decimal | None
    volume_ml: Decimal | None
    lot: str | None
    is_multi_dose: bool | None
    is_opened: bool

    @property
    def content_mg(self) -> Decimal | None:
        """Drug in the full container."""
        if self.strength_mg_ml is None or self.volume_ml is None:
            return None
        return self.strength_mg_ml * self.volume_ml


def container_facts(text: str) -> ContainerFacts:
    """Read `vial 10 mg/mL 20 mL single-dose, lot F1001`."""
    multi = re.search(r"\b(single|multi)[\s-]?dose", text, re.IGNORECASE)
    lot = re.search(r"\blots?\s+([\w-]+)", text, re.IGNORECASE)
    return ContainerFacts(
        strength_mg_ml=_quantity(re.compile(rf"({_N})\s*mg/mL", re.IGNORECASE), text),
        volume_ml=_quantity(re.compile(rf"(?<![\d.])({_N})\s*mL\b", re.IGNORECASE), text),
        lot=lot[1] if lot else None,
        is_multi_dose=multi[1].lower() == "multi" if multi else None,
        is_opened=re.search(r"\bopened\b", text, re.IGNORECASE) is not None,
    )


def _quantity(pattern: re.Pattern[str], text: str) -> Decimal | None:
    found = pattern.search(text)
    return Decimal(found[1]) if found else None

"""The repeated lines of terms: as-needed medicines, the observation schedule, the checks before an infusion."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from wtforms import BooleanField, SelectField, StringField
from wtforms import Form as PlainForm
from wtforms.validators import InputRequired, Length

from clinic.core.choices import options
from clinic.core.forms import NumberField, WholeField
from clinic.core.permissions import Role
from clinic.core.units import Unit
from clinic.protocols.rules import Anchor, CheckKind, GateEffect
from clinic.protocols.terms import CheckDraft, PhaseDraft, PrnDraft
from clinic.protocols.vital_names import NAMES, named
from clinic.protocols.wording import ANCHOR_WORDS, EFFECT_WORDS, KIND_WORDS, ROLE_WORDS

_E = TypeVar("_E", bound=StrEnum)
_SHORT: Final = 200
# The bounds of the impossible: what no pump, bag or day can hold. They are no clinical limits.
MOST_MG: Final = 999_999
MOST_MIN: Final = 14_400
_PRN_UNITS: Final = (Unit.MG, Unit.MCG, Unit.G, Unit.ML)
_PRN_ROUTES: Final = ("IV", "PO", "SL", "SC", "IM", "IN", "nasal", "inhaled")


def text_field(label: str, *, most: int = _SHORT, needed: str | None = None) -> StringField:
    """A line of text that may stay empty unless `needed` says what to do; empty is None."""
    validators: list[Any] = [InputRequired(needed)] if needed else []
    return StringField(label, [*validators, Length(max=most, message=f"At most {most} letters")], filters=[_stripped])


def _stripped(value: str | None) -> str | None:
    return value.strip() or None if value else None


def choice_field(label: str, words: Mapping[_E, str], **more: Any) -> SelectField:
    """A choice that nothing is chosen of."""
    return SelectField(label, choices=options(words, blank=True), default="", **more)


def _is_filled(field: Any) -> bool:
    """Whether something was typed; in a form drawn from values, whether there is one."""
    if field.raw_data is None:
        return field.data not in {None, "", False}
    return any(str(text).strip() for text in field.raw_data)


class Row(PlainForm):
    """One line of a repeated part. A line that is left empty does not count."""

    needed: tuple[str, ...] = ()

    @property
    def is_blank(self) -> bool:
        return not any(_is_filled(field) for field in self)

    def validate(self, extra_validators: Any = None) -> bool:
        if self.is_blank:
            return True
        is_valid = super().validate(extra_validators)
        for name in self.needed:
            field = self[name]
            if field.data in {None, ""} and not field.errors:
                field.errors = [*field.errors, "Fill this in, or empty the line"]
                is_valid = False
        return bool(is_valid)


class PrnRow(Row):
    """An as-needed medicine."""

    needed = ("drug_name", "dose", "unit", "route")

    drug_name = text_field("Drug")
    dose = NumberField("Dose", places=4, minimum=0, maximum=MOST_MG)
    unit = choice_field("Unit", {unit: unit.short for unit in _PRN_UNITS})
    route = SelectField("Route", choices=options({route: route for route in _PRN_ROUTES}, blank=True), default="")
    maximum_count = WholeField("Doses at most", minimum=1, maximum=99)
    minimum_gap_min = WholeField("Apart", minimum=1, maximum=MOST_MIN, unit="min")
    over_min = WholeField("Over", minimum=1, maximum=MOST_MIN, unit="min")
    trigger = text_field("For")
    is_controlled = BooleanField("Controlled")

    def draft(self) -> PrnDraft:
        return PrnDraft(**self.data)


class PhaseRow(Row):
    """A stretch of the observation schedule."""

    needed = ("anchor",)

    anchor = choice_field("Counted", ANCHOR_WORDS)
    after_min = WholeField("First after", minimum=0, maximum=MOST_MIN, unit="min")
    every_min = WholeField("Every", minimum=1, maximum=MOST_MIN, unit="min")
    for_min = WholeField("For", minimum=1, maximum=MOST_MIN, unit="min")
    times = WholeField("Times", minimum=1, maximum=999)
    items = text_field("Only these vitals")

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid = super().validate(extra_validators)
        if not self.is_blank and self.every_min.data is None and self.after_min.data is None:
            self.every_min.errors = [*self.every_min.errors, "Say after how many minutes, or every how many"]
            is_valid = False
        unknown = [word for word in self._words if named(word) is None]
        if unknown:
            known = ", ".join(NAMES)
            self.items.errors = [*self.items.errors, f"Say which vitals, with commas between: {known}"]
        return is_valid and not unknown

    @property
    def _words(self) -> list[str]:
        return [word for word in (part.strip() for part in (self.items.data or "").split(",")) if word]

    def draft(self) -> PhaseDraft:
        asked = {named(word) or word for word in self._words}
        items = (*(name for name in NAMES if name in asked), *sorted(asked - set(NAMES))) or None
        return PhaseDraft(**self.data | {"anchor": Anchor(self.anchor.data), "items": items})


class CheckRow(Row):
    """A check of the page before an infusion."""

    needed = ("section", "kind", "text", "effect")

    section = text_field("Section")
    kind = choice_field("Kind", KIND_WORDS)
    text = text_field("Check, so that yes means go")
    hint = text_field("Hint")
    effect = choice_field("If not", EFFECT_WORDS)
    role = choice_field("Answered by", ROLE_WORDS)

    def draft(self) -> CheckDraft:
        role = Role(self.role.data) if self.role.data else None
        chosen = {"kind": CheckKind(self.kind.data), "effect": GateEffect(self.effect.data), "role": role}
        return CheckDraft(**self.data | chosen)

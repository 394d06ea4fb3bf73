"""The fields of terms, shared by the forms of protocols and of orders.

Nothing is filled in that a clinician did not enter.
"""

import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar

from wtforms import Field, FieldList, FormField, SelectField
from wtforms.form import BaseForm
from wtforms.validators import InputRequired, StopValidation
from wtforms.widgets import TextInput

from clinic.core.choices import options
from clinic.core.forms import MAXIMUM_TEXT, Form, NumberField, WholeField
from clinic.core.units import format_number
from clinic.protocols.limit_words import LEVEL_WORDS, VITAL_WORDS, BadLimit, limit_cell, read_limit
from clinic.protocols.models import Drug
from clinic.protocols.rules import DischargeScale, DoseBasis, LimitLevel, SedationScale, Vital, WeightRule
from clinic.protocols.session_doses import BadAmounts, amounts_typed, read_amounts
from clinic.protocols.spacing_rules import SpacingKind
from clinic.protocols.spacing_words import (
    SPACING_WORDS,
    BadSpacing,
    gaps_text,
    read_gaps,
    read_reviews,
    read_weekdays,
    reviews_typed,
    weekdays_text,
)
from clinic.protocols.terms import LimitDraft, TermsDraft
from clinic.protocols.terms_rows import MOST_MG, MOST_MIN, CheckRow, PhaseRow, PrnRow, choice_field, text_field
from clinic.protocols.wording import LINES, SCALE_WORDS, WEIGHT_WORDS, drug_text

_E = TypeVar("_E", bound=StrEnum)
_YES_NO: Final = {"yes": "yes", "no": "no"}
ROWS: Final = ("prn_items", "phases", "checks")
_MOST_ROWS: Final = 60


def _enum(kind: type[_E], value: str | None) -> _E | None:
    return kind(value) if value else None


class LimitCell(Field):
    """What is within the limit of one vital, in words: "90 to 160". `data` is the limits it states."""

    widget = TextInput()
    data: tuple[LimitDraft, ...] | None = None
    problem: str | None = None

    def __init__(self, label: str, *, level: LimitLevel, vital: Vital, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.level, self.vital = level, vital
        self.unit = VITAL_WORDS[vital][1]

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data, self.problem = (), None
        try:
            self.data = read_limit(valuelist[0] if valuelist else "", self.level, self.vital)
        except BadLimit as problem:
            self.problem = str(problem)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return limit_cell(self.data or (), self.level, self.vital)

    def pre_validate(self, form: BaseForm) -> None:
        if self.problem:
            raise StopValidation(self.problem)


class _WordsField(Field):
    """A list of numbers in the words of the clinic. `data` is the numbers, None for an empty field."""

    widget = TextInput()
    data: tuple[Any, ...] | None = None
    problem: str | None = None

    def __init__(
        self,
        label: str,
        *,
        read: Callable[[str], tuple[Any, ...] | None],
        write: Callable[[Any], str],
        **kwargs: Any,
    ) -> None:
        super().__init__(label, **kwargs)
        self.read, self.write = read, write

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data, self.problem = None, None
        try:
            self.data = self.read(valuelist[0] if valuelist else "")
        except (BadSpacing, BadAmounts) as problem:
            self.problem = str(problem)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return self.write(self.data)

    def pre_validate(self, form: BaseForm) -> None:
        if self.problem:
            raise StopValidation(self.problem)


def _named(name: str) -> str:
    return LINES[name].label


def _number(name: str, *, places: int = 4, maximum: int = MOST_MG) -> NumberField:
    return NumberField(_named(name), places=places, minimum=0, maximum=maximum)


def _whole(name: str, *, minimum: int = 1, maximum: int = MOST_MIN) -> WholeField:
    return WholeField(_named(name), minimum=minimum, maximum=maximum)


_BASES: Final = {basis: f"{basis.unit.spoken}, total" if basis.is_total else basis.unit.spoken for basis in DoseBasis}
_RATES: Final = {basis: basis.unit.spoken for basis in DoseBasis if not basis.is_total}


class TermsForm(Form):
    """Every value of terms. Subclasses add what a protocol or an order has besides."""

    drug_id = SelectField("Drug", [InputRequired("Choose the drug")], default="")
    basis = choice_field(_named("basis"), _BASES, validators=[InputRequired("Choose how the dose is written")])
    product = text_field(_named("product"))
    diluent = text_field(_named("diluent"))
    concentration_mg_ml = _number("concentration_mg_ml")
    weight_rule = choice_field(_named("weight_rule"), WEIGHT_WORDS)
    start_amount = _number("start_amount")
    session_amounts = _WordsField(_named("session_amounts"), read=read_amounts, write=amounts_typed)
    step_amount = _number("step_amount")
    step_every_min = _whole("step_every_min")
    step_condition = text_field(_named("step_condition"))
    highest_amount = _number("highest_amount")
    maximum_rate = _number("maximum_rate")
    maximum_rate_unit = choice_field(_named("maximum_rate_unit"), _RATES)
    maximum_total_mg = _number("maximum_total_mg")
    course_maximum_mg = _number("course_maximum_mg")
    duration_min = _whole("duration_min")
    maximum_duration_min = _whole("maximum_duration_min")
    bolus_mg = _number("bolus_mg")
    bolus_over_min = _whole("bolus_over_min")
    pump_step_ml_h = _number("pump_step_ml_h", maximum=999)
    sedation_scale = choice_field(_named("sedation_scale"), {scale: str(scale) for scale in SedationScale})
    notify_text = text_field(_named("notify_text"), most=MAXIMUM_TEXT)
    outside_limit_text = text_field(_named("outside_limit_text"), most=MAXIMUM_TEXT)
    recheck_min = _whole("recheck_min")
    grace_min = _whole("grace_min", minimum=0)
    monitoring = text_field(_named("monitoring"), most=MAXIMUM_TEXT)
    adjuncts = text_field(_named("adjuncts"), most=MAXIMUM_TEXT)
    fasting_solid_h = _number("fasting_solid_h", places=1, maximum=99)
    fasting_clear_h = _number("fasting_clear_h", places=1, maximum=99)
    is_escort_required = SelectField(_named("is_escort_required"), choices=options(_YES_NO, blank=True), default="")
    is_pregnancy_test_required = SelectField(
        _named("is_pregnancy_test_required"), choices=options(_YES_NO, blank=True), default=""
    )
    discharge_scale = choice_field(_named("discharge_scale"), SCALE_WORDS)
    discharge_cutoff = _whole("discharge_cutoff", minimum=0, maximum=99)
    recovery_min = _whole("recovery_min", minimum=0)
    sessions_planned = _whole("sessions_planned", maximum=999)
    apart_min_days = _whole("apart_min_days", minimum=0, maximum=999)
    apart_max_days = _whole("apart_max_days", minimum=0, maximum=999)
    spacing = choice_field(_named("spacing"), SPACING_WORDS)
    weekdays = _WordsField(_named("weekdays"), read=read_weekdays, write=weekdays_text)
    every_days = _whole("every_days", maximum=999)
    gaps_days = _WordsField(_named("gaps_days"), read=read_gaps, write=gaps_text)
    review_after = _WordsField(_named("review_after"), read=read_reviews, write=reviews_typed)
    early_days = _whole("early_days", minimum=0, maximum=99)
    late_days = _whole("late_days", minimum=0, maximum=99)
    spacing_text = text_field(_named("spacing_text"))
    precheck_slot_min = _whole("precheck_slot_min", minimum=0)
    recovery_slot_min = _whole("recovery_slot_min", minimum=0)
    turnaround_min = _whole("turnaround_min", minimum=0)
    prn_items = FieldList(FormField(PrnRow), max_entries=_MOST_ROWS)
    phases = FieldList(FormField(PhaseRow), max_entries=_MOST_ROWS)
    checks = FieldList(FormField(CheckRow), max_entries=_MOST_ROWS)

    def offer_drugs(self, drugs: list[Drug]) -> None:
        """Set the drugs to choose from."""
        names = {str(drug.id): drug_text(drug) for drug in drugs}
        self.drug_id.choices = options(names, blank=True)

    def draft(self) -> TermsDraft:
        """The terms that a valid form says."""
        values: dict[str, Any] = {name: self[name].data for name in LINES if name in _PLAIN}
        return TermsDraft(
            **values,
            drug_id=uuid.UUID(self.drug_id.data),
            basis=DoseBasis(self.basis.data),
            spacing=_enum(SpacingKind, self.spacing.data),
            weight_rule=_enum(WeightRule, self.weight_rule.data),
            maximum_rate_unit=_enum(DoseBasis, self.maximum_rate_unit.data),
            sedation_scale=_enum(SedationScale, self.sedation_scale.data),
            discharge_scale=_enum(DischargeScale, self.discharge_scale.data),
            is_escort_required=_yes_or_no(self.is_escort_required.data),
            is_pregnancy_test_required=_yes_or_no(self.is_pregnancy_test_required.data),
            limits=tuple(limit for cell in self.limit_cells() for limit in cell.data or ()),
            prn_items=tuple(row.draft() for row in self._rows("prn_items")),
            phases=tuple(row.draft() for row in self._rows("phases")),
            checks=tuple(row.draft() for row in self._rows("checks")),
        )

    def limit_cells(self) -> Iterator[LimitCell]:
        """The cells of the limits, by level and vital."""
        for field in self:
            if isinstance(field, LimitCell):
                yield field

    def limit_cell(self, level: LimitLevel, vital: Vital) -> LimitCell:
        """The cell of one level and vital."""
        cell: LimitCell = self[limit_name(level, vital)]
        return cell

    def _rows(self, name: str) -> list[Any]:
        return [entry.form for entry in self[name] if not entry.form.is_blank]

    def add_blank_rows(self, names: tuple[str, ...] = ROWS, *, number: int = 1) -> None:
        """Offer empty lines at the end of repeated parts."""
        for name in names:
            for _ in range(min(number, _MOST_ROWS - len(self[name].entries))):
                self[name].append_entry()

    @property
    def summary(self) -> list[tuple[str | None, str]]:
        """Every error as (id of the field or None, text), those inside the repeated lines included."""
        lines: list[tuple[str | None, str]] = [(None, self.refusal)] if self.refusal else []
        for field in self:
            lines += _errors_of(field)
        return lines


def _errors_of(field: Any) -> list[tuple[str | None, str]]:
    if isinstance(field, FieldList):
        return [line for entry in field for line in _errors_of(entry)]
    if isinstance(field, FormField):
        return [line for inner in field for line in _errors_of(inner)]
    named = isinstance(field, LimitCell) or "-" in field.short_name or "-" in field.name
    return [(field.id, f"{field.label.text}: {error}" if named else str(error)) for error in field.errors]


def limit_name(level: LimitLevel, vital: Vital) -> str:
    """The name of the field of one limit."""
    return f"limit_{level}_{vital}"


for _level in LimitLevel:
    for _vital in Vital:
        setattr(
            TermsForm,
            limit_name(_level, _vital),
            LimitCell(f"{VITAL_WORDS[_vital][0]}, {LEVEL_WORDS[_level].lower()}", level=_level, vital=_vital),
        )

_CHOSEN: Final = {
    "basis",
    "spacing",
    "weight_rule",
    "maximum_rate_unit",
    "sedation_scale",
    "discharge_scale",
    "is_escort_required",
    "is_pregnancy_test_required",
}
_PLAIN: Final = frozenset(LINES) - _CHOSEN


def _yes_or_no(text: str | None) -> bool | None:
    return None if not text else text == "yes"


def _said(value: bool | None) -> str:  # noqa: FBT001 the value of a field
    return "" if value is None else "yes" if value else "no"


def _shown(value: Any) -> Any:
    """A number without the zeros that its column adds: 0.2, never 0.2000."""
    return Decimal(format_number(value).replace(",", "")) if isinstance(value, Decimal) else value


def form_values(draft: TermsDraft) -> dict[str, Any]:
    """What a form shows for a draft: `TermsForm(data=form_values(draft))`."""
    values: dict[str, Any] = {name: _shown(getattr(draft, name)) for name in LINES}
    values["drug_id"] = str(draft.drug_id)
    values["is_escort_required"] = _said(draft.is_escort_required)
    values["is_pregnancy_test_required"] = _said(draft.is_pregnancy_test_required)
    for name in _CHOSEN:
        values[name] = values[name] or ""
    for level in LimitLevel:
        for vital in Vital:
            values[limit_name(level, vital)] = tuple(
                limit for limit in draft.limits if limit.level is level and limit.vital is vital
            )
    for name in ROWS:
        values[name] = [{inner: _shown(value) for inner, value in vars(row).items()} for row in getattr(draft, name)]
    for row in values["phases"]:
        row |= {"items": ", ".join(row["items"] or ())}
    return values

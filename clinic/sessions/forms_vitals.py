"""A set of vitals as it arrives: ladder, keypad fields, the one line; and the bounds of the impossible.

The ladder is no ordinary form: a value may come from three places, a page button may have been pressed instead of
Save, and everything chosen must be kept through both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from clinic.core.errors import RuleBroken
from clinic.core.units import BadNumber, parse_decimal
from clinic.protocols.limit_rules import Vital
from clinic.protocols.rules import SedationScale
from clinic.sessions.forms_acts import LONG, TimedForm, text
from clinic.sessions.one_line_rules import parse_one_line
from clinic.sessions.vital_rules import VITALS, impossible, sedation_bounds

ON_LADDER: Final = (Vital.SBP, Vital.DBP, Vital.HR, Vital.RR, Vital.SPO2, Vital.SEDATION, Vital.PAIN)
MORE: Final = (Vital.O2_L_MIN, Vital.TEMP, Vital.ETCO2, Vital.DISSOCIATION, Vital.NAUSEA)
ASLEEP: Final = "asleep"
# SBP is below and above these by a keypad of three digits; the fields of whole numbers take no more.
_MOST_TYPED: Final = 8


class VitalsForm(TimedForm):
    """What goes with the values: the time they are about, and a note."""

    note = text("Note", LONG)


class CorrectionForm(VitalsForm):
    """A corrected set says why."""

    reason = text("What was wrong", LONG)


@dataclass
class VitalsEntry:
    """What was chosen and typed, vital by vital, and what is wrong with it."""

    chosen: dict[Vital, str] = field(default_factory=dict)
    typed: dict[Vital, str] = field(default_factory=dict)
    line: str = ""
    misread: str = ""
    is_asleep: bool = False
    values: dict[Vital, Decimal] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    clock: str = ""
    line_note: str = ""
    starts: dict[Vital, int] = field(default_factory=dict)
    is_paging: bool = False

    @property
    def summary(self) -> list[tuple[str | None, str]]:
        """Every error as (id of the field, text), for the list on top of the page."""
        return [(name, f"{_name_of(name)}{message}") for name, message in self.errors.items()]

    def refuse(self, refusal: RuleBroken) -> None:
        """Show a refusal of a rule at the vital it is about."""
        self.errors[refusal.field or "line"] = refusal.message


def _name_of(name: str) -> str:
    known = {vital.value for vital in Vital}
    return f"{VITALS[Vital(name)].label}: " if name in known else ""


def read_entry(posted: Mapping[str, str], *, scale: SedationScale | None, is_plain: bool = False) -> VitalsEntry:
    """Return a posted set of vitals.

    The keypad field wins over the radio and the line over both, value by value. A page button (`page=sbp:162`) moves
    one ladder's window and means that nothing is saved. `is_plain` reads every value from a plain field of its name,
    as the page for corrections has them.
    """
    entry = VitalsEntry(line=posted.get("line", "").strip()[:LONG])
    _read_page(entry, posted.get("page", ""))
    for vital in (*ON_LADDER, *MORE):
        radio = posted.get(vital.value, "").strip()[:_MOST_TYPED]
        keypad = posted.get(f"{vital.value}_typed", "").strip()[:_MOST_TYPED]
        if vital is Vital.PAIN and radio == ASLEEP and not keypad:
            entry.is_asleep = True
            entry.chosen[vital] = ASLEEP
            continue
        is_typed = bool(keypad) or is_plain or vital in MORE
        given = keypad or radio
        if not given:
            continue
        (entry.typed if is_typed else entry.chosen)[vital] = given
        _read_value(entry, vital, given, scale)
    _read_line(entry)
    if not entry.is_paging:
        for vital, message in impossible(entry.values, scale=scale).items():
            entry.errors.setdefault(vital.value, message)
    return entry


def _read_page(entry: VitalsEntry, page: str) -> None:
    name, _, start = page.partition(":")
    known = {vital.value: vital for vital in ON_LADDER}
    if name in known and start.lstrip("-").isdigit() and len(start) <= 4:  # noqa: PLR2004 three digits and a sign
        entry.starts[known[name]] = int(start)
        entry.is_paging = True


def _read_value(entry: VitalsEntry, vital: Vital, given: str, scale: SedationScale | None) -> None:
    spec = VITALS[vital]
    low, high = spec.absolute
    if vital is Vital.SEDATION and scale is not None:
        low, high = (Decimal(bound) for bound in sedation_bounds(scale))
    try:
        entry.values[vital] = parse_decimal(given, places=spec.places, minimum=low, maximum=high)
    except BadNumber as problem:
        entry.errors[vital.value] = str(problem)


def _read_line(entry: VitalsEntry) -> None:
    if not entry.line:
        return
    said = parse_one_line(entry.line)
    if said.not_understood is not None:
        start, end = said.not_understood
        entry.misread = entry.line[start:end]
        entry.errors["line"] = f"Not understood: {entry.misread}"
        return
    for vital, value in said.values.items():
        entry.values[vital] = value
        entry.errors.pop(vital.value, None)
    entry.clock = f"{said.clock:%H:%M}" if said.clock else ""
    entry.line_note = said.note

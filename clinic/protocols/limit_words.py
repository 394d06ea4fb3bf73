"""Limits as a clinician writes them into a cell: "90 to 160", "at least 94". The way back of `limit_text`."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from clinic.core.units import Unit
from clinic.protocols.limit_rules import Comparator, Limit, LimitLevel, StatedLimit, Vital, limit_text

LEVEL_WORDS: Final = {LimitLevel.START: "Before the start", LimitLevel.NOTIFY: "Notify", LimitLevel.HOLD: "Hold"}

VITAL_WORDS: Final[dict[Vital, tuple[str, str]]] = {
    Vital.SBP: ("Systolic", Unit.MMHG.short),
    Vital.DBP: ("Diastolic", Unit.MMHG.short),
    Vital.MAP: ("Mean pressure", Unit.MMHG.short),
    Vital.HR: ("Heart rate", Unit.PER_MIN.short),
    Vital.RR: ("Breathing", Unit.PER_MIN.short),
    Vital.SPO2: ("SpO2", Unit.PERCENT.short),
    Vital.O2_L_MIN: ("Oxygen", Unit.L_PER_MIN.spoken),
    Vital.ETCO2: ("EtCO2", Unit.MMHG.short),
    Vital.TEMP: ("Temperature", Unit.CELSIUS.short),
    Vital.SEDATION: ("Sedation", ""),
    Vital.PAIN: ("Pain", "0 to 10"),
    Vital.DISSOCIATION: ("Dissociation", "0 to 3"),
    Vital.NAUSEA: ("Nausea", "0 to 3"),
}


class BadLimit(ValueError):
    """A limit that cannot be read. The message says what to write instead."""


_NUMBER: Final = r"(-?\d{1,4}(?:\.\d)?)"
_FORMS: Final[tuple[tuple[re.Pattern[str], tuple[Comparator, ...]], ...]] = tuple(
    (re.compile(pattern, re.ASCII), breached)
    for pattern, breached in (
        (rf"{_NUMBER} (?:to|-) {_NUMBER}", (Comparator.LT, Comparator.GT)),
        (rf"at least {_NUMBER}", (Comparator.LT,)),
        (rf"{_NUMBER} or more", (Comparator.LT,)),
        (rf"(?:at most|up to) {_NUMBER}", (Comparator.GT,)),
        (rf"{_NUMBER} or less", (Comparator.GT,)),
        (rf"(?:under|below) {_NUMBER}", (Comparator.GE,)),
        (rf"(?:over|above) {_NUMBER}", (Comparator.LE,)),
        (rf"not {_NUMBER}", (Comparator.EQ,)),
    )
)


def read_limit(text: str, level: LimitLevel, vital: Vital) -> tuple[Limit, ...]:
    """Return the limits that a cell states; it says what is *within*, several parts joined by "and".

    An empty cell states none. Raises BadLimit for whatever cannot be read: a limit is never guessed.
    """
    line = " ".join(text.lower().replace("%", " ").split())
    if not line:
        return ()
    limits: list[Limit] = []
    for part in line.split(" and "):
        for pattern, breached in _FORMS:
            if found := pattern.fullmatch(part):
                limits += [
                    Limit(level, vital, comparator, Decimal(bound))
                    for comparator, bound in zip(breached, found.groups(), strict=True)
                ]
                break
        else:
            raise BadLimit("Write 90 to 160, at least 94, 2 or less, under 170, over 50 or not 3")
    low = next((limit.bound for limit in limits if limit.comparator is Comparator.LT), None)
    high = next((limit.bound for limit in limits if limit.comparator is Comparator.GT), None)
    if low is not None and high is not None and low > high:
        raise BadLimit("The lower number comes first")
    return tuple(limits)


def limit_cell(limits: Iterable[StatedLimit], level: LimitLevel, vital: Vital) -> str:
    """Return the text of a cell for the limits of one vital and level, without its unit."""
    return limit_text([limit for limit in limits if limit.level is level and limit.vital is vital]).replace("%", "")


def limit_lines(limits: Iterable[StatedLimit]) -> list[tuple[LimitLevel, Vital, str]]:
    """Return each level and vital that has limits, with what is within them in words and its unit."""
    given = list(limits)
    found = []
    for level in LimitLevel:
        for vital in Vital:
            text = limit_cell(given, level, vital)
            if text:
                found.append((level, vital, with_unit(text, vital)))
    return found


def with_unit(text: str, vital: Vital) -> str:
    """Return "90 to 160 mmHg"; scores have no unit, and percent stands close."""
    unit = VITAL_WORDS[vital][1]
    if not unit or unit[0].isdigit():
        return text
    measured = f"{{}}{unit}" if unit == "%" else f"{{}} {unit}"
    number, word, rest = text.partition(" or less")
    return f"{measured.format(number)}{word}{rest}"

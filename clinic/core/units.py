"""The closed list of units, and how numbers are read from and written on a screen.

Every quantity is a `Decimal`. A unit is stored by its UCUM code and shown by its label: "mcg" on the screen is "ug"
in UCUM, because the micro sign and "ug" are known to be misread.
"""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from enum import StrEnum
from functools import wraps
from typing import Final, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

NO_BREAK_SPACE: Final = "\u00a0"


class Unit(StrEnum):
    """A unit by its UCUM code. There are no others: a unit that is not here cannot be stored."""

    MG = "mg"
    MCG = "ug"
    G = "g"
    ML = "mL"
    ML_PER_H = "mL/h"
    MG_PER_H = "mg/h"
    MG_PER_MIN = "mg/min"
    MG_PER_KG = "mg/kg"
    MG_PER_KG_H = "mg/kg/h"
    MCG_PER_KG_MIN = "ug/kg/min"
    MG_PER_ML = "mg/mL"
    KG = "kg"
    CM = "cm"
    MIN = "min"
    H = "h"
    MMHG = "mm[Hg]"
    PER_MIN = "/min"
    PERCENT = "%"
    CELSIUS = "Cel"
    L_PER_MIN = "L/min"
    MMOL_PER_L = "mmol/L"
    MS = "ms"
    SCORE = "{score}"

    @property
    def short(self) -> str:
        """The label that stands beside a number where a pump or monitor shows the same: "mg/h"."""
        return _LABELS[self][0]

    @property
    def spoken(self) -> str:
        """The label of a sentence, with "per" spelled: "mg per hour"."""
        return _LABELS[self][1]


_LABELS: Final[dict[Unit, tuple[str, str]]] = {
    Unit.MG: ("mg", "mg"),
    Unit.MCG: ("mcg", "mcg"),
    Unit.G: ("g", "g"),
    Unit.ML: ("mL", "mL"),
    Unit.ML_PER_H: ("mL/h", "mL per hour"),
    Unit.MG_PER_H: ("mg/h", "mg per hour"),
    Unit.MG_PER_MIN: ("mg/min", "mg per min"),
    Unit.MG_PER_KG: ("mg/kg", "mg per kg"),
    Unit.MG_PER_KG_H: ("mg/kg/h", "mg per kg per hour"),
    Unit.MCG_PER_KG_MIN: ("mcg/kg/min", "mcg per kg per min"),
    Unit.MG_PER_ML: ("mg/mL", "mg per mL"),
    Unit.KG: ("kg", "kg"),
    Unit.CM: ("cm", "cm"),
    Unit.MIN: ("min", "min"),
    Unit.H: ("h", "hours"),
    Unit.MMHG: ("mmHg", "mmHg"),
    Unit.PER_MIN: ("per min", "per min"),
    Unit.PERCENT: ("%", "percent"),
    Unit.CELSIUS: ("°C", "degrees Celsius"),
    Unit.L_PER_MIN: ("L/min", "L per min"),
    Unit.MMOL_PER_L: ("mmol/L", "mmol per L"),
    Unit.MS: ("ms", "ms"),
    Unit.SCORE: ("", ""),
}

_BY_LABEL: Final = {label.lower(): unit for unit, (label, _) in _LABELS.items() if label} | {
    unit.lower(): unit for unit in Unit
}

# Multiplying clinical numbers stays exact in 50 digits; a division is rounded once, far below any pump's step.
EXACT: Final = Context(prec=50)
_GUARDED: Final = Context(prec=40)

_NUMBER: Final = re.compile(r"-?\d{1,6}([.,]\d{1,4})?", re.ASCII)
# "1,250" is one and a quarter to one reader and twelve hundred and fifty to another.
_TWO_READINGS: Final = re.compile(r"-?[1-9]\d{0,2},\d{3}", re.ASCII)


def exact(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Run a function of dose arithmetic in the 50-digit context, whatever context the caller's thread has."""

    @wraps(function)
    def in_context(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with localcontext(EXACT):
            return function(*args, **kwargs)

    return in_context


class BadNumber(ValueError):
    """A typed number that cannot be taken. The message says in plain words what to type instead."""


def unit_from_label(label: str) -> Unit | None:
    """Return the unit a person wrote ("mcg", "mg/kg/h") or its UCUM code, or None when it is not in the list."""
    return _BY_LABEL.get(label.strip(" ").lower())


def parse_decimal(text: str, *, places: int, minimum: Decimal | int, maximum: Decimal | int) -> Decimal:
    """Return the number a person typed, within `minimum` and `maximum` (both allowed).

    Plain ASCII digits only, a decimal point or comma, at most `places` places. Whatever a language's own number parser
    would also take (`nan`, `1e2`, `1_000`, full-width digits) is refused: none of it is typed on purpose at a bedside.

    Raises `BadNumber` with the sentence to show at the field.
    """
    wanted = f"Enter a value from {format_number(minimum)} to {format_number(maximum)}"
    typed = text.strip(" ")
    found = _NUMBER.fullmatch(typed)
    if found is None:
        raise BadNumber(wanted)
    if _TWO_READINGS.fullmatch(typed):
        raise BadNumber(f"{typed} can be read in two ways. {wanted}, without a comma")
    if len((found[1] or ".")[1:]) > places:
        raise BadNumber(f"{wanted}, {_places_words(places)}")
    value = Decimal(typed.replace(",", "."))
    if not minimum <= value <= maximum:
        raise BadNumber(wanted)
    return value or abs(value)  # "-0" is a slip, and prints as one


def _places_words(places: int) -> str:
    if places == 0:
        return "in whole numbers"
    return f"with at most {places} decimal place{'s' if places > 1 else ''}"


def format_number(value: Decimal | int) -> str:
    """Return a number as the screens show it: 0.5, 5, 1,250. A zero before the point, none after, never an exponent."""
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError("Only a finite number can be shown.")
    text = format(number, ",f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def format_quantity(value: Decimal | int, unit: Unit, *, spoken: bool = False) -> str:
    """Return a number with its unit, held together by a no-break space: `0.5 mg`, or spoken `15 mg per hour`.

    A percent sign follows its number directly, a score has no unit.
    """
    number = format_number(value)
    if unit is Unit.SCORE:
        return number
    if unit is Unit.PERCENT and not spoken:
        return f"{number}%"
    label = unit.spoken if spoken else unit.short
    if spoken and unit is Unit.H and number == "1":
        label = "hour"
    return f"{number}{NO_BREAK_SPACE}{label}"


def dose_text(amount: Decimal | int, unit: str) -> str:
    """Return a dose whose unit stands in the record by its code, its label or as a word: `0.1 mcg`, `2 drops`."""
    known = unit_from_label(unit)
    return format_quantity(amount, known) if known else f"{format_number(amount)}{NO_BREAK_SPACE}{unit}"


def round_half_up(value: Decimal, places: int) -> Decimal:
    """Return `value` rounded to `places` decimals, halves away from zero, as clinicians round.

    A quotient such as 1.07 / 60 leaves its error in the 50th digit, and thirty of them stay just below a half: the last
    ten digits are given up before the half is judged.
    """
    return _GUARDED.plus(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=EXACT)


def rounded_apart(value: Decimal, bound: Decimal) -> tuple[Decimal, Decimal]:
    """Return two values rounded for the screen, but never so far that two different ones read the same."""
    for places in range(2, 7):
        shown = round_half_up(value, places), round_half_up(bound, places)
        if shown[0] != shown[1]:
            return shown
    return value, bound

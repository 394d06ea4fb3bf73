"""Vitals typed in one line: `1415 128/76 84 - 98 s1 p4 n dizzy on standing`.

Blood pressure, heart rate, breathing and SpO2 come in that order, `-` skips one; letters follow in any order. The
script in the browser reads the same grammar, and one table of examples tests both. An ambiguous line is never
guessed: the part that was not understood is handed back to be underlined.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from typing import Final

from clinic.protocols.limit_rules import Vital

# The browser's parser has these same shapes; tests/shared/one_line_cases.json holds both to them.
_LOOKS_LIKE_TIME: Final = re.compile(r"\d{4}|\d{2}:\d{2}", re.ASCII)
_TIME: Final = re.compile(r"([01]\d|2[0-3]):?([0-5]\d)", re.ASCII)
_PRESSURE: Final = re.compile(r"(\d{2,3})/(\d{2,3})", re.ASCII)
_WHOLE: Final = re.compile(r"\d{1,3}", re.ASCII)
_WORD: Final = re.compile(r"[^ \t]+")

_IN_ORDER: Final = (Vital.HR, Vital.RR, Vital.SPO2)
_LETTERS: Final = {
    "s": (Vital.SEDATION, re.compile(r"-?\d", re.ASCII)),
    "p": (Vital.PAIN, re.compile(r"\d{1,2}", re.ASCII)),
    "t": (Vital.TEMP, re.compile(r"\d{2}(?:\.\d)?", re.ASCII)),
    "o": (Vital.O2_L_MIN, re.compile(r"\d{1,2}(?:\.\d)?", re.ASCII)),
}
_ORDER_IS_OVER: Final = len(_IN_ORDER) + 1


@dataclass(frozen=True)
class OneLine:
    """What a line says. `not_understood` is the span (start, end) of the first part that is not clear.

    A line with such a part is saved by nobody; what stands before it is only echoed. Values are as typed: whether
    they are possible is asked of them elsewhere, as of any other entry.
    """

    clock: time | None = None
    values: Mapping[Vital, Decimal] = field(default_factory=dict)
    note: str = ""
    not_understood: tuple[int, int] | None = None


def parse_one_line(text: str) -> OneLine:
    """Return what was understood of a line of vitals, and the span of the first part that was not."""
    clock = None
    values: dict[Vital, Decimal] = {}
    position = 0
    for number, word in enumerate(_WORD.finditer(text)):
        if number == 0 and _LOOKS_LIKE_TIME.fullmatch(word[0]):
            if (found := _TIME.fullmatch(word[0])) is None:
                return OneLine(not_understood=word.span())
            clock = time(int(found[1]), int(found[2]))
            continue
        if word[0] in {"n", "N"}:
            note = text[word.end() :].strip()
            return OneLine(clock, values, note, None if note else word.span())
        read = _lettered(word[0], values)
        is_lettered = read is not None
        if read is None:
            read = _in_order(word[0], position)
        if read is None:
            return OneLine(clock, values, not_understood=word.span())
        position = _ORDER_IS_OVER if is_lettered else position + 1
        values.update(read)
    return OneLine(clock, values)


def _lettered(word: str, values: Mapping[Vital, Decimal]) -> dict[Vital, Decimal] | None:
    """Read a word such as `s-1`. The same letter twice is not understood."""
    vital, shape = _LETTERS.get(word[0].lower(), (None, None))
    if vital is None or shape is None or vital in values or not shape.fullmatch(word[1:]):
        return None
    return {vital: Decimal(word[1:])}


def _in_order(word: str, position: int) -> dict[Vital, Decimal] | None:
    """Read a word of the fixed part: the pressure first, then three whole numbers; a dash skips its place."""
    if position >= _ORDER_IS_OVER:
        return None
    if word == "-":
        return {}
    if position == 0:
        found = _PRESSURE.fullmatch(word)
        return {Vital.SBP: Decimal(found[1]), Vital.DBP: Decimal(found[2])} if found else None
    return {_IN_ORDER[position - 1]: Decimal(word)} if _WHOLE.fullmatch(word) else None

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

_TIME: Final = re.compile(r"([01]\d|2[0-3]):?([0-5]\d)", re.ASCII)
_PRESSURE: Final = re.compile(r"(\d{1,3})/(\d{1,3})", re.ASCII)
_WHOLE: Final = re.compile(r"\d{1,3}", re.ASCII)
_LETTER: Final = re.compile(r"([spto])([+-]?\d{1,3}(?:[.,]\d)?)", re.ASCII | re.IGNORECASE)
_NOTE: Final = re.compile(r"(?<!\S)n(?=\s|$)", re.ASCII | re.IGNORECASE)
_WORD: Final = re.compile(r"\S+")

_IN_ORDER: Final = (Vital.HR, Vital.RR, Vital.SPO2)
_LETTERS: Final = {"s": Vital.SEDATION, "p": Vital.PAIN, "t": Vital.TEMP, "o": Vital.O2_L_MIN}
_SIGNED: Final = frozenset({Vital.SEDATION})
_WITH_DECIMAL: Final = frozenset({Vital.TEMP, Vital.O2_L_MIN})


@dataclass(frozen=True)
class OneLine:
    """What a line says. `not_understood` is the span (start, end) from the first word that does not fit to the end.

    Values are as typed; whether they are possible is asked of them elsewhere, as of any other entry.
    """

    clock: time | None = None
    values: Mapping[Vital, Decimal] = field(default_factory=dict)
    note: str = ""
    not_understood: tuple[int, int] | None = None


def parse_one_line(text: str) -> OneLine:
    """Return what was understood of a line of vitals, and the span of what was not."""
    note_at = _NOTE.search(text)
    note = text[note_at.end() :].strip() if note_at else ""
    words = list(_WORD.finditer(text, 0, note_at.start() if note_at else len(text)))
    clock = None
    if words and (found := _TIME.fullmatch(words[0][0])):
        clock = time(int(found[1]), int(found[2]))
        words = words[1:]
    values: dict[Vital, Decimal] = {}
    position = 0
    for word in words:
        taken = _letter(word[0], values) or _in_order(word[0], position)
        if taken is None:
            end = words[-1].end()
            return OneLine(clock, values, note, (word.start(), end))
        read, position_after = taken
        position = position if position_after is None else position_after
        values.update(read)
    return OneLine(clock, values, note)


def _in_order(word: str, position: int) -> tuple[dict[Vital, Decimal], int | None] | None:
    """Read a word of the fixed part: the pressure first, then three whole numbers; a dash skips its place."""
    if position > len(_IN_ORDER):
        return None
    if word == "-":
        return {}, position + 1
    if position == 0:
        found = _PRESSURE.fullmatch(word)
        return ({Vital.SBP: Decimal(found[1]), Vital.DBP: Decimal(found[2])}, 1) if found else None
    return ({_IN_ORDER[position - 1]: Decimal(word)}, position + 1) if _WHOLE.fullmatch(word) else None


def _letter(word: str, values: Mapping[Vital, Decimal]) -> tuple[dict[Vital, Decimal], int | None] | None:
    """Read a lettered word; after the first one the fixed part is over. The same letter twice is not understood."""
    found = _LETTER.fullmatch(word)
    if found is None:
        return None
    vital = _LETTERS[found[1].lower()]
    number = found[2].replace(",", ".")
    if (
        vital in values
        or ("." in number and vital not in _WITH_DECIMAL)
        or (number[0] in "+-" and vital not in _SIGNED)
    ):
        return None
    return {vital: Decimal(number)}, len(_IN_ORDER) + 1

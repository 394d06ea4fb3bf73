"""Orders as text: reading the short forms that clinicians write, and writing the sentence that they sign.

What is not understood is never guessed. It stays as free text, shown in words, and no limit is made of it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from clinic.core.units import Unit, format_quantity, unit_from_label
from clinic.protocols.dose_rules import DoseBasis
from clinic.protocols.limit_rules import Comparator, Limit, LimitLevel, Vital
from clinic.protocols.session_doses import DoseRun

_VITAL_NAMES: Final = {
    "sbp": Vital.SBP,
    "dbp": Vital.DBP,
    "map": Vital.MAP,
    "hr": Vital.HR,
    "pulse": Vital.HR,
    "rr": Vital.RR,
    "spo2": Vital.SPO2,
    "sat": Vital.SPO2,
    "sats": Vital.SPO2,
    "o2": Vital.O2_L_MIN,
    "etco2": Vital.ETCO2,
    "temp": Vital.TEMP,
    "temperature": Vital.TEMP,
    "rass": Vital.SEDATION,
    "moaa/s": Vital.SEDATION,
    "moaas": Vital.SEDATION,
    "poss": Vital.SEDATION,
    "ramsay": Vital.SEDATION,
    "sedation": Vital.SEDATION,
    "nrs": Vital.PAIN,
    "pain": Vital.PAIN,
    "dissoc": Vital.DISSOCIATION,
    "dissociation": Vital.DISSOCIATION,
    "nausea": Vital.NAUSEA,
}
_SIGNS: Final = {
    "<": Comparator.LT,
    "<=": Comparator.LE,
    "=<": Comparator.LE,
    ">": Comparator.GT,
    ">=": Comparator.GE,
    "=>": Comparator.GE,
    "=": Comparator.EQ,
    "==": Comparator.EQ,
}
# What is allowed turned into what breaches it. "Allowed = 3" is breached from both sides.
_BREACHED_WHEN_NOT: Final = {
    Comparator.LT: (Comparator.GE,),
    Comparator.LE: (Comparator.GT,),
    Comparator.GT: (Comparator.LE,),
    Comparator.GE: (Comparator.LT,),
    Comparator.EQ: (Comparator.LT, Comparator.GT),
}
_LOOKALIKES: Final = str.maketrans({"≥": ">=", "≤": "<=", "−": "-", "–": "-", "\u00a0": " ", "₂": "2"})

_LEVEL: Final = re.compile(r"\s*(start|notify|hold)\b\s*(?:(?:if|when)\b)?\s*:?\s*", re.ASCII | re.IGNORECASE)
_NUMBER: Final = r"[+-]?\d{1,4}(?:\.\d{1,2})?"
_CLAUSE: Final = re.compile(
    rf"\s*([a-z][a-z0-9/]*)\s*(<=|>=|=<|=>|==|<|>|=)\s*({_NUMBER})\s*(?:%|mm\s?hg|/min|°?\s?c|l/min)?\s*",
    re.ASCII | re.IGNORECASE,
)
_PRESSURE: Final = re.compile(
    r"\s*bp\s*(<=|>=|=<|=>|<|>)\s*(\d{2,3})\s*/\s*(\d{2,3})\s*(?:mm\s?hg)?\s*", re.ASCII | re.IGNORECASE
)
_RANGE: Final = re.compile(
    rf"\s*([a-z][a-z0-9/]*)\s*:?\s*({_NUMBER})\s*(?:to|-)\s*({_NUMBER})\s*(?:%|mm\s?hg|/min)?\s*",
    re.ASCII | re.IGNORECASE,
)
# Limits that are breached are a list of alternatives; what is allowed at the start must hold all together.
_ALTERNATIVES: Final = re.compile(r"(\s*,\s*(?:or\b\s*)?|\s+or\s+)", re.IGNORECASE)
_TOGETHER: Final = re.compile(r"(\s*,\s*(?:and\b\s*)?|\s+and\s+)", re.IGNORECASE)


def parse_limits(text: str, *, level: LimitLevel = LimitLevel.NOTIFY) -> tuple[list[Limit], str]:
    """Return the limits a text states, and what of it stays free text.

    Parts are divided by `;` and may name their level ("hold SBP>=185"), otherwise they have `level`. Notify and hold
    parts list what *breaches* them, joined by "or"; start parts state what is *allowed*, joined by "and", and are
    turned round. A part joined the other way cannot be told in single bounds and stays free text whole.
    """
    limits: list[Limit] = []
    rest: list[str] = []
    for segment in text.translate(_LOOKALIKES).split(";"):
        segment_limits, segment_rest = _parse_segment(segment, level)
        limits += segment_limits
        rest += [segment_rest] if segment_rest else []
    return limits, "; ".join(rest)


def _parse_segment(segment: str, level: LimitLevel) -> tuple[list[Limit], str]:
    named = _LEVEL.match(segment)
    if named:
        level = LimitLevel(named[1].lower())
        segment = segment[named.end() :]
    pieces = (_TOGETHER if level is LimitLevel.START else _ALTERNATIVES).split(segment)
    limits: list[Limit] = []
    rest = ""
    was_free = False
    for clause, joint in zip(pieces[::2], ["", *pieces[1::2]], strict=True):
        found = _parse_clause(clause, level)
        limits += found
        if not found and clause.strip():
            # Neighbouring free parts keep the writer's own joint between them.
            rest += (joint if was_free else "; " if rest else "") + clause.strip()
        was_free = not found
    return limits, rest


def _parse_clause(clause: str, level: LimitLevel) -> list[Limit]:
    limits = []
    for vital, comparator, bound in _stated(clause, is_allowed=level is LimitLevel.START):
        comparators = _BREACHED_WHEN_NOT[comparator] if level is LimitLevel.START else (comparator,)
        limits += [Limit(level, vital, breached, bound) for breached in comparators]
    return limits


def _stated(clause: str, *, is_allowed: bool) -> Iterator[tuple[Vital, Comparator, Decimal]]:
    if found := _PRESSURE.fullmatch(clause):
        yield Vital.SBP, _SIGNS[found[1]], Decimal(found[2])
        yield Vital.DBP, _SIGNS[found[1]], Decimal(found[3])
    elif (found := _CLAUSE.fullmatch(clause)) and (vital := _VITAL_NAMES.get(found[1].lower())):
        yield vital, _SIGNS[found[2]], Decimal(found[3])
    elif is_allowed and (found := _RANGE.fullmatch(clause)) and (vital := _VITAL_NAMES.get(found[1].lower())):
        yield vital, Comparator.GE, Decimal(found[2])
        yield vital, Comparator.LE, Decimal(found[3])


@dataclass(frozen=True)
class PrnText:
    """An as-needed medicine as it was written. `max_count` counts all doses; None when the text sets no number."""

    drug: str
    dose: Decimal
    unit: Unit
    route: str
    max_count: int | None
    min_gap_min: int | None = None
    note: str = ""


_ROUTE_LETTERS: Final = frozenset({"IV", "PO", "IM", "SC", "SL", "IN", "PR"})
_COUNT_WORDS: Final = {"once": 1, "twice": 2, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_COUNT: Final = r"(once|twice|one|two|three|four|five|six|\d{1,2})(?![\d.,]*\d)"
# "Max 2 mg" is a dose and "over 5" a pain score: a bare number is never a number of doses.
_NO_UNIT: Final = r"\b(?!\s*(?:mcg|mg|g|mL|min|minutes|h|hours)\b)"
_PRN: Final = re.compile(
    r"\s*([a-z][a-z -]*?)\s+(\d{1,6}(?:\.\d{1,4})?)\s*(mcg|mg|g|mL|ug)\s+"
    r"(IV|PO|IM|SC|SL|IN|PR|oral|nasal|inhaled|orally)\b\s*,?\s*(.*)",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_REPEAT: Final = re.compile(
    rf"(?:may\s+(?:be\s+)?)?\brepeat(?:ed)?\s+(?:x\s*)?(?:up\s+to\s+)?{_COUNT}{_NO_UNIT}(?!\s+doses?)(?:\s*(?:times?|x)\b)?,?",
    re.ASCII | re.IGNORECASE,
)
_ONLY: Final = re.compile(
    rf"(?<!\w)(?:may\s+repeat\s+)?(?:(?:(?:up\s+to|at\s+most|max(?:imum)?)\s+|x\s*){_COUNT}{_NO_UNIT}(?:\s*(?:times?|doses?)\b)?"
    rf"|{_COUNT}\s*(?:times?|doses?)\b|(once|twice)\b)(?:\s+only)?,?",
    re.ASCII | re.IGNORECASE,
)
_GAP: Final = re.compile(r"(?:after|every)\s+(?:at\s+least\s+)?(\d{1,3})\s*min(?:utes)?\b,?", re.ASCII | re.IGNORECASE)


def parse_prn(text: str) -> PrnText | None:
    """Return an as-needed medicine read from "midazolam 1 mg IV, may repeat once", or None when it is not of that form.

    "May repeat once" allows two doses, "once" one. What follows and is not a number of doses or a gap becomes the note.
    """
    found = _PRN.fullmatch(text.translate(_LOOKALIKES))
    unit = unit_from_label(found[3]) if found else None
    if found is None or unit is None:
        return None
    tail, gap = _take(_GAP, found[5])
    tail, repeats = _take(_REPEAT, tail)
    doses = None
    if repeats is None:
        tail, doses = _take(_ONLY, tail)
    return PrnText(
        drug=found[1],
        dose=Decimal(found[2]),
        unit=unit,
        route=_route(found[4]),
        max_count=1 + _count(repeats) if repeats else _count(doses) if doses else None,
        min_gap_min=int(gap) if gap else None,
        note=" ".join(tail.split()).strip(" ,;."),
    )


def _route(word: str) -> str:
    """Return a route as it is shown: the two letters in capitals, a word in small letters."""
    return word.upper() if word.upper() in _ROUTE_LETTERS else word.lower()


def _take(pattern: re.Pattern[str], text: str) -> tuple[str, str | None]:
    found = pattern.search(text)
    return (
        (text, None)
        if found is None
        else (f"{text[: found.start()]} {text[found.end() :]}", found[found.lastindex or 0])
    )


def _count(word: str) -> int:
    return _COUNT_WORDS.get(word.lower()) or int(word)


def order_sentence(
    *,
    drug: str,
    basis: DoseBasis,
    dose: Decimal | Sequence[DoseRun],
    duration_min: Decimal | int | None = None,
    step: Decimal | None = None,
    step_every_min: Decimal | int | None = None,
    highest: Decimal | None = None,
    maximum_total_mg: Decimal | None = None,
    concentration_mg_ml: Decimal | None = None,
    weight_kg: Decimal | None = None,
) -> str:
    """Return an order as one sentence with "per" spelled, the way it is read aloud (section 8 of the screen design).

    `dose` is the start rate, or the total for a basis that is a total, of every session or of each; `step` and
    `highest` are in the basis' rate unit.
    """
    rate = basis.rate_unit
    clauses = [_dose_clause(basis, dose, duration_min)]
    if step and step_every_min:
        clauses.append(
            f"may raise by {format_quantity(step, rate, spoken=True)} every {format_quantity(step_every_min, Unit.MIN)}"
        )
    if step and highest is not None:
        clauses.append(f"to at most {format_quantity(highest, rate, spoken=True)}")
    if duration_min is not None and not basis.is_total:
        clauses.append(f"for {format_quantity(duration_min, Unit.MIN)}")
    if maximum_total_mg is not None:
        clauses.append(f"at most {format_quantity(maximum_total_mg, Unit.MG)} in total")
    if concentration_mg_ml is not None:
        clauses.append(f"from {format_quantity(concentration_mg_ml, Unit.MG_PER_ML, spoken=True)}")
    if basis.uses_weight and weight_kg is not None:
        clauses.append(f"weight {format_quantity(weight_kg, Unit.KG)}")
    return f"{drug}: {', '.join(clauses)}"


def _dose_clause(basis: DoseBasis, dose: Decimal | Sequence[DoseRun], duration_min: Decimal | int | None) -> str:
    if isinstance(dose, Decimal):
        amount, over = format_quantity(dose, basis.unit, spoken=True), " over"
    else:
        said = [f"{format_quantity(run.amount, basis.unit, spoken=True)} in {run.words}" for run in dose]
        amount, over = ", ".join(said), ", each over"
    if not basis.is_total:
        return f"start {amount}"
    return (
        f"give {amount}" if duration_min is None else f"give {amount}{over} {format_quantity(duration_min, Unit.MIN)}"
    )

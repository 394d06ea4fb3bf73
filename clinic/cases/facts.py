"""What the words of a case say: the facts in event texts, PRN lines, limits, gates and container labels.

Tolerant by design: a sentence that nothing is known about yields no facts and keeps its text.
"""

import re
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from enum import StrEnum

from clinic.cases.parts import EventRow

_N = r"\d+(?:\.\d+)?"
PERSON = re.compile(r"\b(?:PHY|MD|DR|RN|LPN|NP|PA|CRNA|ADM|DESK|SCH|RPH|PHARM|TECH)-\d+\b")
_PRESCRIBER = re.compile(r"\b(?:PHY|MD|DR)-\d+\b")


class EventKind(StrEnum):
    """What kind of thing an event line tells of; OTHER keeps its text and nothing more."""

    TIME_OUT = "time_out"
    DOUBLE_CHECK_PASSED = "double_check_passed"
    DOUBLE_CHECK_FAILED = "double_check_failed"
    START = "start"
    RATE_CHANGE = "rate_change"
    PAUSE = "pause"
    RESUME = "resume"
    BOLUS = "bolus"
    BAG_CHANGE = "bag_change"
    STOP = "stop"
    PRN_GIVEN = "prn_given"
    NOTIFY = "notify"
    INTERVENTION = "intervention"
    EMERGENCY = "emergency"
    IV_SITE = "iv_site"
    IV_START = "iv_start"
    HANDOVER = "handover"
    TRANSFER = "transfer"
    AGAINST_ADVICE = "against_advice"
    DISCHARGE = "discharge"
    VERBAL_ORDER = "verbal_order"
    ORDER_SIGNED = "order_signed"
    WITHDRAW = "withdraw"
    WASTE = "waste"
    RETURN = "return"
    COUNT = "count"
    DISCREPANCY = "discrepancy"
    SIGN = "sign"
    ADDENDUM = "addendum"
    COSIGN = "cosign"
    OTHER = "other"


_KINDS = {
    "timeout": EventKind.TIME_OUT,
    "double_check": EventKind.DOUBLE_CHECK_PASSED,
    "double_check_pass": EventKind.DOUBLE_CHECK_PASSED,
    "double_check_fail": EventKind.DOUBLE_CHECK_FAILED,
    "started": EventKind.START,
    "infusion_start": EventKind.START,
    "rate": EventKind.RATE_CHANGE,
    "rate_step": EventKind.RATE_CHANGE,
    "rate_increase": EventKind.RATE_CHANGE,
    "rate_reduction": EventKind.RATE_CHANGE,
    "rate_reduced": EventKind.RATE_CHANGE,
    "rate_decrease": EventKind.RATE_CHANGE,
    "reduce": EventKind.RATE_CHANGE,
    "step": EventKind.RATE_CHANGE,
    "titration": EventKind.RATE_CHANGE,
    "paused": EventKind.PAUSE,
    "hold": EventKind.PAUSE,
    "resumed": EventKind.RESUME,
    "restart": EventKind.RESUME,
    "bolus_given": EventKind.BOLUS,
    "loading_dose": EventKind.BOLUS,
    "new_bag": EventKind.BAG_CHANGE,
    "bag": EventKind.BAG_CHANGE,
    "syringe_change": EventKind.BAG_CHANGE,
    "stopped": EventKind.STOP,
    "end": EventKind.STOP,
    "infusion_stop": EventKind.STOP,
    "emergency_stop": EventKind.STOP,
    "early_stop": EventKind.STOP,
    "prn": EventKind.PRN_GIVEN,
    "rescue": EventKind.PRN_GIVEN,
    "drug_given": EventKind.PRN_GIVEN,
    "medication": EventKind.PRN_GIVEN,
    "med_given": EventKind.PRN_GIVEN,
    "given": EventKind.PRN_GIVEN,
    "notified": EventKind.NOTIFY,
    "notification": EventKind.NOTIFY,
    "call": EventKind.NOTIFY,
    "physician_called": EventKind.NOTIFY,
    "oxygen": EventKind.INTERVENTION,
    "o2": EventKind.INTERVENTION,
    "fluid": EventKind.INTERVENTION,
    "airway": EventKind.INTERVENTION,
    "reposition": EventKind.INTERVENTION,
    "reassure": EventKind.INTERVENTION,
    "ecg": EventKind.INTERVENTION,
    "emergency_call": EventKind.EMERGENCY,
    "emergency_called": EventKind.EMERGENCY,
    "code": EventKind.EMERGENCY,
    "ems": EventKind.EMERGENCY,
    "ems_called": EventKind.EMERGENCY,
    "911": EventKind.EMERGENCY,
    "site_check": EventKind.IV_SITE,
    "resite": EventKind.IV_START,
    "re_site": EventKind.IV_START,
    "cannula": EventKind.IV_START,
    "shift_change": EventKind.HANDOVER,
    "handoff": EventKind.HANDOVER,
    "hand_over": EventKind.HANDOVER,
    "nurse_change": EventKind.HANDOVER,
    "transferred": EventKind.TRANSFER,
    "transfer_out": EventKind.TRANSFER,
    "emergency_transfer": EventKind.TRANSFER,
    "ems_handover": EventKind.TRANSFER,
    "hospital": EventKind.TRANSFER,
    "left_against_advice": EventKind.AGAINST_ADVICE,
    "ama": EventKind.AGAINST_ADVICE,
    "discharged": EventKind.DISCHARGE,
    "exit": EventKind.DISCHARGE,
    "verbal": EventKind.VERBAL_ORDER,
    "order_sign": EventKind.ORDER_SIGNED,
    "verbal_order_signed": EventKind.ORDER_SIGNED,
    "withdrawal": EventKind.WITHDRAW,
    "cs_withdraw": EventKind.WITHDRAW,
    "wasted": EventKind.WASTE,
    "cs_waste": EventKind.WASTE,
    "returned": EventKind.RETURN,
    "cs_count": EventKind.COUNT,
    "count_mismatch": EventKind.DISCREPANCY,
    "cs_discrepancy": EventKind.DISCREPANCY,
    "discrepancy_opened": EventKind.DISCREPANCY,
    "discrepancy_resolved": EventKind.DISCREPANCY,
    "signed": EventKind.SIGN,
    "note_signed": EventKind.SIGN,
    "co_sign": EventKind.COSIGN,
    "cosigned": EventKind.COSIGN,
    "co_signature": EventKind.COSIGN,
}


_BY_VALUE = {kind.value: kind for kind in EventKind}


def kind_of(word: str) -> EventKind:
    """The kind behind a file's word, whatever its case, hyphens or form."""
    name = re.sub(r"[\s-]+", "_", word.strip().lower())
    return _BY_VALUE.get(name) or _KINDS.get(name, EventKind.OTHER)


# --------------------------------------------------------------------------------------------------------------------
# Events


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """What one event line says. Rates are mL/h, volumes mL; None and empty mean that the line does not say.

    `from_rate_ml_h` is the rate before a change, or the first of two that a failed double check compares.
    `given_by` is who did it, `checker` who checked it, `physician` who ordered it, was told or signed.
    """

    kind: EventKind
    text: str
    people: tuple[str, ...] = ()
    given_by: str | None = None
    checker: str | None = None
    physician: str | None = None
    rate_ml_h: Decimal | None = None
    from_rate_ml_h: Decimal | None = None
    vtbi_ml: Decimal | None = None
    pump_volume_ml: Decimal | None = None
    drug: str | None = None
    dose: Decimal | None = None
    unit: str | None = None
    route: str | None = None
    over_min: Decimal | None = None
    vial_mg: Decimal | None = None
    verbal: bool = False
    read_back: bool = False
    reason: str | None = None
    told_at: time | None = None
    vip: int | None = None
    gauge: str | None = None


_TWO_RATES = re.compile(rf"({_N})\s*(?:mL/h)?\s*(?:->|=>|→|\bto\b|\bvs\.?)\s*({_N})\s*mL/h", re.IGNORECASE)
_RATE = re.compile(rf"({_N})\s*mL/h", re.IGNORECASE)
_VTBI = re.compile(rf"\bVTBI\s*({_N})\s*mL\b", re.IGNORECASE)
_PUMP = re.compile(
    rf"\b(?:VI|volume infused|pump (?:volume|reads|reading|shows|VI)|infused)[\s:=]*({_N})\s*mL\b(?!/)", re.IGNORECASE
)
_ROUTES = r"IV|IM|PO|SC|SQ|SL|IN|PR|neb|inh|oral"
_UNITS = r"mcg/kg|mg/kg|mcg|mg|g|mL|units?|L/min|puffs?"
_DOSE = re.compile(
    rf"(?:(?P<drug>[A-Za-z][A-Za-z0-9 '-]{{0,40}}?)\s+)?(?P<dose>{_N})\s*(?P<unit>{_UNITS})\b"
    rf"(?!/)(?:\s+(?P<route>{_ROUTES})\b)?",
    re.IGNORECASE,
)
_OVER = re.compile(rf"\b(?:over|in)\s+({_N})\s*min", re.IGNORECASE)
_VIAL = re.compile(rf"\bvial\s+({_N})\s*mg\b", re.IGNORECASE)
_CHECKER = re.compile(rf"\b(?:check(?:ed)?|second|2nd|witness(?:ed)?)(?:\s+by)?[\s:]+({PERSON.pattern})", re.IGNORECASE)
_REASON = re.compile(r"\breasons?\s*[:=]?\s+(.+)$", re.IGNORECASE | re.DOTALL)
_CLOCK = re.compile(r"(?<![\d:T])([01]?\d|2[0-3]):([0-5]\d)(?![\d:])")
_VIP = re.compile(r"\bVIP\s*(?:score\s*)?([0-5])\b", re.IGNORECASE)
_GAUGE = re.compile(r"\b(\d{2})\s?G\b")
_DOSED = frozenset({EventKind.PRN_GIVEN, EventKind.BOLUS, EventKind.INTERVENTION, EventKind.OTHER, EventKind.EMERGENCY})


def facts(event: EventRow) -> EventFacts:
    """Read one event line."""
    kind = kind_of(event.kind)
    text = event.text
    people = tuple(dict.fromkeys(PERSON.findall(text)))
    two = _TWO_RATES.search(text)
    rate = _RATE.search(text)
    medicine = _medicine(text) if kind in _DOSED else None
    clock = _CLOCK.search(text)
    vip = _first(_VIP, text)
    reason = _first(_REASON, text)
    return EventFacts(
        kind=kind,
        text=text,
        people=people,
        **_roles(kind, text, people),
        rate_ml_h=Decimal(two[2]) if two else Decimal(rate[1]) if rate else None,
        from_rate_ml_h=Decimal(two[1]) if two else None,
        vtbi_ml=_quantity(_VTBI, text),
        pump_volume_ml=_quantity(_PUMP, text),
        drug=medicine["drug"] if medicine else None,
        dose=Decimal(medicine["dose"]) if medicine else None,
        unit=_unit(medicine["unit"]) if medicine else None,
        route=medicine["route"] if medicine else None,
        over_min=_quantity(_OVER, text) if medicine else None,
        vial_mg=_quantity(_VIAL, text),
        verbal=re.search(r"\b(?:verbal|telephone|phone)\s+order", text, re.IGNORECASE) is not None
        or kind is EventKind.VERBAL_ORDER,
        read_back=re.search(r"\bread[\s-]?back", text, re.IGNORECASE) is not None,
        reason=reason.strip() if reason else None,
        told_at=time(int(clock[1]), int(clock[2])) if clock else None,
        vip=int(vip) if vip else None,
        gauge=_first(_GAUGE, text),
    )


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None


def _quantity(pattern: re.Pattern[str], text: str) -> Decimal | None:
    found = _first(pattern, text)
    return Decimal(found) if found else None


def _unit(word: str) -> str:
    return {"ml": "mL", "l/min": "L/min"}.get(word.lower(), word.lower())


def _medicine(text: str) -> re.Match[str] | None:
    """The first dose of a line that is not a vial's content nor the pump's volume."""
    for found in _DOSE.finditer(text):
        drug = (found["drug"] or "").lower()
        if not drug.startswith(("vial", "vtbi", "vi", "pump", "volume")) or (drug.startswith("vi") and found["route"]):
            return found
    return None


def _roles(kind: EventKind, text: str, people: tuple[str, ...]) -> dict[str, str | None]:
    physician = next(iter(_PRESCRIBER.findall(text)), None)
    checker = _first(_CHECKER, text)
    others = [person for person in people if person not in {physician, checker}]
    if checker is None and kind in {EventKind.TIME_OUT, EventKind.DOUBLE_CHECK_PASSED} and len(others) > 1:
        checker = others[1]
    given_by = others[0] if others else None
    return {"given_by": given_by, "checker": checker, "physician": physician}


# --------------------------------------------------------------------------------------------------------------------
# Orders


@dataclass(frozen=True, slots=True, kw_only=True)
class PrnLine:
    """A medicine as needed. `max_count` counts all doses; None when the line sets no number."""

    text: str
    drug: str
    dose: Decimal | None
    unit: str | None
    route: str | None
    max_count: int | None
    min_gap_min: Decimal | None


_WORDS = {"once": 1, "twice": 2, "one": 1, "two": 2, "three": 3, "four": 4}
_REPEAT = re.compile(r"\brepeat(?:ed)?\s*(?:x\s*|×\s*|up to\s*)?(once|twice|one|two|three|\d{1,2})", re.IGNORECASE)
_MOST = re.compile(
    r"\b(?:max(?:imum)?\.?|up to|at most)\s*(\d{1,2}|one|two|three|four)\s*(?:x|×|doses?|times)", re.IGNORECASE
)
_TIMES = re.compile(r"(?:\bx|×)\s*(\d{1,2})\b|\b(once|twice)\b", re.IGNORECASE)
_GAP = re.compile(rf"\b(?:every|q|after|gap|interval)\s*({_N})\s*(min|h)", re.IGNORECASE)


def prn_line(text: str) -> PrnLine:
    """Read `midazolam 1 mg IV, may repeat once` (two doses at most)."""
    medicine = _medicine(text)
    gap = _GAP.search(text)
    return PrnLine(
        text=text,
        drug=(medicine["drug"] or "").strip() if medicine else text.partition(",")[0].strip(),
        dose=Decimal(medicine["dose"]) if medicine else None,
        unit=_unit(medicine["unit"]) if medicine else None,
        route=medicine["route"] if medicine else None,
        max_count=_most_doses(text),
        min_gap_min=Decimal(gap[1]) * (60 if gap[2].lower() == "h" else 1) if gap else None,
    )


def _most_doses(text: str) -> int | None:
    def count(word: str) -> int:
        return _WORDS.get(word.lower()) or int(word)

    if found := _MOST.search(text):
        return count(found[1])
    if found := _REPEAT.search(text):
        return 1 + count(found[1])
    if found := _TIMES.search(text):
        return count(found[1] or found[2])
    return None


@dataclass(frozen=True, slots=True)
class LimitTerm:
    """One bound that the clinician wrote: `sbp >= 170`.

    `level` is notify or hold (the term says when), or start (the term says what must be so).
    """

    level: str
    column: str
    comparison: str
    value: Decimal


_TERM = re.compile(r"\b([A-Za-z][A-Za-z0-9]*)\s*(>=|<=|≥|≤|>|<|==?)\s*([+-]?\d+(?:\.\d+)?)")
_LEVEL = re.compile(r"\b(notify|hold|start|stop)\b", re.IGNORECASE)
COLUMNS = {
    "dissoc": "dissociation",
    "diss": "dissociation",
    "pain": "nrs",
    "pulse": "hr",
    "resp": "rr",
    "systolic": "sbp",
    "diastolic": "dbp",
    "sat": "spo2",
    "sats": "spo2",
    "co2": "etco2",
    "temperature": "temp",
}


def limit_terms(text: str, *, level: str) -> tuple[LimitTerm, ...]:
    """Read `SBP>=170 or DBP>=100; hold SBP>=185`. A part behind `;` that names a level has that one.

    Words without a comparison ("any CNS symptom") yield nothing: they are shown to the nurse as they stand.
    """
    terms: list[LimitTerm] = []
    for part in text.split(";"):
        named = _LEVEL.search(part)
        here = named[1].lower() if named else level
        for word, sign, value in _TERM.findall(part):
            column = COLUMNS.get(word.lower(), word.lower())
            comparison = {"≥": ">=", "≤": "<=", "==": "="}.get(sign, sign)
            terms.append(LimitTerm(here, column, comparison, Decimal(value)))
    return tuple(terms)

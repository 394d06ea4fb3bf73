"""Short texts that several pages of a session share: numbers as a nurse reads them, names, reasons."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from clinic.core.times import date_label, local
from clinic.core.units import Unit, format_number, format_quantity, round_half_up
from clinic.orders.rules import Breach, Comparator, LimitLevel, StatedLimit, Vital
from clinic.protocols.models import Terms
from clinic.sessions.event_rules import DischargeExit
from clinic.sessions.models import Discharge, InfusionSession, ObservationSet
from clinic.sessions.vital_rules import SEDATION_SCALES, VITALS

_LARGE_MG: Final = 10
_ABOVE: Final = {Comparator.GT, Comparator.GE}


def shown_mg(amount: Decimal, *, is_final: bool = False) -> str:
    """Return a dose as text: still counting with one decimal, from small doses and in the end with two."""
    places = 2 if is_final or amount < _LARGE_MG else 1
    return format_quantity(round_half_up(amount, places), Unit.MG)


def shown_rate(rate: Decimal, unit: Unit) -> str:
    """Return a rate as text, rounded to what can be read off a pump or a table."""
    return format_quantity(round_half_up(rate, 3 if unit is Unit.MG_PER_KG_H else 2), unit)


def drug_name(infusion: InfusionSession) -> str:
    """Return the drug of the session's order."""
    return infusion.order_version.terms.drug.name


def number_of(number: int, terms: Terms) -> str:
    """Return "4 of 6", or "4" where the order plans no number."""
    return f"{number} of {terms.sessions_planned}" if terms.sessions_planned else str(number)


def drug_and_number(infusion: InfusionSession) -> str:
    """Return "ketamine 4 of 6"."""
    return f"{drug_name(infusion)} {number_of(infusion.number, infusion.order_version.terms)}"


def pressure(observation: ObservationSet) -> str | None:
    """Return "152/88", or None when it was not taken."""
    return None if observation.sbp is None else f"{observation.sbp}/{observation.dbp}"


def sedation_code(observation: ObservationSet) -> str | None:
    """Return a sedation value as its scale writes it."""
    if observation.sedation is None or observation.sedation_scale is None:
        return None
    return SEDATION_SCALES[observation.sedation_scale].codes.get(observation.sedation, str(observation.sedation))


def vitals_line(observation: ObservationSet | None) -> str:
    """Return the last vitals in one line for a board: "152/88 · HR 88 · 96% · s2"."""
    if observation is None:
        return ""
    parts = [pressure(observation)]
    parts += [f"HR {observation.hr}"] if observation.hr is not None else []
    parts += [f"{observation.spo2}%"] if observation.spo2 is not None else []
    sedation = sedation_code(observation)
    parts += [f"s{sedation}"] if sedation is not None else []
    return " · ".join(part for part in parts if part)


def vitals_sentence(observation: ObservationSet) -> str:
    """Return every value of a set with its name, for the checklist and for pages without columns."""
    parts = [f"BP {pressure(observation)}"] if observation.sbp is not None else []
    short = {Vital.HR: "HR", Vital.RR: "RR"}
    for vital in (Vital.HR, Vital.RR, Vital.SPO2):
        value = getattr(observation, vital.value)
        if value is not None:
            unit = "%" if vital is Vital.SPO2 else ""
            parts.append(f"{short.get(vital, VITALS[vital].label)} {value}{unit}")
    sedation = sedation_code(observation)
    parts += [f"sedation {sedation}"] if sedation is not None else []
    parts += [f"pain {observation.pain}"] if observation.pain is not None else []
    return " · ".join([*parts, *extra_values(observation)])


def inside_sentence(vital: Vital) -> str:
    """Return a vital's name as it stands within a sentence: "dissociation", but "SpO2"."""
    label = VITALS[vital].label
    return label if vital in {Vital.SPO2, Vital.ETCO2} else label.lower()


def extra_values(observation: ObservationSet) -> list[str]:
    """Return the values that have no column of their own, each with its name."""
    found = []
    for vital in (Vital.O2_L_MIN, Vital.ETCO2, Vital.TEMP, Vital.DISSOCIATION, Vital.NAUSEA):
        value = getattr(observation, vital.value)
        if value is not None:
            found.append(f"{inside_sentence(vital)} {format_quantity(value, VITALS[vital].unit)}")
    return found


def is_above(limit: StatedLimit) -> bool:
    """Return whether a limit is crossed upwards."""
    return limit.comparator in _ABOVE


def breach_text(breach: Breach, *, with_name: bool) -> str:
    """Return "above limit 160", with the vital's name where several stand in one row."""
    bound = format_number(breach.limit.bound) + ("%" if breach.limit.vital is Vital.SPO2 else "")
    side = "above" if is_above(breach.limit) else "below"
    if breach.value == breach.limit.bound:
        side = "at"
    kind = {LimitLevel.HOLD: "hold limit", LimitLevel.START: "start limit"}.get(breach.limit.level, "limit")
    words = f"{side} {kind} {bound}"
    return f"{VITALS[breach.limit.vital].label} {words}" if with_name else words


def breach_texts(found: Iterable[Breach]) -> list[str]:
    """Return one text for each breached vital; of several levels the one that holds the infusion."""
    by_vital: dict[Vital, Breach] = {}
    for breach in found:
        known = by_vital.get(breach.limit.vital)
        if known is None or breach.limit.level is LimitLevel.HOLD:
            by_vital[breach.limit.vital] = breach
    return [breach_text(breach, with_name=len(by_vital) > 1) for breach in by_vital.values()]


def day_words(instant: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return "today" beside what is of today, else "on 17-Nov" or, in another year, "on 17-Nov-2024"."""
    day, today = local(instant, zone).date(), local(now, zone).date()
    return "today" if day == today else f"on {short_date(day, today)}"


def short_date(day: date, today: date) -> str:
    """Return a date without its year when that is this year's."""
    text = date_label(day)
    return text[:6] if day.year == today.year else text


def way_out(row: Discharge) -> str:
    """Return how a patient left: "Left with Ivan Petrov"."""
    match row.exit:
        case DischargeExit.HOME_WITH_ESCORT:
            return f"Left with {row.escort_name or 'escort'}"
        case DischargeExit.HOME_ALONE:
            return "Left alone"
        case DischargeExit.TRANSFER:
            return f"Transferred to {row.destination}"
        case DischargeExit.ADMITTED:
            return f"Admitted{f' to {row.destination}' if row.destination else ''}"
        case DischargeExit.AGAINST_ADVICE:
            return "Left against advice"

"""What stands around a session's chart: the strip, the due box, the order and its limits."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from clinic.core.formats import minutes
from clinic.core.times import clock_label, date_label, elapsed_minutes, local
from clinic.core.units import EXACT, Unit, dose_text, format_quantity
from clinic.orders.models import AcknowledgedExcess
from clinic.orders.rules import Vital, limit_text, order_sentence
from clinic.protocols.models import PrnItem
from clinic.sessions.due_rules import DueState, SettledDue, due_text, wanting_text
from clinic.sessions.models import InfusionSession
from clinic.sessions.ordered_rates import ordered_amount
from clinic.sessions.pages_chart import running_limits
from clinic.sessions.pages_words import (
    drug_and_number,
    drug_name,
    number_of,
    sedation_code,
    shown_mg,
    shown_rate,
)
from clinic.sessions.progress import Progress, closed_at, current, weight_kg
from clinic.sessions.rules import AdministrationKind, SessionStatus

SOON_MIN: Final = 5

_LONG_NAMES: Final = {
    Vital.SBP: "Systolic BP",
    Vital.DBP: "Diastolic BP",
    Vital.MAP: "Mean pressure",
    Vital.HR: "Heart rate",
    Vital.RR: "Breathing rate",
    Vital.SPO2: "SpO2",
    Vital.O2_L_MIN: "Oxygen",
    Vital.ETCO2: "EtCO2",
    Vital.TEMP: "Temperature",
    Vital.SEDATION: "Sedation",
    Vital.PAIN: "Pain",
    Vital.DISSOCIATION: "Dissociation",
    Vital.NAUSEA: "Nausea",
}
_CLOSED_WORDS: Final = {
    SessionStatus.CLOSED_HOME: "Discharged",
    SessionStatus.CLOSED_TRANSFER: "Transferred",
    SessionStatus.CLOSED_AGAINST_ADVICE: "Left against advice",
    SessionStatus.NOT_DONE: "Not done",
}

Cell = dict[str, Any]
# A text in parts, each with whether it is a dose or a rate to be seen at once.
Sentence = tuple[tuple[str, bool], ...]


def state_cell(infusion: InfusionSession, going: Progress, zone: ZoneInfo) -> Cell | None:
    """Return the coloured first cell of the strip: what the pump does, since when, at which rate."""
    drug = drug_name(infusion)
    match infusion.status:
        case SessionStatus.INFUSING:
            since = clock_label(going.started_at, zone) if going.started_at else ""
            rate = shown_rate(going.rate_mg_h, Unit.MG_PER_H)
            return _state("play", f"Infusing since {since}", f"{drug} {rate}", _equals(going))
        case SessionStatus.PAUSED:
            at = _last_act(infusion, AdministrationKind.PAUSE)
            since = f" since {clock_label(at, zone)}" if at else ""
            return _state("pause", f"Paused{since}", f"{drug} {format_quantity(0, Unit.MG_PER_H)}", _was(going))
        case SessionStatus.RECOVERING:
            since = f" since {clock_label(going.stopped_at, zone)}" if going.stopped_at else ""
            return _state("recover", f"Recovering{since}", f"{drug} stopped", "")
        case closed if closed in _CLOSED_WORDS:
            at = closed_at(infusion)
            return _state("done", f"{_CLOSED_WORDS[closed]}{f' {clock_label(at, zone)}' if at else ''}", drug, "")
    return None


def _state(icon: str, label: str, value: str, small: str) -> Cell:
    return {"icon": icon, "label": label, "value": value, "small": small}


def _equals(going: Progress) -> str:
    """Every form of one rate stands side by side: a slip of ten shows in one of them."""
    parts = [f"= {shown_rate(going.rate_ml_h, Unit.ML_PER_H)}"]
    if going.rate_mg_kg_h is not None:
        parts.append(shown_rate(going.rate_mg_kg_h, Unit.MG_PER_KG_H))
    return " \N{MIDDLE DOT} ".join(parts)


def _was(going: Progress) -> str:
    return f"pump set to {shown_rate(going.set_ml_h, Unit.ML_PER_H)}"


def _last_act(infusion: InfusionSession, kind: AdministrationKind) -> datetime | None:
    return max((row.happened_at for row in current(infusion.administrations) if row.kind is kind), default=None)


def strip_cells(infusion: InfusionSession, going: Progress, *, zone: ZoneInfo, now: datetime) -> list[Cell]:
    """Return the other cells of the strip."""
    terms = infusion.order_version.terms
    cells: list[Cell] = []
    if going.started_at is None:
        cells.append({"label": "Before infusion", "value": drug_and_number(infusion)})
    else:
        cells += [_given_cell(going), _elapsed_cell(going, terms.duration_min)]
        if going.planned_stop is not None and infusion.status.is_open:
            cells.append(_planned_stop_cell(going, zone=zone, now=now))
    nurse = infusion.nurse.name if infusion.nurse else "no nurse yet"
    of = number_of(infusion.number, terms)
    return [*cells, {"label": "Session \N{MIDDLE DOT} nurse", "value": of, "small": nurse, "grow": True}]


def _given_cell(going: Progress) -> Cell:
    is_final = going.stopped_at is not None
    cell: Cell = {
        "label": "Given" if is_final else "Given so far",
        "value": shown_mg(going.delivered_mg, is_final=is_final),
    }
    if going.maximum_total_mg:
        cell["label"] += " \N{MIDDLE DOT} session maximum"
        cell["small"] = f"of {format_quantity(going.maximum_total_mg, Unit.MG)}"
        cell["fraction"] = EXACT.divide(going.delivered_mg, going.maximum_total_mg)
    return cell


def _elapsed_cell(going: Progress, duration_min: int | None) -> Cell:
    cell: Cell = {"label": "Elapsed", "value": minutes(going.run_minutes)}
    if duration_min:
        cell |= {"label": "Elapsed \N{MIDDLE DOT} ordered", "small": f"of {minutes(duration_min)}"}
    if going.is_past_maximum_duration:
        cell["small"] = "the order's longest time is over"
    return cell


def _planned_stop_cell(going: Progress, *, zone: ZoneInfo, now: datetime) -> Cell:
    stop = going.planned_stop or now
    left = elapsed_minutes(now, stop)
    small = f"in {minutes(left)}" if left >= 1 else "now"
    return {"label": "Planned stop", "value": clock_label(stop, zone), "small": small}


# --- due -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DueBox:
    """The next vitals, for `due_box`."""

    title: str
    due: datetime | None
    text: str
    side: str
    level: str
    fraction: Decimal
    wanted: str = ""


def due_level(line: SettledDue, now: datetime) -> str:
    """Return how a due time looks: "crit" once it is overdue, "warn" when it comes within 5 minutes, else ""."""
    if line.state is DueState.OVERDUE:
        return "crit"
    return "warn" if line.due.at - now <= timedelta(minutes=SOON_MIN) else ""


def due_box(infusion: InfusionSession, going: Progress, *, zone: ZoneInfo, now: datetime) -> DueBox:
    """Return what the due box says; the interval comes from the order alone."""
    line = going.next_due
    if line is None or not infusion.status.is_open:
        none = "none planned" if infusion.status.is_open else "session closed"
        return DueBox("Vitals due", None, none, "", "calm", Decimal(0))
    interval = _interval(infusion, line)
    side = clock_label(line.due.at, zone)
    if line.due.anchor is None:
        side += " \N{MIDDLE DOT} recheck"
    elif interval:
        side += f" \N{MIDDLE DOT} every {format_quantity(interval, Unit.MIN)}"
    before = [seen.due.at for seen in going.dues if seen.due.at < line.due.at]
    since = max([*before, *(row.observed_at for row in going.observations)], default=infusion.arrived_at)
    whole = elapsed_minutes(since, line.due.at)
    fraction = EXACT.divide(elapsed_minutes(since, now), whole) if whole > 0 else Decimal(1)
    level = due_level(line, now) or "calm"
    return DueBox("Vitals due", line.due.at, due_text(line.due, now), side, level, fraction, wanting_text(line))


def _interval(infusion: InfusionSession, line: SettledDue) -> int | None:
    phases = infusion.order_version.terms.phases
    found = {phase.every_min for phase in phases if phase.anchor is line.due.anchor and phase.every_min}
    return found.pop() if len(found) == 1 else None


# --- order -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A vital, what is within its limits in words, the last value, and whether that is outside."""

    name: str
    within: str
    last: str
    is_outside: bool


@dataclass(frozen=True, slots=True)
class PrnRow:
    """An as-needed line of the order: what, how often it may be given, how often it was."""

    id: str
    text: str
    count: str
    is_used_up: bool


@dataclass(frozen=True, slots=True)
class OrderPanel:
    """The order as the bedside reads it. `words` are (text, is it a number to see at once)."""

    drug: str
    words: Sentence
    signed: str
    signer: str
    cosign: str
    limits: tuple[LimitRow, ...]
    prn: tuple[PrnRow, ...]
    outside: str
    excesses: Sequence[AcknowledgedExcess]
    version: int


_AMOUNT: Final = re.compile(r"(\d[\d.,]*\u00a0(?:mg|mcg|mL)(?: per kg)?(?: per (?:hour|min|mL))*)")


def emphasised(sentence: str) -> Sentence:
    """Return a sentence in parts, its doses and rates marked."""
    parts = _AMOUNT.split(sentence)
    return tuple((part, bool(number % 2)) for number, part in enumerate(parts) if part)


def sentence_of(infusion: InfusionSession) -> str:
    """Return the order in force as one sentence, the way it is read aloud; without an amount there is none."""
    terms, dose = infusion.order_version.terms, ordered_amount(infusion)
    if dose is None:
        return ""
    return order_sentence(
        drug=terms.drug.name,
        basis=terms.basis,
        dose=dose,
        duration_min=terms.duration_min,
        step=terms.step_amount,
        step_every_min=terms.step_every_min,
        highest=terms.highest_amount,
        maximum_total_mg=terms.maximum_total_mg,
        concentration_mg_ml=terms.concentration_mg_ml,
        weight_kg=weight_kg(infusion),
    )


def order_panel(infusion: InfusionSession, going: Progress, *, zone: ZoneInfo) -> OrderPanel:
    """Return the panel beside the chart; limits name the person who set them."""
    version, terms = infusion.order_version, infusion.order_version.terms
    drug, _, rest = sentence_of(infusion).partition(": ")
    signature = version.signature
    signed = ""
    if signature is not None:
        signed = date_label(local(signature.signed_at, zone).date())[:6]
    outside = terms.outside_limit_text or ""
    if terms.recheck_min and not outside:
        outside = f"Outside a limit: recheck in {format_quantity(terms.recheck_min, Unit.MIN)}."
    return OrderPanel(
        drug=drug or terms.drug.name,
        words=emphasised(rest),
        signed=signed,
        signer=signature.signer_name if signature else "",
        cosign=version.cosign_words,
        limits=tuple(_limit_rows(infusion, going)),
        prn=tuple(_prn_row(infusion, item) for item in terms.prn_items),
        outside=outside,
        excesses=version.excesses,
        version=version.number,
    )


def _limit_rows(infusion: InfusionSession, going: Progress) -> list[LimitRow]:
    terms = infusion.order_version.terms
    outside = {breach.limit.vital for _, breach in going.outside}
    rows = []
    for vital, name in _LONG_NAMES.items():
        limits = running_limits(terms, vital)
        if not limits:
            continue
        value = last_value(going, vital)
        rows.append(LimitRow(name, limit_text(limits), value or "\N{EN DASH}", vital in outside))
    return rows


def last_value(going: Progress, vital: Vital) -> str | None:
    """Return the latest value of one vital as text; an older set speaks where the last one left it out."""
    row = going.latest.get(vital)
    if row is None:
        return None
    if vital is Vital.SEDATION:
        return sedation_code(row)
    value = getattr(row, vital.value)
    return f"{value}%" if vital is Vital.SPO2 else str(value)


def _prn_row(infusion: InfusionSession, item: PrnItem) -> PrnRow:
    given = [dose for dose in current(infusion.prn_doses) if dose.prn_item_id == item.id]
    of = f" of {item.maximum_count}" if item.maximum_count else ""
    return PrnRow(
        str(item.id),
        f"{item.drug_name} {dose_text(item.dose, item.unit)} {item.route}",
        f"given {len(given)}{of}",
        item.maximum_count is not None and len(given) >= item.maximum_count,
    )

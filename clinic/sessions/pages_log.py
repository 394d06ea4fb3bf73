"""The table of a session: every entry in the order of time, what was corrected struck through and never left out."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from clinic.core.units import Unit, dose_text, format_quantity
from clinic.orders.rules import Vital, dose_rate_mg_h
from clinic.sessions.event_rules import CORRECTABLE_EVENTS, GRADES, Actuality, IvAction, RightVolume, SessionEventKind
from clinic.sessions.models import (
    AdministrationEvent,
    AdverseEvent,
    InfusionSession,
    ObservationSet,
    PrnDose,
    SessionEvent,
)
from clinic.sessions.pages_log_leaving import leaving_rows
from clinic.sessions.pages_log_row import LogRow, correction, joined, sentence, struck_ids
from clinic.sessions.pages_words import (
    breach_texts,
    extra_values,
    is_above,
    pressure,
    sedation_code,
    shown_mg,
    shown_rate,
)
from clinic.sessions.progress import Progress, current
from clinic.sessions.rules import AdministrationKind

# An entry written so long after it happened is a late entry, where the clinic has not set its own time (DESIGN 5).
LATE_MIN: Final = 10
# So many entries stand on the page of a session at once; a link leads to all of them.
NEWEST: Final = 60

_COLUMNS: Final = {
    Vital.SBP: "bp",
    Vital.DBP: "bp",
    Vital.HR: "hr",
    Vital.RR: "rr",
    Vital.SPO2: "spo2",
    Vital.SEDATION: "sedation",
    Vital.PAIN: "pain",
}
_EVENT_TITLES: Final = {
    SessionEventKind.TIME_OUT: "Time-out",
    SessionEventKind.NOTIFY: "Told",
    SessionEventKind.INTERVENTION: "Care given",
    SessionEventKind.HAND_OVER: "Handed over",
    SessionEventKind.SUPERVISING: "Clinician on site",
    SessionEventKind.CALL: "Call",
    SessionEventKind.OTHER: "Event",
    SessionEventKind.ROW_NOTE: "Note",
}
_ATTACHED: Final = {
    SessionEventKind.ROW_NOTE: "Correct the note",
    SessionEventKind.NOTIFY: "Correct who was told",
}
_IV_TITLES: Final = {IvAction.PLACED: "Line placed", IvAction.CHECKED: "Line checked", IvAction.REMOVED: "Line removed"}


def log_rows(infusion: InfusionSession, going: Progress, *, late_min: int | None) -> list[LogRow]:
    """Return every entry, the newest first."""
    rows = [
        *_vitals_rows(infusion, going),
        *_not_done_rows(infusion),
        *_pump_rows(infusion),
        *_prn_rows(infusion),
        *_adverse_rows(infusion),
        *_event_rows(infusion),
        *_iv_rows(infusion),
        *leaving_rows(infusion),
    ]
    late = timedelta(minutes=LATE_MIN if late_min is None else late_min)
    marked = [_late(row, late) for row in rows]
    return sorted(marked, key=lambda row: (row.at, row.recorded_at), reverse=True)


def _late(row: LogRow, after: timedelta) -> LogRow:
    return replace(row, late=True) if row.recorded_at - row.at > after and not row.struck else row


# --- vitals ----------------------------------------------------------------------------------------------------------


def _vitals_rows(infusion: InfusionSession, going: Progress) -> Iterator[LogRow]:
    struck = struck_ids(infusion.observation_sets)
    by_set: dict[uuid.UUID, list[SessionEvent]] = {}
    for event in current(infusion.events):
        if event.observation_set_id is not None:
            by_set.setdefault(event.observation_set_id, []).append(event)
    for row in infusion.observation_sets:
        yield _vitals_row(row, going, by_set.get(row.id, []), is_struck=row.id in struck)


def _not_done_rows(infusion: InfusionSession) -> Iterator[LogRow]:
    struck = struck_ids(infusion.not_done)
    for row in infusion.not_done:
        reason = sentence(row.reason.value.replace("-", " ").capitalize())
        yield LogRow(
            row.due_at,
            row.recorded_by.initials,
            row.recorded_at,
            title="Vitals not done",
            note=joined(reason, row.detail, correction(row)),
            struck=row.id in struck,
            row_id=row.id,
            corrected_as="" if row.id in struck else "not_done",
            author_id=row.recorded_by_id,
        )


def _vitals_row(row: ObservationSet, going: Progress, events: Sequence[SessionEvent], *, is_struck: bool) -> LogRow:
    found = [] if is_struck else list(going.breaches.get(row.id, ()))
    columns = {True: set[str](), False: set[str]()}
    for breach in found:
        if breach.limit.vital in _COLUMNS:
            columns[is_above(breach.limit)].add(_COLUMNS[breach.limit.vital])
    notes = [_sent(event) for event in events if event.kind is SessionEventKind.ROW_NOTE]
    told = [_told(event) for event in events if event.kind is SessionEventKind.NOTIFY]
    extras, words = ", ".join(extra_values(row)), (row.note, *notes, *told, correction(row))
    return LogRow(
        row.observed_at,
        row.recorded_by.initials,
        row.recorded_at,
        bp=pressure(row),
        hr=row.hr,
        rr=row.rr,
        spo2=row.spo2,
        sedation=sedation_code(row),
        pain=row.pain,
        high=tuple(sorted(columns[True])),
        low=tuple(sorted(columns[False])),
        tags=tuple((text, "crit") for text in breach_texts(found)),
        note=joined(f"{extras}." if extras and any(words) else extras, *words),
        struck=is_struck,
        entry_id=None if is_struck else row.id,
        attached=tuple(
            (each.id, each.recorded_by_id, _ATTACHED[each.kind]) for each in events if each.kind in _ATTACHED
        ),
        author_id=row.recorded_by_id,
        is_untold=bool(found) and not told,
    )


def _sent(event: SessionEvent) -> str:
    """Return a note, and to whose inbox it went."""
    return f"{sentence(event.text)} Sent to {event.person.name}." if event.person is not None else event.text


def _told(event: SessionEvent) -> str:
    reply = f" Reply: {event.reply}" if event.reply else ""
    return f"{event.text}{reply}"


# --- pump and medicines ----------------------------------------------------------------------------------------------


def _pump_rows(infusion: InfusionSession) -> Iterator[LogRow]:
    struck = struck_ids(infusion.administrations)
    rate, bag = Decimal(0), infusion.order_version.terms.concentration_mg_ml
    for row in sorted(infusion.administrations, key=lambda each: (each.happened_at, each.recorded_at)):
        before = (rate, bag)
        if row.id not in struck:
            bag = row.concentration_mg_ml or bag
            rate = row.rate_ml_h if row.rate_ml_h is not None else rate
        yield LogRow(
            row.happened_at,
            row.recorded_by.initials,
            row.recorded_at,
            title=_pump_title(row, before[0], row.concentration_mg_ml or before[1]),
            note=joined(_checked(row), row.reason, _volume(row), correction(row)),
            tags=(("reason to follow", "warn"),) if row.id not in struck and lacks_reason(row) else (),
            struck=row.id in struck,
            row_id=row.id,
            corrected_as="" if row.id in struck else "act",
            author_id=row.recorded_by_id,
            unexplained_id=row.id if row.id not in struck and lacks_reason(row) else None,
        )


def lacks_reason(row: AdministrationEvent) -> bool:
    """Return whether the pump was paused or stopped and nobody has said yet why."""
    return row.kind in {AdministrationKind.PAUSE, AdministrationKind.STOP} and row.reason is None and not row.is_void


def rate_text(rate_ml_h: Decimal, concentration_mg_ml: Decimal | None) -> str:
    """Return a pump rate as the dose it gives, "20 mg/h", or in mL/h where the concentration is not known."""
    if concentration_mg_ml is None:
        return shown_rate(rate_ml_h, Unit.ML_PER_H)
    return shown_rate(dose_rate_mg_h(rate_ml_h, concentration_mg_ml=concentration_mg_ml), Unit.MG_PER_H)


def _pump_title(row: AdministrationEvent, before_ml_h: Decimal, bag: Decimal | None) -> str:
    rate = "" if row.rate_ml_h is None else rate_text(row.rate_ml_h, bag)
    match row.kind:
        case AdministrationKind.START:
            return f"Infusion started {rate}"
        case AdministrationKind.RATE_CHANGE:
            return f"Rate {rate_text(before_ml_h, bag).split(chr(160))[0]} to {rate}"
        case AdministrationKind.PAUSE:
            return "Paused"
        case AdministrationKind.RESUME:
            return f"Resumed {rate or rate_text(before_ml_h, bag)}"
        case AdministrationKind.BOLUS:
            over = f" over {format_quantity(row.bolus_over_min, Unit.MIN)}" if row.bolus_over_min else ""
            return f"Bolus {shown_mg(row.bolus_mg or Decimal(0), is_final=True)}{over}"
        case AdministrationKind.BAG_CHANGE:
            return "Bag changed"
        case AdministrationKind.STOP:
            return "Infusion stopped"


def _checked(row: AdministrationEvent) -> str:
    if row.double_check is not None:
        return f"Second check {row.double_check.checker.name}."
    return f"On a {row.verbal_order.title.lower()}." if row.verbal_order is not None else ""


def _volume(row: AdministrationEvent) -> str:
    if row.pump_volume_ml is None:
        return ""
    shown = f"Pump shows {format_quantity(row.pump_volume_ml, Unit.ML)} infused."
    if row.right_volume is None:
        return shown
    right = "The pump's number" if row.right_volume is RightVolume.PUMP else "The computed number"
    return f"{shown} {right} is right: {sentence(row.volume_reason)}"


def _prn_rows(infusion: InfusionSession) -> Iterator[LogRow]:
    struck = struck_ids(infusion.prn_doses)
    for row in infusion.prn_doses:
        yield LogRow(
            row.given_at,
            row.recorded_by.initials,
            row.recorded_at,
            title=prn_title(row),
            note=joined("As-needed order:" if row.reason else "As-needed order.", row.reason, correction(row)),
            struck=row.id in struck,
            row_id=row.id,
            corrected_as="" if row.id in struck else "dose",
            author_id=row.recorded_by_id,
        )


def prn_title(row: PrnDose) -> str:
    """Return "Ondansetron 4 mg IV"."""
    name = row.prn_item.drug_name
    return f"{name[:1].upper()}{name[1:]} {dose_text(row.dose, row.unit)} {row.prn_item.route}"


# --- events ----------------------------------------------------------------------------------------------------------


def _adverse_rows(infusion: InfusionSession) -> Iterator[LogRow]:
    struck = struck_ids(infusion.adverse_events)
    for row in infusion.adverse_events:
        yield LogRow(
            row.onset_at,
            row.recorded_by.initials,
            row.recorded_at,
            title=adverse_title(row),
            note=joined(row.action, _over(row), correction(row)),
            struck=row.id in struck,
            row_id=row.id,
            corrected_as="" if row.id in struck else "adverse",
            author_id=row.recorded_by_id,
        )


def adverse_title(row: AdverseEvent) -> str:
    """Return "Nausea, mild", and that it was a near miss where nobody was harmed."""
    kind = "Near miss. " if row.actuality is Actuality.POTENTIAL else ""
    grade = f", {GRADES[row.grade]}" if row.grade else ""
    return f"{kind}{row.term[:1].upper()}{row.term[1:]}{grade}"


def _over(row: AdverseEvent) -> str:
    return "" if row.resolved_at is None or row.actuality is Actuality.POTENTIAL else "Over."


def _event_rows(infusion: InfusionSession) -> Iterator[LogRow]:
    struck = struck_ids(infusion.events)
    shown_with_vitals = {SessionEventKind.ROW_NOTE, SessionEventKind.NOTIFY}
    for row in infusion.events:
        if row.observation_set_id is not None and row.kind in shown_with_vitals and row.id not in struck:
            continue
        yield LogRow(
            row.happened_at,
            row.recorded_by.initials,
            row.recorded_at,
            title=_EVENT_TITLES[row.kind],
            note=joined(_sent(row) if row.kind is SessionEventKind.ROW_NOTE else _told(row), correction(row)),
            struck=row.id in struck,
            row_id=row.id,
            corrected_as="" if row.id in struck or row.kind not in CORRECTABLE_EVENTS else "event",
            author_id=row.recorded_by_id,
        )


def _iv_rows(infusion: InfusionSession) -> Iterator[LogRow]:
    struck = struck_ids(infusion.iv_records)
    for row in infusion.iv_records:
        gauge = f"{row.gauge} G" if row.gauge and row.gauge.isdigit() else row.gauge
        score = "" if row.vip_score is None else f"VIP {row.vip_score}"
        seen, corrected = joined(row.site, gauge, score, row.detail), correction(row)
        yield LogRow(
            row.happened_at,
            row.recorded_by.initials,
            row.recorded_at,
            title=_IV_TITLES[row.action],
            note=joined(sentence(seen) if seen and corrected else seen, corrected),
            struck=row.id in struck,
            row_id=row.id,
            corrected_as="" if row.id in struck else "line",
            author_id=row.recorded_by_id,
        )

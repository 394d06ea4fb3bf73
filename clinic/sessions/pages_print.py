"""The printed record of a session: the order, the figures, the chart in stretches, every entry in the order of time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from clinic.core.formats import minutes
from clinic.core.rows import all_columns, columns
from clinic.core.times import clock_label, date_label, local
from clinic.core.units import Unit, format_quantity
from clinic.druglog.queries import entries_of
from clinic.druglog.rules import RegisterKind
from clinic.orders.rules import limit_text
from clinic.sessions.chart import Chart, sheets
from clinic.sessions.event_rules import SessionEventKind
from clinic.sessions.models import InfusionSession
from clinic.sessions.pages_chart import chart_input, running_limits
from clinic.sessions.pages_log import log_rows
from clinic.sessions.pages_log_row import LogRow
from clinic.sessions.pages_session import sentence_of
from clinic.sessions.pages_words import drug_name, inside_sentence, number_of, shown_mg
from clinic.sessions.progress import Progress, current
from clinic.sessions.vital_rules import VITALS


@dataclass(frozen=True, slots=True)
class PrintedSession:
    """What stands on the sheet besides the head."""

    title: str
    facts: tuple[tuple[str, str], ...]
    charts: tuple[Chart, ...]
    rows: tuple[LogRow, ...]


def printed_session(
    infusion: InfusionSession, going: Progress, *, now: datetime, zone: ZoneInfo, late_min: int | None
) -> PrintedSession:
    """Return a session as it is printed; the clock of now has no place in its chart."""
    number = number_of(infusion.number, infusion.order_version.terms)
    rows = tuple(merged(list(reversed(log_rows(infusion, going, late_min=late_min)))))
    return PrintedSession(
        title=f"Infusion session {number} \N{MIDDLE DOT} {drug_name(infusion)} course {infusion.course.number}",
        facts=tuple(_facts(infusion, going, zone)),
        charts=sheets(chart_input(infusion, going, zone=zone, now=now)),
        rows=rows,
    )


def merged(rows: list[LogRow]) -> list[LogRow]:
    """Put what happened in the minute of a set of vitals into the note of its row, as people write on paper.

    `rows` stand in the order of time. A struck row stays alone, and so does a title without vitals in its minute.
    """
    found: list[LogRow] = []
    for row in rows:
        before = found[-1] if found else None
        if before is None or not _is_one_line(before, row):
            found.append(row)
            continue
        vitals, act = (before, row) if row.title else (row, before)
        said = " ".join(part for part in (f"{act.title}.", act.note, vitals.note) if part)
        found[-1] = replace(vitals, at=before.at, note=said, late=vitals.late or act.late)
    return found


def _is_one_line(one: LogRow, other: LogRow) -> bool:
    is_same_minute = one.at.replace(second=0, microsecond=0) == other.at.replace(second=0, microsecond=0)
    is_pair = bool(one.title) is not bool(other.title)
    return is_same_minute and is_pair and one.by == other.by and not (one.struck or other.struck)


def record_content(infusion: InfusionSession) -> Mapping[str, object]:
    """Return everything that the record of a session holds, row by row: what the check code of a print is over."""
    account, discharge, signature = infusion.drug_account, infusion.discharge, infusion.order_version.signature
    undone = [row for row in infusion.discharges if row is not discharge]
    return {
        "session": columns(infusion),
        "order": signature.digest if signature else None,
        "transitions": all_columns(infusion.transitions),
        "checks": all_columns(infusion.gate_answers),
        "proposed rates": all_columns(infusion.rate_proposals),
        "double checks": all_columns(check for rate in infusion.rate_proposals for check in rate.double_checks),
        "pump": all_columns(infusion.administrations),
        "as-needed doses": all_columns(infusion.prn_doses),
        "vitals": all_columns(infusion.observation_sets),
        "vitals not done": all_columns(infusion.not_done),
        "lines": all_columns(infusion.iv_records),
        # On no print from before there were any.
        **({"orders before": all_columns(infusion.adoptions)} if infusion.adoptions else {}),
        "events": all_columns(infusion.events),
        "adverse events": all_columns(infusion.adverse_events),
        "assessments": all_columns(infusion.discharge_assessments),
        "discharge": columns(discharge) if discharge else None,
        **({"discharges undone": all_columns(undone)} if undone else {}),
        "drug log": all_columns(entries_of(account)) if account else [],
    }


def _facts(infusion: InfusionSession, going: Progress, zone: ZoneInfo) -> list[tuple[str, str]]:
    version = infusion.order_version
    facts = [("Order", sentence_of(infusion) or drug_name(infusion))]
    if version.signature is not None:
        day = local(version.signature.signed_at, zone)
        facts.append(("Signed", f"{version.signature.signer_name}, {date_label(day.date())} {day:%H:%M}"))
    facts += [("Second signature", version.cosign_words)] if version.cosign_words else []
    limits = _limits(infusion)
    facts += [("Limits", limits)] if limits else []
    facts.append(("Given", _given(going, zone)))
    facts.append(("Nurses", _nurses(infusion, zone)))
    waste = _waste(infusion, zone)
    return facts + ([("Waste", waste)] if waste else [])


def _limits(infusion: InfusionSession) -> str:
    terms = infusion.order_version.terms
    said = [(vital, limit_text(running_limits(terms, vital))) for vital in VITALS]
    return ", ".join(f"{inside_sentence(vital)} {text}" for vital, text in said if text)


def _given(going: Progress, zone: ZoneInfo) -> str:
    if going.started_at is None:
        return "nothing infused"
    end = going.stopped_at or going.at
    span = f"{clock_label(going.started_at, zone)} to {clock_label(end, zone)}"
    return f"{shown_mg(going.delivered_mg, is_final=True)} in {minutes(going.run_minutes)} ({span})"


def _nurses(infusion: InfusionSession, zone: ZoneInfo) -> str:
    moves = [row for row in current(infusion.events) if row.kind is SessionEventKind.HAND_OVER and row.person]
    last = infusion.nurse.name if infusion.nurse else "none named"
    if not moves:
        return last
    at = clock_label(moves[-1].happened_at, zone)
    return f"{moves[-1].recorded_by.name} to {at}, {last} from {at}"


def _waste(infusion: InfusionSession, zone: ZoneInfo) -> str:
    if infusion.drug_account is None:
        return ""
    return "; ".join(
        f"{format_quantity(entry.quantity_mg, Unit.MG)} {entry.drug_name} at {clock_label(entry.happened_at, zone)}, "
        f"witness {entry.witness.name if entry.witness else 'none'}"
        for entry in entries_of(infusion.drug_account)
        if entry.kind is RegisterKind.WASTE
    )

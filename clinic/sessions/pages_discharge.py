"""The discharge page: the order's score, what is left of the drugs, the last vitals, the next session."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from clinic.core.formats import minutes
from clinic.core.times import clock_label
from clinic.core.units import Unit, format_quantity
from clinic.druglog.queries import AccountLine, account_lines
from clinic.orders.rules import Vital
from clinic.protocols.rules import CheckKind, DischargeScale
from clinic.sessions.models import GateAnswer, InfusionSession, ObservationSet
from clinic.sessions.pages_last import pain_words
from clinic.sessions.pages_words import drug_and_number, pressure, sedation_code, shown_mg
from clinic.sessions.progress import Progress, current
from clinic.sessions.score_rules import SCORES, RecoveryScore

CHOICES: Final = (2, 1, 0)


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One line of the score: its name, its choices in words, and what was chosen before the page was drawn again."""

    name: str
    title: str
    options: tuple[tuple[int, str], ...]
    chosen: int | None


@dataclass(frozen=True, slots=True)
class DischargePage:
    """What the discharge page shows besides its form."""

    cells: list[dict[str, Any]]
    score: RecoveryScore
    rows: tuple[ScoreRow, ...]
    total: int | None
    cutoff: int | None
    threshold: str
    last: tuple[tuple[str, str], ...]
    last_at: datetime | None
    account: tuple[AccountLine, ...]
    escort: GateAnswer | None
    assessed: str


def discharge_page(
    infusion: InfusionSession, going: Progress, items: list[int | None], *, zone: ZoneInfo
) -> DischargePage:
    """Return the page; `items` are what this person has chosen so far, nothing on a fresh page."""
    terms = infusion.order_version.terms
    score = SCORES[terms.discharge_scale or DischargeScale.MPADSS]
    rows = tuple(
        ScoreRow(f"item_{number}", item.label, tuple((points, item.words[points]) for points in CHOICES), chosen)
        for number, (item, chosen) in enumerate(zip(score.items, items, strict=True), start=1)
    )
    given = [item for item in items if item is not None]
    signature = infusion.order_version.signature
    cutoff = terms.discharge_cutoff
    threshold = f"{score.name}, threshold {cutoff} of {score.maximum}" if cutoff is not None else score.name
    last = going.last_observation
    return DischargePage(
        cells=_cells(infusion, going, zone=zone),
        score=score,
        rows=rows,
        total=sum(given) if len(given) == len(items) else None,
        cutoff=cutoff,
        threshold=f"{threshold} set by {signature.signer_name}" if cutoff is not None and signature else threshold,
        last=tuple(_last(going, zone)) if last else (),
        last_at=last.observed_at if last else None,
        account=tuple(account_lines(infusion.drug_account)) if infusion.drug_account else (),
        escort=named_escort(infusion),
        assessed=_assessed(infusion, score, zone),
    )


def _cells(infusion: InfusionSession, going: Progress, *, zone: ZoneInfo) -> list[dict[str, Any]]:
    terms = infusion.order_version.terms
    cells: list[dict[str, Any]] = [{"label": "Discharge", "value": drug_and_number(infusion)}]
    if going.stopped_at is not None:
        ago = f"{minutes(going.recovery_minutes or Decimal(0))} ago"
        asked = f", at least {terms.recovery_min} ordered" if terms.recovery_min else ""
        cells.append({"label": "Stopped", "value": clock_label(going.stopped_at, zone), "small": ago + asked})
    maximum = going.maximum_total_mg
    small = f"of at most {format_quantity(maximum, Unit.MG)}" if maximum else ""
    cells.append({"label": "Given", "value": shown_mg(going.delivered_mg, is_final=True), "small": small})
    if text := pain_words(going):
        cells.append({"label": "Pain", "value": text, "small": "before to now", "grow": True})
    return cells


def _last(going: Progress, zone: ZoneInfo) -> list[tuple[str, str]]:
    """The latest value of each vital, with its time where a later set left it out."""

    def said(vital: Vital, text: Callable[[ObservationSet], str | None]) -> str:
        row = going.latest.get(vital)
        if row is None:
            return "not taken"
        older = "" if row is going.last_observation else f" at {clock_label(row.observed_at, zone)}"
        return f"{text(row)}{older}"

    first = min(
        (row for row in going.observations if row.sbp is not None), key=lambda row: row.observed_at, default=None
    )
    beside = f" (first {pressure(first)})" if first is not None and first is not going.latest.get(Vital.SBP) else ""
    return [
        ("BP", said(Vital.SBP, pressure) + beside),
        ("HR", said(Vital.HR, lambda row: str(row.hr))),
        ("RR", said(Vital.RR, lambda row: str(row.rr))),
        ("SpO2", said(Vital.SPO2, _saturation)),
        ("Sedation", said(Vital.SEDATION, sedation_code)),
    ]


def _saturation(row: ObservationSet) -> str:
    oxygen = "" if row.o2_l_min is None else f", oxygen {format_quantity(row.o2_l_min, Unit.L_PER_MIN)}"
    return f"{row.spo2}%{oxygen}"


def named_escort(infusion: InfusionSession) -> GateAnswer | None:
    """Return the escort named before the infusion, to be offered as words, never as an answer."""
    named = [
        row for row in current(infusion.gate_answers) if row.check_item.kind is CheckKind.ESCORT and row.contact_name
    ]
    return named[-1] if named else None


def _assessed(infusion: InfusionSession, score: RecoveryScore, zone: ZoneInfo) -> str:
    """Return the score that was saved before, with its time."""
    rows = [row for row in current(infusion.discharge_assessments) if row.scale is score.scale]
    latest = max(rows, key=lambda row: (row.assessed_at, row.recorded_at), default=None)
    if latest is None:
        return ""
    given = [item for item in latest.items if item is not None]
    total = str(sum(given)) if len(given) == len(latest.items) else "not complete"
    return f"{score.name} {total} at {clock_label(latest.assessed_at, zone)}"

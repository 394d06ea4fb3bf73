"""How a visit ended, as lines of the table: the discharge score, the way out, and that it was undone."""

from collections.abc import Iterator

from clinic.sessions.models import Discharge, DischargeAssessment, InfusionSession
from clinic.sessions.pages_log_row import LogRow, correction, joined, sentence, struck_ids
from clinic.sessions.pages_words import way_out
from clinic.sessions.score_rules import SCORES


def leaving_rows(infusion: InfusionSession) -> Iterator[LogRow]:
    """The lines, in no order."""
    struck = struck_ids(infusion.discharge_assessments)
    for score in infusion.discharge_assessments:
        yield _score_row(score, is_struck=score.id in struck)
    struck = struck_ids(infusion.discharges)
    for row in infusion.discharges:
        yield _undone_row(row) if row.is_void else _discharge_row(row, is_struck=row.id in struck)


def _score_row(row: DischargeAssessment, *, is_struck: bool) -> LogRow:
    given = [item for item in row.items if item is not None]
    most = SCORES[row.scale].maximum
    total = f"{sum(given)} of {most}" if len(given) == len(row.items) else "not complete"
    return LogRow(
        row.assessed_at,
        row.recorded_by.initials,
        row.recorded_at,
        title=f"Discharge score {total}",
        note=joined(f"{SCORES[row.scale].name}.", correction(row)),
        struck=is_struck,
    )


def _discharge_row(row: Discharge, *, is_struck: bool) -> LogRow:
    overridden = f"{row.override_by.name} overrode the criteria: {row.override_reason}" if row.override_by else None
    said = (row.reason, row.instructions, overridden)
    return LogRow(
        row.discharged_at,
        row.recorded_by.initials,
        row.recorded_at,
        title=way_out(row),
        note=joined(*(sentence(text[:1].upper() + text[1:]) for text in said if text)),
        struck=is_struck,
    )


def _undone_row(row: Discharge) -> LogRow:
    return LogRow(row.recorded_at, row.recorded_by.initials, row.recorded_at, title="Discharge undone")

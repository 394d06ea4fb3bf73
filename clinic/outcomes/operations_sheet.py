"""The patient answers on the clinic's tablet: what is given to answer, and the answers."""

from collections.abc import Sequence
from datetime import datetime

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import Conflict
from clinic.courses.models import Course
from clinic.outcomes.models import AnswerSheet, OutcomeResult
from clinic.outcomes.operations import Measure, record_outcome
from clinic.outcomes.rules import Instrument, Occasion
from clinic.sessions.models import InfusionSession


def give_sheet(
    course: Course,
    measures: Sequence[str],
    *,
    occasion: Occasion,
    infusion: InfusionSession | None,
    by: Staff,
    at: datetime,
) -> AnswerSheet:
    """Write down what a patient is given to answer, by the keys of the measures."""
    sheet = AnswerSheet(
        patient_id=course.patient_id,
        course_id=course.id,
        infusion_id=infusion.id if infusion else None,
        occasion=occasion,
        measures=list(measures),
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(sheet)
    db.session.flush()  # the address of the tablet names it
    audit.record(AuditAction.SHEET_GIVEN, sheet, actor_id=by.id, at=at, measures=list(measures), occasion=occasion)
    return sheet


def answer(
    sheet: AnswerSheet, measure: Measure, items: Sequence[int | None], *, by: Staff, at: datetime
) -> OutcomeResult:
    """Keep what the patient answered; `by` is who gave the tablet. A measure is answered once on a sheet."""
    if any(_is_of(result, measure) for result in sheet.results):
        raise Conflict("This was answered already.")
    return record_outcome(
        sheet.course,
        measure,
        items,
        occasion=sheet.occasion,
        infusion=sheet.infusion,
        answered_at=at,
        sheet=sheet,
        by=by,
        at=at,
    )


def _is_of(result: OutcomeResult, measure: Measure) -> bool:
    if isinstance(measure, Instrument):
        return result.instrument is measure
    return result.form is not None and result.form.series_id == measure.series_id

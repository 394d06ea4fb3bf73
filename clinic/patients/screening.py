"""Contraindication screening: asked, answered, settled."""

from datetime import datetime

import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.rows import add_row
from clinic.patients import queries
from clinic.patients.models import Patient, ScreeningAnswer, ScreeningQuestion
from clinic.patients.rules import Answer


def add_screening_question(
    *, drug_name: str, text: str, valid_days: int | None = None, by: Staff, at: datetime
) -> ScreeningQuestion:
    """Add a question that the clinic asks before a drug, after its other ones."""
    known = queries.screening_questions(drug_name)
    if any(question.text.lower() == text.strip().lower() for question in known):
        raise RuleBroken("This question is asked already.", field="text")
    last = db.session.scalar(
        sa.select(sa.func.max(ScreeningQuestion.position)).where(ScreeningQuestion.drug_name == drug_name)
    )
    question = ScreeningQuestion(
        drug_name=drug_name.strip(),
        text=text.strip(),
        position=(last or 0) + 1,
        valid_days=valid_days,
        is_retired=False,
    )
    db.session.add(question)
    db.session.flush()  # answers name it
    audit.record(
        AuditAction.SCREENING_RECORDED,
        question,
        actor_id=by.id,
        at=at,
        drug=question.drug_name,
        question=question.text,
        valid_days=valid_days,
    )
    return question


def change_screening_question(
    question: ScreeningQuestion, *, valid_days: int | None, is_retired: bool, by: Staff, at: datetime
) -> None:
    """Change how long an answer counts, or ask a question no more. Its words stay: another text is another question."""
    old = {"valid_days": question.valid_days, "is_retired": question.is_retired}
    question.valid_days, question.is_retired = valid_days, is_retired
    audit.record(
        AuditAction.SCREENING_RECORDED,
        question,
        actor_id=by.id,
        at=at,
        question=question.text,
        old=old,
        new={"valid_days": valid_days, "is_retired": is_retired},
    )


def answer_screening(
    patient: Patient,
    question: ScreeningQuestion,
    answer: Answer,
    *,
    detail: str | None = None,
    reason: str | None = None,
    by: Staff,
    at: datetime,
) -> ScreeningAnswer:
    """Write down an answer. Asked again, the new answer supersedes the earlier one, whose settlement ends with it."""
    earlier = next((row for row in queries.current_answers(patient.id) if row.question_id == question.id), None)
    given = ScreeningAnswer(
        patient_id=patient.id,
        question_id=question.id,
        answer=answer,
        detail=detail or None,
        recorded_at=at,
        recorded_by_id=by.id,
        supersedes_id=earlier.id if earlier else None,
        correction_reason=(reason or "Asked again.") if earlier else None,
    )
    add_row(given)
    audit.record(
        AuditAction.SCREENING_RECORDED,
        given,
        actor_id=by.id,
        at=at,
        question=question.text,
        answer=answer,
        detail=given.detail,
        was=earlier.answer if earlier else None,
    )
    return given


def settle_screening(answer: ScreeningAnswer, text: str, *, by: Staff, at: datetime) -> ScreeningAnswer:
    """Settle a yes or unknown: the physician says in `text` why the course may go on, or what follows from it."""
    if answer.answer is Answer.NO:
        raise RuleBroken("A no needs no settling.")
    if answer.settled_text:
        raise RuleBroken("This answer is settled already.")
    if not text.strip():
        raise RuleBroken("Say how it is settled.", field="settled_text")
    settled = ScreeningAnswer(
        patient_id=answer.patient_id,
        question_id=answer.question_id,
        answer=answer.answer,
        detail=answer.detail,
        settled_text=text.strip(),
        recorded_at=at,
        recorded_by_id=by.id,
        supersedes_id=answer.id,
        correction_reason="Settled.",
    )
    add_row(settled)
    audit.record(AuditAction.SCREENING_SETTLED, settled, actor_id=by.id, at=at, text=settled.settled_text)
    return settled

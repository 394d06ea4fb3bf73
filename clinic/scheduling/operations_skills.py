"""Write down what a nurse knows, and take it back. Nobody is moved by it: what is booked already stays."""

from datetime import date, datetime

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.core.rows import following
from clinic.scheduling import queries_skills
from clinic.scheduling.locking import lock_in_order
from clinic.scheduling.models_skills import NurseSkill
from clinic.scheduling.operations_hours import settle_own_clock


def add_skill(
    nurse: Staff, drug_name: str, *, valid_from: date, valid_until: date | None = None, by: Staff, at: datetime
) -> NurseSkill:
    """Write down that a nurse may look after patients of a drug. From then on the drug asks for it."""
    if not nurse.has_any({Role.NURSE}):
        raise RuleBroken(f"{nurse.name} is no nurse here.", field="staff_id")
    if drug_name not in queries_skills.drug_names():
        raise RuleBroken("Choose a drug of the formulary.", field="drug_name")
    if valid_until is not None and valid_until < valid_from:
        raise RuleBroken("The last day comes after the first.", field="valid_until")
    settle_own_clock()  # the database must know the wall's day
    lock_in_order(nurses={nurse.id})
    made = NurseSkill(
        staff_id=nurse.id,
        drug_name=drug_name,
        valid_from=valid_from,
        valid_until=valid_until,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    _keep(made, by=by, at=at)
    return made


def take_back_skill(skill: NurseSkill, *, reason: str, by: Staff, at: datetime) -> None:
    """It no longer holds; the row stays with the reason."""
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    lock_in_order(nurses={skill.staff_id})
    if queries_skills.skill(skill.id) is None:
        raise RuleBroken("This was taken back already.")
    void = following(skill, reason=reason.strip(), by_id=by.id, at=at, is_void=True)
    _keep(void, by=by, at=at)


def _keep(row: NurseSkill, *, by: Staff, at: datetime) -> None:
    db.session.add(row)
    db.session.flush()  # the audit line follows what was kept
    audit.record(
        AuditAction.SKILL_CHANGED,
        row,
        actor_id=by.id,
        at=at,
        staff_id=row.staff_id,
        drug_name=row.drug_name,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        supersedes_id=row.supersedes_id,
        reason=row.correction_reason,
    )

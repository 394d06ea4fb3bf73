"""Write down what nurses know, and take it back. Nobody is moved by it: who would stand outside is shown first."""

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db, times
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.core.rows import following
from clinic.scheduling import queries, queries_rooms, queries_skills
from clinic.scheduling.locking import lock_in_order
from clinic.scheduling.models import Appointment
from clinic.scheduling.models_skills import NurseSkill
from clinic.scheduling.operations_breaking import refuse_unseen
from clinic.scheduling.operations_hours import settle_own_clock
from clinic.scheduling.skills_rules import able_on


def add_skills(
    nurses: Sequence[Staff],
    drug_name: str,
    *,
    valid_from: date,
    valid_until: date | None = None,
    by: Staff,
    at: datetime,
    seen: str | None = None,
) -> list[NurseSkill]:
    """Write down that nurses may look after patients of a drug. From then on the drug asks for it.

    `WouldBreak` shows the coming appointments whose nurse may have them now and would not be among these.
    """
    if others := [nurse for nurse in nurses if not nurse.has_any({Role.NURSE})]:
        raise RuleBroken(f"{others[0].name} is no nurse here.", field="nurses")
    if drug_name not in queries_skills.drug_names():
        raise RuleBroken("Choose a drug of the formulary.", field="drug_name")
    if valid_until is not None and valid_until < valid_from:
        raise RuleBroken("The last day comes after the first.", field="valid_until")
    zone = settle_own_clock()  # the database must know the wall's day
    lock_in_order(nurses={nurse.id for nurse in nurses})
    made = [
        NurseSkill(
            staff_id=nurse.id,
            drug_name=drug_name,
            valid_from=valid_from,
            valid_until=valid_until,
            recorded_at=at,
            recorded_by_id=by.id,
        )
        for nurse in nurses
    ]
    now = queries_skills.skills()
    refuse_unseen(_newly_unskilled(now, [*now, *made], drug_name, zone, at), seen)
    for row in made:
        _keep(row, by=by, at=at)
    return made


def take_back_skill(skill: NurseSkill, *, reason: str, by: Staff, at: datetime, seen: str | None = None) -> None:
    """It no longer holds; the row stays with the reason. `WouldBreak` shows what the nurse would still have."""
    if not reason.strip():
        raise RuleBroken("Say why.", field="reason")
    zone = settle_own_clock()
    lock_in_order(nurses={skill.staff_id})
    now = queries_skills.skills()
    if skill.id not in {each.id for each in now}:
        raise RuleBroken("This was taken back already.")
    left = [each for each in now if each.id != skill.id]
    refuse_unseen(_newly_unskilled(now, left, skill.drug_name, zone, at), seen)
    void = following(skill, reason=reason.strip(), by_id=by.id, at=at, is_void=True)
    _keep(void, by=by, at=at)


def _newly_unskilled(
    now: Sequence[NurseSkill], then: Sequence[NurseSkill], drug_name: str, zone: ZoneInfo, at: datetime
) -> list[Appointment]:
    """The coming appointments of a drug whose nurse may have them now and could not be given them then."""
    standing = [each for each in queries_rooms.standing(at) if each.nurse_id and each.starts_at > at]
    facts = queries.course_facts({each.course_id for each in standing})
    found = []
    for each in standing:
        if each.course_id in facts and facts[each.course_id].drug_name == drug_name:
            on = times.local(each.starts_at, zone).date()
            was, will = able_on(now, drug_name, on), able_on(then, drug_name, on)
            if will is not None and each.nurse_id not in will and (was is None or each.nurse_id in was):
                found.append(each)
    return found


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

"""A chart that is open to its team alone, and the glass that others break: for an hour, with a reason, seen by another.

Who is not on the team of a restricted chart reads nothing of it and writes nothing into it. A nurse or physician may
open it for sixty minutes; each opening waits until another person has looked at it.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.patients.models import ChartOpening, ChartRestriction, ChartTeam, OpeningReview, Patient
from clinic.patients.restricting_rules import OPEN_FOR, SHORTEST_REASON, OpeningKind

OWN_OPENING = "You opened this chart yourself: somebody else looks at it."


def _is_latest() -> sa.ColumnElement[bool]:
    later = aliased(ChartRestriction)
    is_later = sa.or_(
        later.recorded_at > ChartRestriction.recorded_at,
        sa.and_(later.recorded_at == ChartRestriction.recorded_at, later.id > ChartRestriction.id),
    )
    return ~sa.exists().where(later.patient_id == ChartRestriction.patient_id, is_later)


def _is_open(staff_id: uuid.UUID, at: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        ChartOpening.opened_by_id == staff_id,
        ChartOpening.ended_at.is_(None),
        ChartOpening.until_at > at,
    )


def closed_to(staff_id: uuid.UUID, *, at: datetime) -> frozenset[uuid.UUID]:
    """The patients of this clinic whose charts this person may not see now."""
    is_on_team = sa.exists().where(ChartTeam.restriction_id == ChartRestriction.id, ChartTeam.staff_id == staff_id)
    is_opened = sa.exists().where(ChartOpening.patient_id == ChartRestriction.patient_id, _is_open(staff_id, at))
    found = sa.select(ChartRestriction.patient_id).where(
        ChartRestriction.is_restricted, _is_latest(), ~is_on_team, ~is_opened
    )
    return frozenset(db.session.scalars(found))


def restriction_of(patient_id: uuid.UUID) -> ChartRestriction | None:
    """The restriction that holds for a chart."""
    found = db.session.scalar(
        sa.select(ChartRestriction).where(ChartRestriction.patient_id == patient_id, _is_latest())
    )
    return found if found is not None and found.is_restricted else None


def team_of(restriction: ChartRestriction) -> frozenset[uuid.UUID]:
    """Who opens a restricted chart like any other."""
    return frozenset(
        db.session.scalars(sa.select(ChartTeam.staff_id).where(ChartTeam.restriction_id == restriction.id))
    )


def restrict(patient: Patient, team: Iterable[uuid.UUID], reason: str, *, by: Staff, at: datetime) -> ChartRestriction:
    """Leave a chart to its team, or name another team. Raises RuleBroken without a team or a reason."""
    chosen = sorted(set(team))
    if not chosen:
        raise RuleBroken("Choose who treats this patient: somebody has to.", field="team")
    if not reason.strip():
        raise RuleBroken("Say why this chart is restricted.", field="reason")
    made = _write(patient, reason, is_restricted=True, by=by, at=at)
    for staff_id in chosen:
        db.session.add(ChartTeam(clinic_id=patient.clinic_id, restriction_id=made.id, staff_id=staff_id))
    audit.record(AuditAction.CHART_RESTRICTED, made, actor_id=by.id, at=at, team=chosen, reason=reason.strip())
    return made


def lift(patient: Patient, reason: str, *, by: Staff, at: datetime) -> ChartRestriction:
    """Open a restricted chart to everybody who may read charts. Raises RuleBroken."""
    if restriction_of(patient.id) is None:
        raise RuleBroken("This chart is not restricted.")
    if not reason.strip():
        raise RuleBroken("Say why the chart is open again.", field="reason")
    made = _write(patient, reason, is_restricted=False, by=by, at=at)
    audit.record(AuditAction.CHART_RELEASED, made, actor_id=by.id, at=at, reason=reason.strip())
    return made


def _write(patient: Patient, reason: str, *, is_restricted: bool, by: Staff, at: datetime) -> ChartRestriction:
    made = ChartRestriction(
        patient_id=patient.id, is_restricted=is_restricted, reason=reason.strip(), recorded_at=at, recorded_by_id=by.id
    )
    db.session.add(made)
    db.session.flush()  # its team names it
    return made


# --- the glass -------------------------------------------------------------------------------------------------------


def open_chart(patient: Patient, kind: OpeningKind, reason: str, *, by: Staff, at: datetime) -> ChartOpening:
    """Open a restricted chart for an hour. Raises RuleBroken without a reason, or where the chart is open anyway."""
    if patient.id not in closed_to(by.id, at=at):
        raise RuleBroken("This chart is open to you.")
    if len(reason.strip()) < SHORTEST_REASON:
        raise RuleBroken(f"Say why, in {SHORTEST_REASON} letters or more.", field="reason")
    made = ChartOpening(
        patient_id=patient.id,
        kind=kind,
        reason=reason.strip(),
        until_at=at + OPEN_FOR,
        opened_at=at,
        opened_by_id=by.id,
    )
    db.session.add(made)
    db.session.flush()  # the audit line needs the id
    audit.record(AuditAction.CHART_OPENED, made, actor_id=by.id, at=at, kind=kind, why=reason.strip())
    # What an admin learns: who, and when. Whose chart and why stand in the line above, which no admin reads.
    audit.record(AuditAction.GLASS_BROKEN, by, actor_id=by.id, at=at)
    return made


def end_opening(opening_id: uuid.UUID, *, by: Staff, at: datetime) -> ChartOpening | None:
    """Close a chart again that one has opened; None where there is none."""
    opening = db.session.scalar(sa.select(ChartOpening).where(ChartOpening.id == opening_id, _is_open(by.id, at)))
    if opening is not None:
        opening.ended_at = at
        audit.record(AuditAction.CHART_CLOSED, opening, actor_id=by.id, at=at)
    return opening


def openings_of(staff_id: uuid.UUID, *, at: datetime) -> list[ChartOpening]:
    """The charts that a person has open this way now."""
    return list(
        db.session.scalars(sa.select(ChartOpening).where(_is_open(staff_id, at)).order_by(ChartOpening.until_at))
    )


def unreviewed() -> list[ChartOpening]:
    """The openings that nobody has looked at, the oldest first."""
    is_reviewed = sa.exists().where(OpeningReview.opening_id == ChartOpening.id)
    found = sa.select(ChartOpening).where(~is_reviewed).order_by(ChartOpening.opened_at, ChartOpening.id)
    return list(db.session.scalars(found))


def waiting_for(staff_id: uuid.UUID) -> int:
    """How many openings of others wait for somebody to look at them."""
    is_reviewed = sa.exists().where(OpeningReview.opening_id == ChartOpening.id)
    counted = sa.select(sa.func.count(ChartOpening.id)).where(~is_reviewed, ChartOpening.opened_by_id != staff_id)
    return db.session.scalar(counted) or 0


def reviews(*, limit: int = 50) -> list[tuple[OpeningReview, ChartOpening]]:
    """What was said to earlier openings, the latest first."""
    found = sa.select(OpeningReview, ChartOpening).join(ChartOpening, ChartOpening.id == OpeningReview.opening_id)
    rows = db.session.execute(found.order_by(OpeningReview.recorded_at.desc(), OpeningReview.id.desc()).limit(limit))
    return [(review, opening) for review, opening in rows]


def opening(opening_id: uuid.UUID) -> ChartOpening | None:
    """One opening of this clinic."""
    return db.session.scalar(sa.select(ChartOpening).where(ChartOpening.id == opening_id))


def review(opening: ChartOpening, *, is_in_order: bool, note: str, by: Staff, at: datetime) -> OpeningReview:
    """Look at an opening of somebody else, once. Raises RuleBroken."""
    if opening.opened_by_id == by.id:
        raise RuleBroken(OWN_OPENING)
    if not note.strip():
        raise RuleBroken("Say what you looked at.", field="note")
    made = OpeningReview(
        opening_id=opening.id,
        opened_by_id=opening.opened_by_id,
        is_in_order=is_in_order,
        note=note.strip(),
        recorded_at=at,
        recorded_by_id=by.id,
    )
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError as clash:
        raise RuleBroken("Somebody else has looked at this opening already.") from clash
    audit.record(
        AuditAction.OPENING_REVIEWED,
        made,
        actor_id=by.id,
        at=at,
        patient_id=opening.patient_id,
        is_in_order=is_in_order,
        note=made.note,
    )
    return made

"""Courses change here: begun, signed, reviewed, held, resumed, ended. The order follows its course."""

from datetime import date, datetime
from typing import NotRequired, TypedDict, Unpack

import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.rows import add_row
from clinic.courses import endings
from clinic.courses.models import Course, CourseReview
from clinic.courses.rules import CourseDecision, CourseStatus, may_become, status_after
from clinic.orders import cosigning
from clinic.orders import operations as orders
from clinic.orders.models import OrderVersion
from clinic.orders.rules import DosingWeight, OrderStatus
from clinic.orders.signing_rules import remarks
from clinic.patients.models import Patient, Weight
from clinic.protocols.models import ProtocolVersion
from clinic.protocols.rules import CourseIntent, ProtocolStatus
from clinic.protocols.terms import TermsDraft, draft_of
from clinic.signatures.models import Signature


class OrderFrame(TypedDict):
    """What a version of a course's order says besides its terms. It allows the sessions planned or other."""

    weight: Weight | None
    valid_from: date | None
    valid_until: date | None
    dosing: NotRequired[DosingWeight | None]
    sessions_allowed: NotRequired[int | None]


def _framed(frame: OrderFrame, terms_draft: TermsDraft) -> orders.Frame:
    return {
        "weight": frame["weight"],
        "dosing": frame.get("dosing"),
        "valid_from": frame["valid_from"],
        "valid_until": frame["valid_until"],
        "sessions_allowed": frame.get("sessions_allowed") or terms_draft.sessions_planned,
    }


def create_course(
    patient: Patient,
    protocol_version: ProtocolVersion,
    terms_draft: TermsDraft,
    *,
    indication: str,
    goal: str | None,
    intent: CourseIntent,
    physician: Staff,
    previous_course: Course | None = None,
    by: Staff,
    at: datetime,
    **frame: Unpack[OrderFrame],
) -> Course:
    """Begin a course as a draft, with version 1 of its order as a draft."""
    if protocol_version.status is not ProtocolStatus.ACTIVE:
        raise RuleBroken("This version of the protocol is not in use.")
    version = orders.draft(patient, terms_draft, by=by, at=at, **_framed(frame, terms_draft))
    course = Course(
        patient=patient,
        number=_next_number(patient),
        order=version.order,
        protocol_version=protocol_version,
        previous_course_id=previous_course.id if previous_course else None,
        indication=indication.strip(),
        goal=goal or None,
        intent=intent,
        status=CourseStatus.DRAFT,
        physician_id=physician.id,
        created_at=at,
        created_by_id=by.id,
    )
    add_row(course, clash="Somebody else began a course of this patient meanwhile. Open the page again.")
    said = ("number", "order_id", "indication", "intent", "physician_id")
    details = {name: getattr(course, name) for name in said} | {"protocol_version_id": protocol_version.id}
    audit.record(AuditAction.COURSE_CREATED, course, actor_id=by.id, at=at, **details)
    return course


def _next_number(patient: Patient) -> int:
    last = db.session.scalar(sa.select(sa.func.max(Course.number)).where(Course.patient_id == patient.id))
    return (last or 0) + 1


def change_plan(
    course: Course, *, indication: str, goal: str | None, intent: CourseIntent, by: Staff, at: datetime
) -> None:
    """Write down again what a course is for, while it is a draft."""
    if course.status is not CourseStatus.DRAFT:
        raise RuleBroken("The plan of a signed course does not change.")
    new = {"indication": indication.strip(), "goal": goal or None, "intent": intent}
    old = {name: getattr(course, name) for name in new}
    if new == old:
        return
    for name, value in new.items():
        setattr(course, name, value)
    db.session.flush()
    audit.record(AuditAction.COURSE_CREATED, course, actor_id=by.id, at=at, old=old, new=new)


def sign_order(
    course: Course,
    version: OrderVersion,
    *,
    by: Staff,
    password: str,
    at: datetime,
    seen: str | None = None,
    reason: str | None = None,
    remarked: str | None = None,
) -> Signature:
    """Sign a version of the course's order as it was `seen`. The first one makes the course active.

    Beyond a limit of the protocol that the course began with, or of the order itself, it is signed with a `reason`;
    `remarked` is the `remarks_code` of what it was written for, where that is no part of what was `seen`.
    A version signed while the course is on hold waits on hold with it.
    """
    if version.order_id != course.order_id:
        raise RuleBroken("This order belongs to another course.")
    if course.status not in {CourseStatus.DRAFT, CourseStatus.ACTIVE, CourseStatus.ON_HOLD}:
        raise RuleBroken("This course is over. Begin a new one.")
    if remarked is not None and reason:
        _refuse_other_remarks(course, version, remarked, at=at)
    signature = orders.sign(version, by=by, password=password, at=at, seen=seen, protocol=bounds(course), reason=reason)
    _follow_order(course, version, by=by, at=at)
    return signature


def cosign_order(
    course: Course, version: OrderVersion, *, by: Staff, password: str, at: datetime, seen: str | None = None
) -> Signature:
    """Co-sign a version of the course's order as it was `seen`; one that waited for it comes into force."""
    if version.order_id != course.order_id:
        raise RuleBroken("This order belongs to another course.")
    was_waiting = version.is_waiting
    signature = cosigning.cosign(version, by=by, password=password, at=at, seen=seen, protocol=bounds(course))
    if was_waiting:
        _follow_order(course, version, by=by, at=at)
    return signature


def _follow_order(course: Course, version: OrderVersion, *, by: Staff, at: datetime) -> None:
    """The first order in force makes a course active; a version signed while the course is on hold waits with it."""
    if version.is_waiting:
        return
    if course.status is CourseStatus.DRAFT:
        _move(course, CourseStatus.ACTIVE, by=by, at=at, reason="The first order was signed.")
    elif course.status is CourseStatus.ON_HOLD:
        orders.hold(version, reason="The course is on hold.", by=by, at=at)


def _refuse_other_remarks(course: Course, version: OrderVersion, remarked: str, *, at: datetime) -> None:
    found = orders.problems(version, on=orders.clinic_day(at), protocol=bounds(course))
    if remarks(found) and remarked != orders.remarks_code(found):
        raise RuleBroken(
            "What stands outside is not all that you wrote this for. Read it again.", field="excess_reason"
        )


def bounds(course: Course) -> TermsDraft:
    """The terms of the protocol version that a course began with: the limits that its orders are held against."""
    return draft_of(course.protocol_version.terms)


def adjust(
    course: Course, terms_draft: TermsDraft, *, reason: str, by: Staff, at: datetime, **frame: Unpack[OrderFrame]
) -> OrderVersion:
    """Begin the next version of the course's order as a draft; the version in force stands until it is signed."""
    if course.status not in {CourseStatus.DRAFT, CourseStatus.ACTIVE, CourseStatus.ON_HOLD}:
        raise RuleBroken("Only the order of a course that goes on can be adjusted.")
    framed = _framed(frame, terms_draft)
    return orders.draft(
        course.patient, terms_draft, order=course.order, by=by, at=at, **(framed | {"change_reason": reason})
    )


def review(
    course: Course,
    decision: CourseDecision,
    text: str,
    *,
    by: Staff,
    at: datetime,
    decided_at: datetime | None = None,
    is_dose_given: bool = True,
    drawn_version: int | None = None,
) -> CourseReview:
    """Write down what a physician decided at `decided_at`; course and order follow by the state table (7.2).

    `is_dose_given` says whether any dose was given under the order: then discontinuing stops it, else it is cancelled.
    """
    if drawn_version is not None and drawn_version != course.version:
        raise Conflict("This course changed since you opened it. Nothing was saved. Read it again.")
    decided_at = decided_at or at
    before = course.status
    after = _decided(decision, before, text, decided_at=decided_at, at=at)
    if after is not before:
        _move(course, after, by=by, at=at, reason=text.strip())
        _let_order_follow(course, decision, text.strip(), by=by, at=at, is_dose_given=is_dose_given)
    reviewed = CourseReview(
        course_id=course.id,
        decision=decision,
        text=text.strip(),
        from_status=before,
        to_status=after,
        decided_at=decided_at,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    _keep_review(course, reviewed, by=by, at=at)
    return reviewed


def _keep_review(course: Course, reviewed: CourseReview, *, by: Staff, at: datetime) -> None:
    db.session.add(reviewed)
    db.session.flush()  # the audit line needs the id
    audit.record(
        AuditAction.COURSE_REVIEWED,
        reviewed,
        actor_id=by.id,
        at=at,
        patient_id=course.patient_id,
        decision=reviewed.decision,
        text=reviewed.text,
        decided_at=reviewed.decided_at,
    )


def _decided(
    decision: CourseDecision, before: CourseStatus, text: str, *, decided_at: datetime, at: datetime
) -> CourseStatus:
    """How a course stands after a decision. Raises RuleBroken where it cannot be made."""
    if decided_at > at:
        raise RuleBroken("The time of the decision is in the future.", field="decided_at")
    if not text.strip():
        raise RuleBroken("Say why.", field="text")
    after = status_after(decision, before)
    if after is None:
        raise RuleBroken(
            f"A course that is {before.replace('-', ' ')} cannot be given this decision.", field="decision"
        )
    return after


def enter_in_error(course: Course, *, reason: str, by: Staff, at: datetime) -> None:
    """Withdraw a course that was begun by mistake, with its unsigned order."""
    if course.status is not CourseStatus.DRAFT:
        raise RuleBroken("A course with signed content is discontinued, with its reason.")
    _move(course, CourseStatus.ENTERED_IN_ERROR, by=by, at=at, reason=reason)
    for version in _versions(course):
        if version.status in orders.UNSIGNED:
            orders.cancel(version, reason=reason, by=by, at=at)


def _let_order_follow(
    course: Course, decision: CourseDecision, reason: str, *, by: Staff, at: datetime, is_dose_given: bool
) -> None:
    for version in _versions(course):
        if version.status in orders.UNSIGNED:
            if decision in {CourseDecision.DISCONTINUE, CourseDecision.COMPLETE}:
                orders.cancel(version, reason=reason, by=by, at=at)
        elif version.status in {OrderStatus.ACTIVE, OrderStatus.ON_HOLD}:
            _follow(version, decision, reason, by=by, at=at, is_dose_given=is_dose_given)


def _follow(
    version: OrderVersion, decision: CourseDecision, reason: str, *, by: Staff, at: datetime, is_dose_given: bool
) -> None:
    match decision:
        case CourseDecision.HOLD if version.status is OrderStatus.ACTIVE:
            orders.hold(version, reason=reason, by=by, at=at)
        case CourseDecision.RESUME if version.status is OrderStatus.ON_HOLD:
            orders.resume(version, reason=reason, by=by, at=at)
        case CourseDecision.COMPLETE if version.status is OrderStatus.ACTIVE:
            orders.complete(version, reason=reason, by=by, at=at)
        case CourseDecision.DISCONTINUE | CourseDecision.COMPLETE if is_dose_given:
            orders.stop(version, reason=reason, by=by, at=at)
        case CourseDecision.DISCONTINUE | CourseDecision.COMPLETE:
            orders.cancel(version, reason=reason, by=by, at=at)
        case _:
            pass


def _versions(course: Course) -> list[OrderVersion]:
    return list(
        db.session.scalars(
            sa.select(OrderVersion).where(OrderVersion.order_id == course.order_id).order_by(OrderVersion.number)
        )
    )


def _move(course: Course, wanted: CourseStatus, *, by: Staff, at: datetime, reason: str) -> None:
    if not may_become(course.status, wanted):
        raise RuleBroken(f"A course that is {course.status} cannot become {wanted}.")
    before, course.status = course.status, wanted
    db.session.flush()  # a second writer meets the version number here
    audit.record(
        AuditAction.COURSE_STATUS_CHANGED, course, actor_id=by.id, at=at, was=before, status=wanted, reason=reason
    )
    if wanted in endings.OVER:
        endings.tell(course, by=by, at=at)

"""Named reads behind the inbox: what waits for physicians, each in a number of reads that does not grow with it."""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload

from clinic.core import db
from clinic.courses.models import Course, CourseReview
from clinic.courses.rules import CourseStatus
from clinic.notes.inbox_rules import GRAVE, gravity_of
from clinic.orders.models import Order, OrderReturn, OrderVersion, VerbalOrder
from clinic.orders.rules import OrderStatus
from clinic.outcomes.models import OutcomeResult
from clinic.outcomes.rules import PHQ9_ITEMS, Instrument
from clinic.patients.models import ScreeningAnswer, ScreeningQuestion
from clinic.patients.rules import Answer
from clinic.protocols.models import Terms
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import AppointmentStatus
from clinic.sessions.event_rules import SessionEventKind
from clinic.sessions.models import AdverseEvent, InfusionSession, SessionEvent
from clinic.sessions.readiness import USED
from clinic.sessions.rules import SessionStatus
from clinic.signatures.models import Signature
from clinic.signatures.rules import Meaning

Ids = Collection[uuid.UUID] | sa.Select[uuid.UUID]
GOING_ON = (CourseStatus.DRAFT, CourseStatus.ACTIVE, CourseStatus.ON_HOLD)
_UNSIGNED = (OrderStatus.DRAFT, OrderStatus.PENDING_SIGNATURE)
_OF_COURSE = InfusionSession.course_id == Course.id
_CLOSED = tuple(status for status in SessionStatus if status.is_closed)
_GIVEN = tuple(status for status in _CLOSED if status is not SessionStatus.NOT_DONE)


def _is_signed(
    subject: sa.SQLColumnExpression[uuid.UUID], table: type[db.Base], meaning: Meaning
) -> sa.ColumnElement[bool]:
    return sa.exists().where(Signature.subject_id == subject, Signature.meaning == meaning).correlate(table)


def gravities(infusion_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How grave the gravest standing event of each session is; sessions without one are left out."""
    found: dict[uuid.UUID, int] = {}
    rows = db.session.execute(
        sa.select(AdverseEvent.infusion_id, AdverseEvent.grade, AdverseEvent.is_serious).where(
            AdverseEvent.infusion_id.in_(set(infusion_ids)), _event_stands()
        )
    )
    for infusion_id, grade, is_serious in rows:
        found[infusion_id] = max(found.get(infusion_id, 0), gravity_of(grade, is_serious=is_serious))
    return found


# --- adverse events --------------------------------------------------------------------------------------------------


def _event_stands() -> sa.ColumnElement[bool]:
    later = aliased(AdverseEvent)
    return sa.and_(
        AdverseEvent.is_void.is_(False),
        ~sa.exists().where(later.supersedes_id == AdverseEvent.id).correlate(AdverseEvent),
    )


def is_grave() -> sa.ColumnElement[bool]:
    """Severe or worse, or serious by one of the criteria."""
    return sa.or_(AdverseEvent.grade >= GRAVE, AdverseEvent.is_serious.is_(True))


def unreviewed() -> sa.ColumnElement[bool]:
    """Events that stand and that no physician has signed as reviewed."""
    return sa.and_(_event_stands(), ~_is_signed(AdverseEvent.id, AdverseEvent, Meaning.REVIEWED))


def unreviewed_events(since: datetime) -> list[AdverseEvent]:
    """Adverse events and near misses that nobody has reviewed: the grave ones, and the others recorded since then."""
    return list(
        db.session.scalars(
            sa.select(AdverseEvent)
            .where(unreviewed(), sa.or_(is_grave(), AdverseEvent.recorded_at >= since))
            .options(
                joinedload(AdverseEvent.patient),
                joinedload(AdverseEvent.recorded_by),
                joinedload(AdverseEvent.infusion).joinedload(InfusionSession.course),
            )
            .order_by(AdverseEvent.onset_at, AdverseEvent.id)
        )
    )


def adverse_event(event_id: uuid.UUID) -> AdverseEvent | None:
    """An adverse event."""
    return db.session.get(AdverseEvent, event_id)


# --- what was said from the chair ------------------------------------------------------------------------------------


def told(ids: Ids, kind: SessionEventKind) -> sa.ColumnElement[bool]:
    """Notes that were sent to these physicians, or times they were told, that they have not signed as read."""
    later = aliased(SessionEvent)
    return sa.and_(
        SessionEvent.kind == kind,
        SessionEvent.person_id.in_(ids),
        SessionEvent.is_void.is_(False),
        ~sa.exists().where(later.supersedes_id == SessionEvent.id).correlate(SessionEvent),
        ~_is_signed(SessionEvent.id, SessionEvent, Meaning.REVIEWED),
    )


def from_the_chair(ids: Ids, kind: SessionEventKind, since: datetime | None = None) -> list[SessionEvent]:
    """The same with session and people, the oldest first; what was replied to only since then."""
    found = (
        sa.select(SessionEvent)
        .where(told(ids, kind))
        .options(
            joinedload(SessionEvent.infusion).joinedload(InfusionSession.patient),
            joinedload(SessionEvent.recorded_by),
            joinedload(SessionEvent.person),
        )
        .order_by(SessionEvent.happened_at, SessionEvent.id)
    )
    if since is not None:
        found = found.where(sa.or_(SessionEvent.reply.is_(None), SessionEvent.recorded_at >= since))
    return list(db.session.scalars(found))


def sent_note(event_id: uuid.UUID) -> SessionEvent | None:
    """Something that was said from the chair to a physician."""
    event = db.session.get(SessionEvent, event_id)
    is_said = event is not None and event.kind in {SessionEventKind.ROW_NOTE, SessionEventKind.NOTIFY}
    return event if event is not None and is_said and event.person_id else None


# --- orders ----------------------------------------------------------------------------------------------------------


def unsigned_spoken(ids: Ids) -> sa.ColumnElement[bool]:
    """What these physicians spoke and nobody has signed."""
    return sa.and_(VerbalOrder.spoken_by_id.in_(ids), ~_is_signed(VerbalOrder.id, VerbalOrder, Meaning.VERBAL_ORDER))


def spoken_orders(ids: Ids) -> list[VerbalOrder]:
    """The same with patient and people, the oldest first."""
    return list(
        db.session.scalars(
            sa.select(VerbalOrder)
            .where(unsigned_spoken(ids))
            .options(
                joinedload(VerbalOrder.patient),
                joinedload(VerbalOrder.recorded_by),
                joinedload(VerbalOrder.spoken_by),
            )
            .order_by(VerbalOrder.spoken_at)
        )
    )


def unsigned_drafts(ids: Ids) -> sa.ColumnElement[bool]:
    """Orders that nobody has signed: begun by these physicians, or by others for their courses."""
    is_theirs = sa.exists().where(Course.order_id == OrderVersion.order_id, Course.physician_id.in_(ids))
    return sa.and_(
        OrderVersion.status.in_(_UNSIGNED),
        OrderVersion.signature_id.is_(None),
        sa.or_(OrderVersion.drafted_by_id.in_(ids), is_theirs.correlate(OrderVersion)),
    )


def is_with_another_author(ids: Ids) -> sa.ColumnElement[bool]:
    """Drafts that were sent back to somebody else, who has not written them again."""
    is_returned = sa.exists().where(
        OrderReturn.order_version_id == OrderVersion.id, OrderReturn.revision == OrderVersion.version
    )
    return sa.and_(OrderVersion.drafted_by_id.not_in(ids), is_returned.correlate(OrderVersion))


def drafts(ids: Ids) -> list[OrderVersion]:
    """The same with patient, drug and author, the oldest first."""
    return list(
        db.session.scalars(
            sa.select(OrderVersion)
            .where(unsigned_drafts(ids))
            .options(
                joinedload(OrderVersion.order).joinedload(Order.patient),
                joinedload(OrderVersion.terms).joinedload(Terms.drug),
                joinedload(OrderVersion.drafted_by),
                selectinload(OrderVersion.returns).joinedload(OrderReturn.recorded_by),
            )
            .order_by(OrderVersion.drafted_at)
        )
    )


def courses_by_order(order_ids: Ids) -> dict[uuid.UUID, Course]:
    """The courses that orders belong to, by the order."""
    rows = db.session.scalars(
        sa.select(Course).where(Course.order_id.in_(order_ids)).options(joinedload(Course.physician))
    )
    return {course.order_id: course for course in rows}


def courses_by_version(version_ids: Ids) -> dict[uuid.UUID, uuid.UUID]:
    """The key of the course that each version of an order belongs to."""
    rows = db.session.execute(
        sa.select(OrderVersion.id, Course.id)
        .join(Course, Course.order_id == OrderVersion.order_id)
        .where(OrderVersion.id.in_(version_ids))
    )
    return {row[0]: row[1] for row in rows}


# --- courses ---------------------------------------------------------------------------------------------------------


def coming_appointments(ids: Ids, start: datetime, end: datetime) -> list[Appointment]:
    """The sessions booked in a time for these physicians' courses, with course and order versions, earliest first."""
    return list(
        db.session.scalars(
            sa.select(Appointment)
            .join(Appointment.course)
            .where(
                Course.physician_id.in_(ids),
                Course.status.in_(GOING_ON),
                Appointment.status == AppointmentStatus.BOOKED,
                Appointment.starts_at >= start,
                Appointment.starts_at < end,
            )
            .options(
                joinedload(Appointment.patient),
                joinedload(Appointment.course).options(
                    joinedload(Course.order).selectinload(Order.versions), joinedload(Course.physician)
                ),
            )
            .order_by(Appointment.starts_at)
        ).unique()
    )


def at_a_decision_point(ids: Ids, quiet_since: datetime) -> sa.ColumnElement[bool]:
    """Active courses with no session under way, undecided since their last one, that do not just go on.

    The plan asks for a review after so many sessions; or none is booked, and either all sessions that the order allows
    are over, or nothing has happened since `quiet_since`.
    """
    last = sa.select(sa.func.max(InfusionSession.arrived_at)).where(_OF_COURSE).correlate(Course).scalar_subquery()
    is_booked = sa.exists().where(
        Appointment.course_id == Course.id,
        Appointment.status.in_([AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED]),
    )
    is_under_way = sa.exists().where(_OF_COURSE, InfusionSession.status.not_in(_CLOSED))
    is_decided = sa.exists().where(CourseReview.course_id == Course.id, CourseReview.decided_at >= last)
    return sa.and_(
        Course.physician_id.in_(ids),
        Course.status == CourseStatus.ACTIVE,
        sa.or_(_is_review_due(), sa.and_(sa.or_(_is_used_up(), last < quiet_since), ~is_booked.correlate(Course))),
        ~is_under_way.correlate(Course),
        ~is_decided.correlate(Course),
    )


def _given() -> sa.ScalarSelect[int]:
    """In how many sessions of a course drug was given."""
    given = sa.select(sa.func.count(InfusionSession.id)).where(_OF_COURSE, InfusionSession.status.in_(_GIVEN))
    return given.correlate(Course).scalar_subquery()


def _is_used_up() -> sa.Exists:
    """Every session that the order in force allows was given."""
    used_up = OrderVersion.order_id == Course.order_id, OrderVersion.sessions_allowed <= _given()
    return sa.exists().where(*used_up, OrderVersion.status == OrderStatus.ACTIVE).correlate(Course)


def _is_review_due() -> sa.Exists:
    """The plan asks for a review after as many sessions as were given."""
    listed = "," + sa.type_coerce(Terms.review_after, sa.Text) + ","
    return sa.exists(
        sa.select(OrderVersion.id)
        .join(Terms, Terms.id == OrderVersion.terms_id)
        .where(
            OrderVersion.order_id == Course.order_id,
            OrderVersion.status == OrderStatus.ACTIVE,
            Terms.review_after.is_not(None),
            listed.like("%," + sa.cast(_given(), sa.Text) + ",%"),
        )
    ).correlate(Course)


def courses_to_decide(ids: Ids, quiet_since: datetime) -> list[Course]:
    """The same with patient, physician and order, in the order of their numbers."""
    return list(
        db.session.scalars(
            sa.select(Course)
            .where(at_a_decision_point(ids, quiet_since))
            .options(
                joinedload(Course.patient),
                joinedload(Course.physician),
                joinedload(Course.order).selectinload(Order.versions).joinedload(OrderVersion.terms),
            )
            .order_by(Course.created_at)
        ).unique()
    )


def given_by_order(order_ids: Ids) -> dict[uuid.UUID, int]:
    """In how many sessions drug was given under each order."""
    rows = db.session.execute(
        sa.select(Course.order_id, sa.func.count(InfusionSession.id))
        .join(InfusionSession, InfusionSession.course_id == Course.id)
        .where(Course.order_id.in_(order_ids), InfusionSession.status.in_(USED))
        .group_by(Course.order_id)
    )
    return {row[0]: row[1] for row in rows}


def last_sessions(course_ids: Ids) -> dict[uuid.UUID, InfusionSession]:
    """The latest session of each course."""
    rows = db.session.scalars(
        sa.select(InfusionSession).where(InfusionSession.course_id.in_(course_ids)).order_by(InfusionSession.arrived_at)
    )
    return {row.course_id: row for row in rows}


# --- screening -------------------------------------------------------------------------------------------------------


def unsettled(ids: Ids) -> sa.ColumnElement[bool]:
    """Answers yes or unknown that no physician has settled, of patients of these physicians or of nobody's yet."""
    later = aliased(ScreeningAnswer)
    course = sa.exists().where(Course.patient_id == ScreeningAnswer.patient_id, Course.status.in_(GOING_ON))
    return sa.and_(
        ScreeningAnswer.answer.in_([Answer.YES, Answer.UNKNOWN]),
        ScreeningAnswer.settled_text.is_(None),
        ScreeningAnswer.is_void.is_(False),
        ~sa.exists().where(later.supersedes_id == ScreeningAnswer.id).correlate(ScreeningAnswer),
        sa.exists()
        .where(ScreeningQuestion.id == ScreeningAnswer.question_id, ScreeningQuestion.is_retired.is_(False))
        .correlate(ScreeningAnswer),
        sa.or_(
            course.where(Course.physician_id.in_(ids)).correlate(ScreeningAnswer),
            ~course.correlate(ScreeningAnswer),
        ),
    )


def answers_to_settle(ids: Ids) -> list[ScreeningAnswer]:
    """The same with patient, question and who asked, the oldest first."""
    return list(
        db.session.scalars(
            sa.select(ScreeningAnswer)
            .where(unsettled(ids))
            .options(
                joinedload(ScreeningAnswer.patient),
                joinedload(ScreeningAnswer.question),
                joinedload(ScreeningAnswer.recorded_by),
            )
            .order_by(ScreeningAnswer.recorded_at, ScreeningAnswer.id)
        )
    )


def courses_of_patients(patient_ids: Ids) -> dict[uuid.UUID, Course]:
    """The course that goes on of each patient, the latest begun."""
    rows = db.session.scalars(
        sa.select(Course)
        .where(Course.patient_id.in_(patient_ids), Course.status.in_(GOING_ON))
        .options(joinedload(Course.physician))
        .order_by(Course.created_at)
    )
    return {course.patient_id: course for course in rows}


def unread_answers() -> sa.ColumnElement[bool]:
    """PHQ-9 answers that stand, with the ninth above zero, that no physician has signed as reviewed."""
    later = aliased(OutcomeResult)
    ninth = sa.type_coerce(OutcomeResult.items, sa.JSON)[PHQ9_ITEMS - 1].as_integer()
    return sa.and_(
        OutcomeResult.instrument == Instrument.PHQ9,
        ninth > 0,
        OutcomeResult.is_void.is_(False),
        ~sa.exists().where(later.supersedes_id == OutcomeResult.id).correlate(OutcomeResult),
        ~_is_signed(OutcomeResult.id, OutcomeResult, Meaning.REVIEWED),
    )


def answers_above_zero() -> list[OutcomeResult]:
    """The PHQ-9 answers that wait for a physician, with course, patient and who entered them; the oldest first."""
    return list(
        db.session.scalars(
            sa.select(OutcomeResult)
            .where(unread_answers())
            .options(joinedload(OutcomeResult.course).joinedload(Course.patient), joinedload(OutcomeResult.recorded_by))
            .order_by(OutcomeResult.answered_at, OutcomeResult.id)
        )
    )

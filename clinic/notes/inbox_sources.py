"""What stands in the inbox, kind by kind: the rows of the areas as lines of one list."""

import uuid
from collections.abc import Iterator, Mapping

from clinic.core.times import clock_label, local
from clinic.courses.models import Course
from clinic.courses.rules import CourseStatus
from clinic.notes import cosign_queries as cosigning
from clinic.notes import inbox_queries as queries
from clinic.notes.cosigning import answers_to_return, open_return
from clinic.notes.inbox_items import Desk, InboxItem
from clinic.notes.inbox_rules import (
    GRAVE,
    Group,
    ItemKind,
    OrderSpan,
    age_words,
    gravity_of,
    group_of,
    is_covered,
    outside_words,
    until_words,
)
from clinic.notes.models import Note
from clinic.notes.pages import KIND_WORDS
from clinic.notes.rules import NoteStatus
from clinic.notes.summary_rules import SessionFacts
from clinic.orders.models import OrderVersion
from clinic.orders.rules import OrderStatus, is_signature_overdue
from clinic.orders.wording import OVERDUE
from clinic.outcomes.wording import ninth_answer
from clinic.patients.models import ScreeningAnswer
from clinic.patients.rules import Answer
from clinic.protocols import queries as protocols
from clinic.protocols.rules import ProtocolStatus
from clinic.scheduling.models import Appointment
from clinic.sessions.event_rules import SessionEventKind
from clinic.sessions.models import SessionEvent
from clinic.sessions.pages_log import adverse_title

_NONE = uuid.UUID(int=0)


def notes(desk: Desk) -> Iterator[InboxItem]:
    """Signed notes of others that wait for a co-signature."""
    found = cosigning.notes_to_cosign(desk.person.id)
    grave = queries.gravities(note.infusion_id for note in found if note.infusion_id) if found else {}
    for note in found:
        signed_at = note.signed_at or note.saved_at
        is_mine = note.cosigner_id in desk.people
        returned = open_return(note)
        yield InboxItem(
            note.id,
            ItemKind.NOTE,
            group_of(ItemKind.NOTE, is_open=returned is not None),
            note.patient,
            title="Sent back" if returned else _note_title(note),
            what=f"Session {note.infusion.number}." if note.infusion else "",
            when=desk.when(signed_at),
            side=note.author.name,
            since=signed_at,
            record=note,
            gravity=grave.get(note.infusion_id or _NONE, 0),
            is_mine=is_mine,
            whose=desk.whose(note.cosigner),
            course_id=note.infusion.course_id if note.infusion else None,
            infusion_id=note.infusion_id,
        )


def _note_title(note: Note) -> str:
    return f"{KIND_WORDS[note.kind]}, answered" if answers_to_return(note) else KIND_WORDS[note.kind]


def tell_note(item: InboxItem, facts: SessionFacts) -> InboxItem:
    """Say of a note what its session was like."""
    alert = outside_words(len(facts.outside), len(facts.events))
    what = f"{facts.title[:1].upper()}{facts.title[1:]}."
    return item.saying(what if alert else f"{what} Nothing outside limits, no events.", alert)


def returned(desk: Desk) -> Iterator[InboxItem]:
    """The physician's own notes that were sent back."""
    for note in cosigning.own_notes(desk.person.id):
        back = open_return(note)
        if note.status is NoteStatus.COSIGN_PENDING and back is not None:
            yield InboxItem(
                note.id,
                ItemKind.RETURNED,
                group_of(ItemKind.RETURNED),
                note.patient,
                title="Note sent back to you",
                what=back.reason,
                when=desk.when(back.recorded_at),
                side=back.recorded_by.name,
                since=back.recorded_at,
                record=note,
                course_id=note.infusion.course_id if note.infusion else None,
                infusion_id=note.infusion_id,
            )


def events(desk: Desk) -> Iterator[InboxItem]:
    """Adverse events that nobody has reviewed."""
    for event in queries.unreviewed_events(desk.since):
        gravity = gravity_of(event.grade, is_serious=event.is_serious)
        group = group_of(ItemKind.EVENT, gravity=gravity)
        is_mine = event.infusion.course.physician_id in desk.people
        title = adverse_title(event)
        action = f" {event.action[:1].upper()}{event.action[1:]}." if event.action else ""
        yield InboxItem(
            event.id,
            ItemKind.EVENT,
            group,
            event.patient,
            title="Adverse event",
            what=action.strip() if group is Group.SIGN else f"{title}.{action}",
            alert=f"{title}." if group is Group.SIGN else "",
            when=desk.when(event.onset_at),
            side=event.recorded_by.name,
            since=event.onset_at,
            record=event,
            gravity=gravity,
            is_mine=is_mine,
            whose="" if is_mine else "for any physician",
            course_id=event.infusion.course_id,
            infusion_id=event.infusion_id,
        )


def sent(desk: Desk) -> Iterator[InboxItem]:
    """Notes that were sent from a chair and not read yet."""
    for event in queries.from_the_chair(desk.ids, SessionEventKind.ROW_NOTE):
        yield _from_the_chair(desk, event, ItemKind.SENT, "Note from the chair")


def told(desk: Desk) -> Iterator[InboxItem]:
    """Times that the physician was told of something, as the nurse wrote it down."""
    for event in queries.from_the_chair(desk.ids, SessionEventKind.NOTIFY, desk.since):
        yield _from_the_chair(desk, event, ItemKind.TOLD, "You were told")


def _from_the_chair(desk: Desk, event: SessionEvent, kind: ItemKind, title: str) -> InboxItem:
    reply = f" Your reply: {event.reply}" if event.reply else ""
    return InboxItem(
        event.id,
        kind,
        group_of(kind, is_open=not event.reply),
        event.infusion.patient,
        title=title,
        what=f"{event.text}{reply}",
        when=desk.when(event.happened_at),
        side=event.recorded_by.name,
        since=event.happened_at,
        record=event,
        whose=desk.whose(event.person),
        course_id=event.infusion.course_id,
        infusion_id=event.infusion_id,
    )


def spoken(desk: Desk) -> Iterator[InboxItem]:
    """Orders that were spoken and not signed yet."""
    found = queries.spoken_orders(desk.ids)
    courses = queries.courses_by_version([row.order_version_id for row in found]) if found else {}
    for row in found:
        yield InboxItem(
            row.id,
            ItemKind.SPOKEN,
            group_of(ItemKind.SPOKEN),
            row.patient,
            title=row.title,
            what=f"{row.text.rstrip('. ')}. Spoken {clock_label(row.spoken_at, desk.zone)}.",
            alert=OVERDUE if is_signature_overdue(row.spoken_at, desk.now, desk.sign_within_hours) else "",
            when=desk.when(row.spoken_at),
            side=f"{age_words(row.spoken_at, desk.now)} ago \N{MIDDLE DOT} {row.recorded_by.name}",
            since=row.spoken_at,
            record=row,
            whose=desk.whose(row.spoken_by),
            course_id=courses.get(row.order_version_id),
        )


# --- orders and courses ----------------------------------------------------------------------------------------------


def drafts(desk: Desk) -> Iterator[InboxItem]:
    """Orders to sign; the ones that a booked session waits for come first."""
    courses = queries.courses_by_order([draft.order_id for draft in desk.drafts]) if desk.drafts else {}
    for draft in desk.drafts:
        yield _draft(desk, draft, desk.booked.get(draft.order_id), courses.get(draft.order_id))


def _draft(desk: Desk, draft: OrderVersion, appointment: Appointment | None, course: Course | None) -> InboxItem:
    which = f"Version {draft.number} of the order for {draft.terms.drug.name} is a draft."
    if appointment is not None:
        which = f"Session {appointment.session_number} is booked. {which}"
    is_own = draft.drafted_by_id == desk.person.id
    back = draft.open_return
    is_elsewhere = back is not None and draft.drafted_by_id not in desk.people
    title = "Order to sign"
    if back is not None:
        title, which = "Order sent back" if is_elsewhere else "Order sent back to you", back.reason
    return InboxItem(
        draft.id,
        ItemKind.ORDER,
        group_of(ItemKind.ORDER, is_before_a_session=appointment is not None, is_open=is_elsewhere),
        draft.order.patient,
        title=title,
        what=which,
        when=desk.day(appointment.starts_at) if appointment else desk.when(draft.drafted_at),
        side=until_words(appointment.starts_at, desk.now)
        if appointment
        else ("drafted by you" if is_own else draft.drafted_by.name),
        since=appointment.starts_at if appointment else draft.drafted_at,
        record=draft,
        whose="" if draft.drafted_by_id == desk.person.id or course is None else desk.whose(course.physician),
        is_soon=appointment is not None,
        course_id=course.id if course else None,
    )


def gaps(desk: Desk) -> Iterator[InboxItem]:
    """Booked sessions on whose day no signed order is in force and for which none is drafted."""
    drafted = {draft.order_id for draft in desk.drafts}
    for order_id, appointment in desk.booked.items():
        is_held = appointment.course.status is CourseStatus.ON_HOLD
        is_written = order_id in drafted or appointment.course.order.waiting is not None
        if is_written or is_held or _is_covered(desk, appointment):
            continue
        what = f"Session {appointment.session_number} is booked; no signed order covers that day."
        yield _booked(desk, appointment, ItemKind.RENEW, "Order to renew", what)


def held(desk: Desk) -> Iterator[InboxItem]:
    """Courses on hold whose next session is booked: resume, or give the place away."""
    for appointment in desk.booked.values():
        if appointment.course.status is CourseStatus.ON_HOLD:
            what = f"The course is on hold and session {appointment.session_number} is booked."
            yield _booked(desk, appointment, ItemKind.DECISION, "Course to decide", what)


def _booked(desk: Desk, appointment: Appointment, kind: ItemKind, title: str, what: str) -> InboxItem:
    return InboxItem(
        appointment.id,
        kind,
        group_of(kind, is_before_a_session=True),
        appointment.patient,
        title=title,
        what=what,
        when=desk.day(appointment.starts_at),
        side=until_words(appointment.starts_at, desk.now),
        since=appointment.starts_at,
        record=appointment,
        whose=desk.whose(appointment.course.physician),
        is_soon=True,
        course_id=appointment.course_id,
    )


def _is_covered(desk: Desk, appointment: Appointment) -> bool:
    spans = [
        OrderSpan(
            version.status is OrderStatus.ACTIVE, version.valid_from, version.valid_until, version.sessions_allowed
        )
        for version in appointment.course.order.versions
    ]
    # The order counts sessions that are given, not their numbers: one that was missed leaves its place to the next.
    number = desk.given.get(appointment.course.order_id, 0) + 1
    return is_covered(spans, local(appointment.starts_at, desk.zone).date(), number)


def decisions(desk: Desk) -> Iterator[InboxItem]:
    """Courses at a decision point: on hold before a booked session, or at their end or a standstill, undecided."""
    yield from held(desk)
    courses = queries.courses_to_decide(desk.ids, desk.quiet_since)
    last = queries.last_sessions([course.id for course in courses]) if courses else {}
    given = queries.given_by_order([course.order_id for course in courses]) if courses else {}
    for course in courses:
        session = last[course.id]
        current = course.order.current
        planned = f" of {current.terms.sessions_planned}" if current and current.terms.sessions_planned else ""
        is_asked = current and given.get(course.order_id, 0) in (current.terms.review_after or ())
        yield InboxItem(
            course.id,
            ItemKind.DECISION,
            group_of(ItemKind.DECISION),
            course.patient,
            title="Course to decide",
            what=f"Session {session.number}{planned} is over: "
            + ("the plan asks for a review before the next." if is_asked else "none is booked."),
            when=desk.when(session.arrived_at),
            side=f"course {course.number}",
            since=session.arrived_at,
            record=course,
            whose=desk.whose(course.physician),
            course_id=course.id,
            infusion_id=session.id,
        )


# --- screening -------------------------------------------------------------------------------------------------------


def answers(desk: Desk) -> Iterator[InboxItem]:
    """Answers of patients that ask for a physician at once: of nobody's course alone, whoever is there reads them."""
    for result in queries.answers_above_zero():
        is_mine = result.course.physician_id in desk.people
        yield InboxItem(
            result.id,
            ItemKind.ANSWER,
            group_of(ItemKind.ANSWER),
            result.course.patient,
            title="PHQ-9, answer 9",
            what="",
            alert=f"{ninth_answer(result)}.",
            when=desk.when(result.answered_at),
            side=result.recorded_by.name,
            since=result.answered_at,
            record=result,
            gravity=GRAVE,
            is_mine=is_mine,
            whose="" if is_mine else "for any physician",
            course_id=result.course_id,
        )


def screening(desk: Desk) -> Iterator[InboxItem]:
    """Answers to screening questions that a physician has to settle."""
    answers = queries.answers_to_settle(desk.ids)
    if not answers:
        return
    courses = queries.courses_of_patients({answer.patient_id for answer in answers})
    booked = {appointment.patient_id: appointment for appointment in desk.booked.values()}
    for answer in answers:
        yield _answer(desk, answer, booked.get(answer.patient_id), courses)


def _answer(
    desk: Desk, answer: ScreeningAnswer, appointment: Appointment | None, courses: Mapping[uuid.UUID, Course]
) -> InboxItem:
    course = courses.get(answer.patient_id)
    detail = f" {answer.detail}" if answer.detail else ""
    word = "Unknown." if answer.answer is Answer.UNKNOWN else "Yes."
    return InboxItem(
        answer.id,
        ItemKind.SCREENING,
        group_of(ItemKind.SCREENING, is_before_a_session=appointment is not None),
        answer.patient,
        title="Screening to settle",
        what=f"{answer.question.text} {word}{detail}",
        when=desk.day(appointment.starts_at) if appointment else desk.when(answer.recorded_at),
        side=until_words(appointment.starts_at, desk.now) if appointment else answer.recorded_by.name,
        since=appointment.starts_at if appointment else answer.recorded_at,
        record=answer,
        is_mine=course is not None,
        is_soon=appointment is not None,
        whose=desk.whose(course.physician if course else None),
        course_id=course.id if course else None,
    )


def protocols_in_review(desk: Desk) -> Iterator[InboxItem]:
    """Versions of protocols that this physician may sign into use."""
    for version in protocols.in_review(desk.person.id):
        since = max(step.recorded_at for step in version.steps if step.to_status is ProtocolStatus.REVIEW)
        yield InboxItem(
            version.id,
            ItemKind.PROTOCOL,
            group_of(ItemKind.PROTOCOL),
            None,
            title="Protocol in review",
            what=f"Version {version.number} waits to be signed into use.",
            when=desk.when(since),
            side=version.drafted_by.name,
            since=since,
            record=version,
            is_mine=False,
            whose="for any physician",
            about=version.protocol.name,
        )

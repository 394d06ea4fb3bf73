"""What the check code of a printed course, of printed notes and of a letter is over."""

from collections.abc import Mapping, Sequence

from clinic.core.rows import all_columns, columns
from clinic.notes.course_review import CourseReview
from clinic.notes.models import Note
from clinic.notes.operations import content_of
from clinic.notes.rules import SIGNED
from clinic.sessions.models import InfusionSession


def notes_content(infusion: InfusionSession, notes: Sequence[Note]) -> Mapping[str, object]:
    """Return what the signed notes of a session say, and how far each is signed."""
    signed = sorted((note for note in notes if note.status in SIGNED), key=lambda note: note.id)
    return {
        "session": infusion.id,
        "notes": [{**content_of(note), "status": note.status, "cosigned_at": note.cosigned_at} for note in signed],
    }


def course_content(review: CourseReview) -> Mapping[str, object]:
    """Return what the review of a course is told from: its orders, sessions, bookings, answers and decisions."""
    return {
        "course": columns(review.course),
        "orders": [version.signature.digest for version in review.course.order.versions if version.signature],
        "sessions": [_session(column.infusion) for column in review.columns],
        "notes": [(column.note.id, column.note.status) if column.note else None for column in review.columns],
        "booked": all_columns(review.booked),
        "answers": all_columns(review.results),
        "decisions": all_columns(review.course.reviews),
    }


def _session(infusion: InfusionSession) -> Mapping[str, object]:
    return {
        "session": columns(infusion),
        "pump": all_columns(infusion.administrations),
        "as-needed doses": all_columns(infusion.prn_doses),
        "vitals": all_columns(infusion.observation_sets),
        "events": all_columns(infusion.events),
        "adverse events": all_columns(infusion.adverse_events),
        "discharge": columns(infusion.discharge) if infusion.discharge else None,
    }

"""What a letter to the referrer tells: the course as the record has it, without a word of judgement.

What nobody recorded says so. The facts are plain text in plain lists, so that they can be signed and read again as they
were, whatever happens to the record or to this code.
"""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from clinic.core.formats import minutes
from clinic.core.times import date_label, local
from clinic.courses.models import Course
from clinic.courses.pages import DECISION_WORDS, STATUS_LOOKS
from clinic.notes.course_review import CourseReview, SessionColumn
from clinic.notes.summary_rules import shown_mg
from clinic.orders.models import OrderVersion
from clinic.outcomes.wording import score_lines
from clinic.protocols import wording
from clinic.protocols.terms import draft_of


def letter_facts(review: CourseReview, zone: ZoneInfo) -> Mapping[str, object]:
    """Return the facts of a course: pairs of label and words, and rows of sessions, scores and decisions."""
    return {
        "pairs": _pairs(review, zone),
        "sessions": [_session(column, zone) for column in review.columns],
        "scores": [[line.name, line.baseline, line.latest, line.change] for line in score_lines(review.results)],
        "decisions": [
            [
                date_label(local(decided.decided_at, zone).date()),
                DECISION_WORDS[decided.decision],
                decided.text,
                decided.recorded_by.name,
            ]
            for decided in review.course.reviews
        ],
    }


def _pairs(review: CourseReview, zone: ZoneInfo) -> list[list[str]]:
    course = review.course
    version = _last_signed(course)
    pairs = [
        ["Course", f"{course.number}, {STATUS_LOOKS[course.status][1].lower()}"],
        ["Indication", course.indication],
        ["Goal", course.goal or ""],
        ["Physician", course.physician.name],
        ["Drug", version.terms.drug.name if version else ""],
        ["Last signed order", _sentence(version) if version else "none"],
        ["Sessions given", _given(review, zone)],
    ]
    return [[label, words] for label, words in pairs if words]


def _last_signed(course: Course) -> OrderVersion | None:
    return next((version for version in reversed(course.order.versions) if version.signature is not None), None)


def _sentence(version: OrderVersion) -> str:
    return wording.sentence(
        draft_of(version.terms), drug_name=version.terms.drug.name, weight_kg=version.weight_used_kg
    )


def _given(review: CourseReview, zone: ZoneInfo) -> str:
    starts = [column.going.started_at for column in review.columns if column.going.started_at is not None]
    of = f" of {review.planned} planned" if review.planned else ""
    if not starts:
        return f"none{of}"
    first, last = (date_label(local(at, zone).date()) for at in (min(starts), max(starts)))
    return f"{len(starts)}{of}, {first}" + (f" to {last}" if last != first else "")


def _session(column: SessionColumn, zone: ZoneInfo) -> list[str]:
    """Number, day, given, time, pain before and after, events, and what the patient said afterwards."""
    facts, going = column.facts, column.going
    day = date_label(local(going.started_at or column.infusion.arrived_at, zone).date())
    if going.started_at is None:
        reason = f"not done: {facts.not_done_reason}" if facts.not_done_reason else "not started"
        return [str(facts.number), day, reason, "", "", facts.event_words, ""]
    return [
        str(facts.number),
        day,
        shown_mg(facts.given_mg) + ("" if going.stopped_at else " so far"),
        minutes(going.run_minutes),
        f"{_score(facts.pain_before)} to {_score(facts.pain_after)}",
        facts.event_words or "none recorded",
        column.relief or "not recorded",
    ]


def _score(value: int | None) -> str:
    return "not taken" if value is None else str(value)

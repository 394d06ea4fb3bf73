"""The letter to the referrer: made from the record and signed in one act."""

from collections.abc import Mapping
from datetime import datetime

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission
from clinic.courses.models import Course
from clinic.notes.models import Letter
from clinic.signatures import operations as signatures
from clinic.signatures.rules import Meaning, canonical, digest


def letter_content(letter: Letter) -> Mapping[str, object]:
    """Return what the signature on a letter is over."""
    return {
        "letter": letter.id,
        "patient": letter.patient_id,
        "course": letter.course_id,
        "to": letter.addressee,
        "facts": letter.facts,
        "text": letter.text,
        "author": letter.recorded_by_id,
    }


def seen_mark(facts: Mapping[str, object]) -> str:
    """Return the mark of the facts that a page shows, for the form to bring back."""
    return digest(canonical(facts))


def _refuse(by: Staff, addressee: str, *, is_read: bool) -> None:
    if not by.may(Permission.DECIDE_COURSE):
        raise RuleBroken("A physician signs a letter.")
    if not addressee.strip():
        raise RuleBroken("Say to whom the letter goes", field="addressee")
    if not is_read:
        raise RuleBroken("The record changed since you opened this page. Nothing was signed. Read the letter again.")


def sign_letter(
    course: Course,
    facts: Mapping[str, object],
    addressee: str,
    text: str,
    *,
    seen: str,
    by: Staff,
    password: str,
    at: datetime,
) -> Letter:
    """Sign a letter with the facts of the record as they are now, and what its author adds.

    Raises RuleBroken where the facts are not those that were `seen`, for a wrong password and without an addressee.
    """
    _refuse(by, addressee, is_read=seen == seen_mark(facts))
    letter = Letter(
        patient_id=course.patient_id,
        course_id=course.id,
        addressee=addressee.strip(),
        facts=canonical(facts),
        text=text.strip() or None,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(letter)
    db.session.flush()  # the signature names it
    signatures.sign(
        letter,
        letter_content(letter),
        meaning=Meaning.AUTHOR,
        by=by,
        password=password,
        at=at,
        patient_id=letter.patient_id,
    )
    audit.record(AuditAction.LETTER_SIGNED, letter, actor_id=by.id, at=at, course_id=course.id, to=letter.addressee)
    return letter

"""Letters to the referrer about a course: read from the record, signed, printed."""

import json
import uuid

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, pdf
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, same_patient
from clinic.courses import queries as course_queries
from clinic.courses.models import Course
from clinic.notes import operations_letter as operations
from clinic.notes import queries
from clinic.notes import referrers as keeping
from clinic.notes.course_review import course_review
from clinic.notes.forms import LetterForm, ReferrerForm, WithdrawForm
from clinic.notes.letter_facts import letter_facts
from clinic.notes.models import Referrer
from clinic.notes.pages import signature_view
from clinic.notes.views_shared import bp, zone
from clinic.sessions.pages_patient import patient_bar
from clinic.signatures.printing import printed
from clinic.signatures.queries import signatures_of


def _letter_form() -> LetterForm:
    form = LetterForm()
    form.offer(queries.referrers())
    return form


def _draw(course: Course, form: LetterForm | None) -> str:
    reading.note(AuditAction.COURSE_READ, course, actor_id=actor().id, page="letters")
    now = clock.now()
    facts = letter_facts(course_review(course, actor(), zone=zone(), now=now), zone())
    return render_template(
        "notes/letters.html",
        course=course,
        bar=patient_bar(course.patient, weight=None, chair=None, now=now, zone=zone()),
        facts=facts,
        seen=operations.seen_mark(facts),
        letters=queries.letters_of_course(course.id),
        form=form,
    )


@bp.get("/courses/<uuid:course_id>/letters")
@requires(Permission.READ_COURSE)
def show_letters(course_id: uuid.UUID) -> ResponseReturnValue:
    """The letters about a course, and for a physician the next one as the record tells it today."""
    course = course_queries.review_page(course_id) or abort(404)
    return _draw(course, _letter_form() if actor().may(Permission.DECIDE_COURSE) else None)


@bp.post("/courses/<uuid:course_id>/letters")
@requires(Permission.DECIDE_COURSE)
def sign_letter(course_id: uuid.UUID) -> ResponseReturnValue:
    """Sign the letter that was read."""
    course = course_queries.review_page(course_id) or abort(404)
    same_patient(course.patient_id)
    form = _letter_form()
    if form.validate_on_submit():
        at = clock.now()
        try:
            operations.sign_letter(
                course,
                letter_facts(course_review(course, actor(), zone=zone(), now=at), zone()),
                form.address(),
                form.text.data or "",
                seen=request.form.get("seen", ""),
                by=actor(),
                password=form.password.data or "",
                at=at,
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash("Letter signed")
            return redirect(url_for(".show_letters", course_id=course_id), 303)
    return _draw(course, form), 422


@bp.get("/letters/<uuid:letter_id>/print")
@requires(Permission.READ_COURSE)
def print_letter(letter_id: uuid.UUID) -> ResponseReturnValue:
    """A signed letter on paper, as it was signed."""
    letter = queries.letter(letter_id) or abort(404)
    content = operations.letter_content(letter)
    sheet = render_template(
        "notes/print_letter.html",
        letter=letter,
        facts=json.loads(letter.facts),
        signatures=[signature_view(each, content, zone()) for each in signatures_of(letter.id)],
        bar=patient_bar(letter.patient, weight=None, chair=None, now=clock.now(), zone=zone()),
        code=printed(AuditAction.LETTER_PRINTED, letter, content, page="letter"),
    )
    return pdf.answer(sheet, name=f"letter-course-{letter.course.number}")


# --- the clinic's referrers ------------------------------------------------------------------------------------------


def _referrers_page(form: ReferrerForm | None = None, why: WithdrawForm | None = None) -> str:
    return render_template(
        "notes/referrers.html",
        referrers=queries.referrers(),
        form=form or ReferrerForm(formdata=None),
        why=why or WithdrawForm(formdata=None),
    )


@bp.get("/clinic/referrers")
@requires(Permission.WRITE_NOTE)
def show_referrers() -> ResponseReturnValue:
    """Those who refer patients to the clinic."""
    return _referrers_page()


@bp.post("/clinic/referrers")
@requires(Permission.WRITE_NOTE)
def add_referrer() -> ResponseReturnValue:
    """Add somebody to the list."""
    form = ReferrerForm()

    def save() -> Referrer:
        return keeping.add_referrer(
            form.name.data or "", form.practice.data, form.address.data, by=actor(), at=clock.now()
        )

    if attempt(form, save) is None:
        return _referrers_page(form), 422
    flash("Added to the list")
    return redirect(url_for(".show_referrers"), 303)


@bp.post("/clinic/referrers/<uuid:referrer_id>/withdraw")
@requires(Permission.WRITE_NOTE)
def withdraw_referrer(referrer_id: uuid.UUID) -> ResponseReturnValue:
    """Take somebody off the list, with the reason."""
    referrer = next((each for each in queries.referrers() if each.id == referrer_id), None) or abort(404)
    form = WithdrawForm()

    def save() -> Referrer:
        return keeping.withdraw_referrer(referrer, reason=form.reason.data or "", by=actor(), at=clock.now())

    if attempt(form, save) is None:
        return _referrers_page(why=form), 422
    flash("Taken off the list")
    return redirect(url_for(".show_referrers"), 303)

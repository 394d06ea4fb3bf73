"""The next order beside the course: the values that change most often, marked against the order in force."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from clinic.accounts.models import Staff
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.forms import typed
from clinic.courses import operations as courses
from clinic.courses.models import Course
from clinic.courses.pages import Reading, dosing_weight, order_values, read_terms
from clinic.courses.pages_conflict import frame_changes
from clinic.courses.rules import CourseStatus
from clinic.notes.course_review import CourseReview
from clinic.notes.forms import NextOrderForm
from clinic.orders import operations as orders
from clinic.orders.models import OrderVersion
from clinic.protocols import wording
from clinic.protocols.comparison import Difference, differences, was_texts
from clinic.protocols.limit_words import LEVEL_WORDS, VITAL_WORDS, limit_cell, limit_lines
from clinic.protocols.rules import LimitLevel, Vital
from clinic.protocols.terms import TermsDraft, draft_of
from clinic.protocols.terms_form import limit_name
from clinic.scheduling.models import Appointment
from clinic.sessions.readiness import sessions_used
from clinic.signatures import operations as signatures
from clinic.signatures.rules import seen_code

_STEPS: Final = (
    "start_amount",
    "session_amounts",
    "step_amount",
    "step_every_min",
    "highest_amount",
    "maximum_total_mg",
)
_STEADY: Final = ("start_amount", "session_amounts", "duration_min", "maximum_rate", "maximum_total_mg")


@dataclass(frozen=True)
class NextOrder:
    """What stands beside the course. `was` says for each field that differs what it was.

    `elsewhere` is what a draft changes besides the fields, `unchanged` the words of what stays.
    """

    form: NextOrderForm
    fields: list[tuple[Any, str]]
    was: dict[str, str]
    elsewhere: list[Difference]
    unchanged: str
    reads: Reading | None
    draft: OrderVersion | None
    session: Appointment | None
    rest: str


def offered(course: Course, review: CourseReview, reader_may: bool) -> bool:  # noqa: FBT001 a permission's answer
    """Whether the next order is written beside this course: one is in force, and the course goes on."""
    is_free = review.version is not None and review.waiting is None
    return reader_may and is_free and course.status in {CourseStatus.ACTIVE, CourseStatus.ON_HOLD}


def next_form(review: CourseReview, before: OrderVersion, *, is_sent: bool) -> NextOrderForm:
    """The form as it was sent, or drawn from what is being written, else from the order in force."""
    source = review.draft or before
    weight = dosing_weight(review.course.patient)
    values = order_values(source) | {"weight_id": str(weight.id) if weight else "", "before_id": str(before.id)}
    if review.draft is None:
        values["change_reason"] = None
    else:
        values["is_for_rest"] = review.draft.sessions_allowed == review.draft.terms.sessions_planned
    form = NextOrderForm(data=values) if is_sent else NextOrderForm(formdata=None, data=values)
    form.keep_only(_names(draft_of(before.terms), draft_of(source.terms)))
    return form


def _names(*drafts: TermsDraft) -> list[str]:
    """The fields that one of the orders fills: the rates, the session's maximum, the systolic that is told of."""
    plain = _STEPS if any(draft.step_amount is not None for draft in drafts) else _STEADY
    found = [name for name in plain if any(getattr(draft, name) is not None for draft in drafts)]
    levels = {limit.level for draft in drafts for limit in draft.limits if limit.vital is Vital.SBP}
    told = next((level for level in (LimitLevel.NOTIFY, LimitLevel.HOLD, LimitLevel.START) if level in levels), None)
    return [*found, limit_name(told, Vital.SBP)] if told else found


def written_draft(form: NextOrderForm, source: OrderVersion) -> TermsDraft:
    """The terms of an order with the values of the form."""
    draft = draft_of(source.terms)
    cells = {(cell.level, cell.vital): cell.data or () for cell in form.limit_cells()}
    limits = [
        limit
        for level in LimitLevel
        for vital in Vital
        for limit in cells.get(
            (level, vital), [row for row in draft.limits if (row.level, row.vital) == (level, vital)]
        )
    ]
    return dataclasses.replace(draft, **{name: form[name].data for name in _plain(form)}, limits=tuple(limits))


def _plain(form: NextOrderForm) -> list[str]:
    return [name for name in dict.fromkeys((*_STEPS, *_STEADY)) if name in form]


def next_order(review: CourseReview, before: OrderVersion, form: NextOrderForm) -> NextOrder:
    """What the page shows of the form: units, what changed, what stays, what stands against signing.

    The form brings back what stands here besides its fields, as it is drawn now.
    """
    form.shown.data = seen_code(_shown(review, before))
    source = review.draft or before
    old, new = draft_of(before.terms), written_draft(form, source)
    fields = [(form[name], wording.unit_label(new, name)) for name in _plain(form)]
    fields += [(cell, cell.unit) for cell in form.limit_cells()]
    drug = source.terms.drug
    is_readable = not any(field.errors for field, _ in fields)
    weight = dosing_weight(review.course.patient)
    bounds = courses.bounds(review.course)
    drugs = (wording.drug_text(before.terms.drug), wording.drug_text(drug))
    return NextOrder(
        form,
        fields,
        {name: text for name, text in was_texts(old, new, word="was").items() if name in form} | _limits_was(old, form),
        [*differences(written_draft(form, before), new, drugs=drugs), *frame_changes(before, source)],
        _unchanged(old, new, form),
        read_terms(
            review.course.patient,
            new,
            drug,
            weight,
            source.valid_until,
            protocol=bounds,
            dosing=source.dosing_weight,
        )
        if is_readable
        else None,
        review.draft,
        review.booked[0] if review.booked else None,
        _rest(review, new),
    )


def _shown(review: CourseReview, before: OrderVersion) -> Mapping[str, object]:
    """What the page says besides the fields: the sessions it is for, from which day to which, the weight to dose on."""
    session, source = review.booked[0] if review.booked else None, review.draft or before
    dosing = source.dosing_weight
    return {
        "session": (session.id, session.session_number) if session else None,
        "rest": _rest(review, draft_of(source.terms)),
        "valid": (source.valid_from, source.valid_until),
        "dosing": (dosing.kg, dosing.basis, dosing.on) if dosing else None,
    }


def _limits_was(old: TermsDraft, form: NextOrderForm) -> dict[str, str]:
    found = {}
    for cell in form.limit_cells():
        before = limit_cell(old.limits, cell.level, cell.vital)
        if before != limit_cell(cell.data or (), cell.level, cell.vital):
            found[cell.name] = f"was {before or 'none'}"
    return found


def _unchanged(old: TermsDraft, new: TermsDraft, form: NextOrderForm) -> str:
    """Return what an order says besides the fields and still says: "1 mg per mL, notify: SpO2 at least 94%, …"."""

    def said(draft: TermsDraft) -> list[str]:
        plain = [name for name in ("concentration_mg_ml", "duration_min") if name not in form]
        limits = [
            f"{LEVEL_WORDS[level].lower()}: {VITAL_WORDS[vital][0]} {text}"
            for level, vital, text in limit_lines(draft.limits)
            if limit_name(level, vital) not in form
        ]
        medicines = [f"{item.drug_name} as needed" for item in draft.prn_items]
        return [text for text in (*(wording.value_text(draft, name) for name in plain), *limits, *medicines) if text]

    after, words, level = said(new), [], ""
    for text in dict.fromkeys(text for text in said(old) if text in after):
        before, level = level, text.partition(": ")[0]
        words.append(text.removeprefix(f"{level}: ") if level == before else text)
    return ", ".join(words)


def _rest(review: CourseReview, draft: TermsDraft) -> str:
    """Return the sessions that follow the next one, "6" or "6 to 8"; empty when there are none or nobody knows."""
    if not review.booked or draft.sessions_planned is None:
        return ""
    first, last = review.booked[0].session_number + 1, draft.sessions_planned
    return "" if first > last else str(first) if first == last else f"{first} to {last}"


def write(
    review: CourseReview, before: OrderVersion, form: NextOrderForm, *, drawn: int | None, by: Staff, at: datetime
) -> OrderVersion:
    """Keep what was written as the draft of the next version; somebody else's draft or signature is a conflict.

    So are other sessions, other days and another weight to dose on than the page said.
    """
    weight = dosing_weight(review.course.patient)
    if (form.weight_id.data or "") != (str(weight.id) if weight else ""):
        raise RuleBroken("The patient was weighed since this page was drawn. Read the order again.")
    if form.before_id.data != str(before.id) or (drawn is None) != (review.draft is None):
        raise Conflict("Somebody else wrote or signed a version meanwhile. Nothing of yours was signed or saved.")
    signatures.refuse_unseen(form.shown.data or "", _shown(review, before), "What this order is for")
    source = review.draft or before
    draft = written_draft(form, source)
    frame: dict[str, Any] = {
        "weight": weight,
        "dosing": source.dosing_weight,
        "valid_from": source.valid_from,
        "valid_until": source.valid_until,
        "sessions_allowed": _allowed(review, draft, is_for_rest=form.is_for_rest.data),
    }
    if review.draft is None:
        return courses.adjust(review.course, draft, reason=form.change_reason.data or "", by=by, at=at, **frame)
    orders.revise(
        review.draft, draft, change_reason=form.change_reason.data, drawn_version=drawn, by=by, at=at, **frame
    )
    return review.draft


def _allowed(review: CourseReview, draft: TermsDraft, *, is_for_rest: bool) -> int | None:
    """Return for how many sessions of the course the order holds: one more than were given, or as many as planned.

    Sessions are counted, not their numbers: the third to be given may be session 4, when another was missed.
    """
    if is_for_rest or not review.booked or draft.sessions_planned is None:
        return draft.sessions_planned
    return sessions_used(review.course.order_id) + 1


def tell_both(conflict: Conflict, saved: OrderVersion, form: NextOrderForm) -> None:
    """Put both sides on a conflict: the values as written, and as the order says them by now."""
    said = draft_of(saved.terms)
    fields = [form[name] for name in _plain(form)]
    conflict.mine = [
        *((field.label.text, typed(field)) for field in fields),
        ("Why the order changes", form.change_reason.data or ""),
    ]
    conflict.theirs = [(field.label.text, wording.value_text(said, field.name) or "–") for field in fields]

"""The physician's inbox: one list of what waits, the chosen item beside it, signed where it is read."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.core import clock, db
from clinic.core.errors import Conflict
from clinic.core.forms import Form
from clinic.core.permissions import Permission, requires
from clinic.core.requests import INBOX_ENDS, attempt, same_patient
from clinic.core.times import clock_label
from clinic.courses import operations as courses
from clinic.courses import queries as course_queries
from clinic.notes import operations, operations_review
from clinic.notes.cosigning import open_return
from clinic.notes.forms import PasswordForm, ReadForm, SendBackForm, SettleForm
from clinic.notes.inbox import KINDS, Inbox, Page, inbox, page
from clinic.notes.inbox_items import InboxItem
from clinic.notes.inbox_rules import Group, ItemKind, age_words, grouped
from clinic.notes.models import Note, NoteReturn
from clinic.notes.pages import beside_what_was_read
from clinic.notes.summary_rules import shown_mg
from clinic.notes.views_shared import bp, link, zone
from clinic.orders import operations as orders
from clinic.orders import queries as order_queries
from clinic.orders.models import OrderVersion, VerbalOrder
from clinic.patients import queries as patients
from clinic.patients import screening
from clinic.patients.rules import AllergyKind, allergy_status
from clinic.protocols import comparison, wording
from clinic.protocols import queries as protocols
from clinic.protocols.models import ProtocolVersion
from clinic.protocols.terms import draft_of
from clinic.sessions.chart import PHONE, SHEET, TABLET, Chart, ChartInput, draw
from clinic.sessions.models import InfusionSession
from clinic.sessions.pages_chart import chart_input
from clinic.sessions.pages_words import vitals_sentence
from clinic.sessions.progress import progress
from clinic.signatures.rules import seen_code

# The preview's own widths: what the list leaves on a tablet and on a desk's screen.
_TABLET = replace(SHEET, screen="for-t", width=664)
_DESKTOP = replace(TABLET, screen="for-d")


@dataclass(frozen=True)
class Act:
    """What a physician does with an item where it is read: the verb on the button, the form, and the operation.

    `shows` is what the page shows of a record that others may add to: the form brings its hash back.
    """

    verb: str
    done: str
    form: type[Form]
    do: Callable[[InboxItem, Any], object]
    shows: Callable[[Any], Mapping[str, object]] | None = None


def _seen() -> str:
    """The hash of what the page showed, as its form brings it back."""
    return request.form.get("seen", "")


def _cosign(item: InboxItem, form: PasswordForm) -> None:
    note: Note = item.record
    try:
        operations.cosign_note(note, by=actor(), password=form.password.data or "", at=clock.now(), seen=_seen())
    except Conflict as conflict:
        beside_what_was_read(conflict, note, _seen())
        conflict.saved_url = url_for(".show_item", item_id=note.id)
        raise


def _confirm(item: InboxItem, form: PasswordForm) -> None:
    spoken: VerbalOrder = item.record
    try:
        orders.sign_verbal_order(spoken, by=actor(), password=form.password.data or "", at=clock.now(), seen=_seen())
    except Conflict as conflict:
        conflict.theirs = [(spoken.title, spoken.text)]
        conflict.saved_url = url_for(".show_item", item_id=spoken.id)
        raise


def _cosign_order(item: InboxItem, form: PasswordForm) -> None:
    version: OrderVersion = item.record
    course = course_queries.course(item.course_id) if item.course_id else None
    try:
        courses.cosign_order(
            course or abort(404),
            version,
            by=actor(),
            password=form.password.data or "",
            at=clock.now(),
            seen=_seen(),
        )
    except Conflict as conflict:
        conflict.saved_url = url_for(".show_item", item_id=version.id)
        raise


def _review(item: InboxItem, form: PasswordForm) -> None:
    operations_review.review_adverse_event(item.record, by=actor(), password=form.password.data or "", at=clock.now())


def _answered(item: InboxItem, form: PasswordForm) -> None:
    operations_review.review_answer(item.record, by=actor(), password=form.password.data or "", at=clock.now())


def _read(item: InboxItem, form: ReadForm) -> None:
    operations_review.review_sent_note(
        item.record, by=actor(), password=form.password.data or "", at=clock.now(), reply=form.reply.data
    )


def _settle(item: InboxItem, form: SettleForm) -> None:
    screening.settle_screening(item.record, form.settled_text.data or "", by=actor(), at=clock.now())


ACTS = {
    ItemKind.NOTE: Act("Co-sign", "Note co-signed", PasswordForm, _cosign, operations.seen_content),
    ItemKind.COSIGN_ORDER: Act("Co-sign", "Order co-signed", PasswordForm, _cosign_order, orders.version_content),
    ItemKind.SPOKEN: Act("Sign", "Spoken order signed", PasswordForm, _confirm, orders.verbal_content),
    ItemKind.EVENT: Act("Reviewed", "Adverse event reviewed", PasswordForm, _review),
    ItemKind.SENT: Act("Read", "Note read", ReadForm, _read),
    ItemKind.TOLD: Act("Read", "Note read", ReadForm, _read),
    ItemKind.SCREENING: Act("Settle", "Answer settled", SettleForm, _settle),
    ItemKind.ANSWER: Act("Reviewed", "Answer reviewed", PasswordForm, _answered),
}


# --- the page --------------------------------------------------------------------------------------------------------


def _inbox() -> Inbox:
    return inbox(actor(), zone=zone(), now=clock.now())


def _draw(found: Inbox, chosen: InboxItem | None, form: Form | None = None, back: SendBackForm | None = None) -> str:
    """Draw the page of the list that holds the chosen item, or the one that was asked for with its first item."""
    show_all = "all" in request.args or (chosen is not None and chosen.group is Group.INFORMATION)
    drawn = page(found, chosen, request.args.get("page", 1, type=int), show_all=show_all, zone=zone(), now=clock.now())
    item = drawn.item
    if item is not None:
        reads = KINDS[item.kind].reads
        if reads is not None and item.patient is not None:
            reading.note(reads, item.record, actor_id=actor().id, patient_id=item.patient.id, page="inbox")
    act = ACTS.get(item.kind) if item else None
    return render_template(
        "notes/inbox.html",
        inbox=found,
        page=drawn,
        groups=grouped(drawn.items),
        totals={group: len(items) for group, items in grouped(found.items).items()},
        Group=Group,
        item=item,
        is_chosen=chosen is not None,
        show_all=show_all,
        oldest=_oldest(found),
        act=act,
        form=form or (act.form(formdata=None) if act else None),
        seen=seen_code(act.shows(item.record)) if item and act and act.shows else "",
        back=_back(item, back),
        may_send_back=item is not None and item.kind is ItemKind.NOTE and open_return(item.record) is None,
        lead=_lead(item, _place_after(found, item)) if item else None,
        go_on=_place_after(found, item) if item else None,
        age=lambda each: age_words(each.since, clock.now()) if each.since <= clock.now() else "",
        link=link,
        **(_preview(drawn, item) if item is not None else {}),
    )


def _back(item: InboxItem | None, refused: SendBackForm | None) -> SendBackForm | None:
    """The form that sends a note back, once it was asked for."""
    if refused is not None or item is None or item.kind is not ItemKind.NOTE or "back" not in request.args:
        return refused
    return SendBackForm(formdata=None)


def _place_after(found: Inbox, item: InboxItem) -> str:
    """Where the inbox goes on once this item is done on another page."""
    following = found.after(item.id)
    return str(following.id) if following else INBOX_ENDS


def _lead(item: InboxItem, go_on: str) -> tuple[str, str] | None:
    """The verb and the page on which an item is done that is not done beside the list."""
    course: dict[str, Any] = {"course_id": item.course_id, "inbox": go_on}
    match item.kind:
        case ItemKind.RETURNED:
            return "Answer in the note", url_for(".show_session_note", infusion_id=item.infusion_id)
        case ItemKind.ORDER if item.course_id is not None:
            return "Read and sign the order", url_for("courses.show_order", number=item.record.number, **course)
        case ItemKind.DECLINED if item.course_id is not None:
            return "Read and write the next", url_for("courses.show_order", number=item.record.number, **course)
        case ItemKind.RENEW:
            return "Write the next order", url_for(".show_course", **course, _anchor="next-order")
        case ItemKind.DECISION:
            return "Decide", url_for(".show_course", **course, _anchor="decide")
        case ItemKind.REFERRAL if item.patient is not None:
            return "Decide", url_for("patients.show_referrals", patient_id=item.patient.id, at=item.id, inbox=go_on)
        case ItemKind.PROTOCOL:
            version: ProtocolVersion = item.record
            here: dict[str, Any] = {"protocol_id": version.protocol_id, "number": version.number}
            return "Read and sign the protocol", url_for("protocols.show_version", **here, inbox=go_on)
        case _:
            return None


def _oldest(found: Inbox) -> str:
    now = clock.now()
    waiting = [item.since for item in found.to_do if item.since <= now]
    return age_words(min(waiting), now) if waiting else ""


def _preview(drawn: Page, item: InboxItem) -> dict[str, Any]:
    """What stands beside the list: allergies, facts and chart of the session, the text to sign."""
    rows = patients.current_allergies(item.patient.id) if item.patient else []
    known = [row.substance for row in rows if row.kind is AllergyKind.KNOWN and row.substance]
    context: dict[str, Any] = {
        "allergies": known,
        "allergy_status": allergy_status(rows),
        "preview": KINDS[item.kind].template,
    }
    infusion = drawn.sessions.get(item.infusion_id) if item.infusion_id else None
    if infusion is not None:
        now = clock.now()
        data = chart_input(infusion, progress(infusion, now), zone=zone(), now=now)
        facts = drawn.facts[infusion.id]
        context |= {"facts": facts, "given": shown_mg(facts.given_mg), "charts": _charts(data), "infusion": infusion}
    if item.kind in {ItemKind.SENT, ItemKind.TOLD} and infusion is not None:
        context["row"] = _row(item, infusion)
    if item.kind is ItemKind.SPOKEN:
        context["order"] = _sentence(item.record.order_version_id)
    if item.kind in {ItemKind.ORDER, ItemKind.COSIGN_ORDER, ItemKind.DECLINED}:
        context |= _order_context(item)
    if item.kind is ItemKind.PROTOCOL:
        context |= _protocol_context(item)
    return context


def _charts(data: ChartInput) -> tuple[Chart, ...]:
    """Draw the session beside the list, which leaves less room than the bedside has."""
    return tuple(draw(data, width) for width in (PHONE, _TABLET, _DESKTOP))


def _row(item: InboxItem, infusion: InfusionSession) -> str:
    """The vitals that something from the chair was about."""
    about = next((row for row in infusion.observation_sets if row.id == item.record.observation_set_id), None)
    return f"{clock_label(about.observed_at, zone())} {vitals_sentence(about)}" if about is not None else ""


def _sentence(version_id: uuid.UUID) -> str:
    version = order_queries.version(version_id)
    if version is None:
        return ""
    terms = version.terms
    return wording.sentence(draft_of(terms), drug_name=terms.drug.name, weight_kg=version.weight_used_kg)


def _order_context(item: InboxItem) -> dict[str, Any]:
    """The draft as a sentence, and what it changes against the version in force."""
    draft = order_queries.version(item.id)
    if draft is None:
        return {}
    before = _before(draft)
    changed = _changes(before, draft) if before else []
    return {
        "order": _sentence(item.id),
        "before": before,
        "changes": changed,
        "groups_read": wording.reading(draft_of(draft.terms)),
    }


def _before(version: OrderVersion) -> OrderVersion | None:
    """What a version is read against: the one in force, or for one that is used already the one before it."""
    if version.is_standing:
        return order_queries.version_numbered(version.order_id, version.number - 1)
    return order_queries.current_version(version.order_id)


def _protocol_context(item: InboxItem) -> dict[str, Any]:
    """A version in review as a sentence, and what it changes against the one in use."""
    version = protocols.version(item.id)
    if version is None:
        return {}
    number = protocols.number_in_use(version.protocol_id)
    used = next((other for other in version.protocol.versions if other.number == number), None)
    before = protocols.version(used.id) if used else None
    draft, drug = draft_of(version.terms), version.terms.drug
    changes = []
    if before is not None:
        drugs = (wording.drug_text(before.terms.drug), wording.drug_text(drug))
        changes = comparison.differences(draft_of(before.terms), draft, drugs=drugs)
    return {"order": wording.sentence(draft, drug_name=drug.name), "before": before, "changes": changes}


def _changes(before: OrderVersion, draft: OrderVersion) -> list[comparison.Difference]:
    drugs = (wording.drug_text(before.terms.drug), wording.drug_text(draft.terms.drug))
    return comparison.differences(draft_of(before.terms), draft_of(draft.terms), drugs=drugs)


@bp.get("/inbox")
@requires(Permission.READ_INBOX)
def show_inbox() -> ResponseReturnValue:
    """The inbox with its first item opened beside it, or with the one that an act on another page leads on to."""
    found = _inbox()
    at = request.args.get("at", type=uuid.UUID)
    return _draw(found, found.find(at) if at else None)


@bp.get("/inbox/<uuid:item_id>")
@requires(Permission.READ_INBOX)
def show_item(item_id: uuid.UUID) -> ResponseReturnValue:
    """One item of the inbox. An item that is done leads to its record."""
    found = _inbox()
    item = found.find(item_id)
    if item is None:
        return _lead_away(_record(item_id) or abort(404))
    return _draw(found, item)


def _record(item_id: uuid.UUID) -> db.Base | None:
    """The record behind an item that waits no longer, or None for one that never was."""
    return next((row for row in (kind.find(item_id) for kind in KINDS.values()) if row is not None), None)


def _lead_away(record: db.Base) -> ResponseReturnValue:
    """Lead to what became of an item that waits no longer."""
    if isinstance(record, Note) and record.infusion_id is not None:
        return redirect(url_for(".show_session_note", infusion_id=record.infusion_id), 303)
    flash("This item is done")
    return redirect(url_for(".show_inbox"), 303)


# --- the acts --------------------------------------------------------------------------------------------------------


@bp.post("/inbox/<uuid:item_id>/sign")
@requires(Permission.COSIGN_NOTE)
def sign_item(item_id: uuid.UUID) -> ResponseReturnValue:
    """Sign or settle the item where it is read; the next one opens by itself."""
    found = _inbox()
    item = found.find(item_id)
    act = ACTS.get(item.kind) if item else None
    if item is None or act is None:
        if _record(item_id) is None:
            abort(404)
        raise Conflict("This was signed meanwhile. Your signature was not added.")
    if item.patient is not None:
        same_patient(item.patient.id)
    form = act.form()

    def do() -> bool:
        act.do(item, form)
        return True

    if attempt(form, do) is None:
        return _draw(found, item, form), 422
    flash(act.done)
    return redirect(_next_address(found, item), 303)


@bp.post("/inbox/<uuid:item_id>/send-back")
@requires(Permission.COSIGN_NOTE)
def send_back(item_id: uuid.UUID) -> ResponseReturnValue:
    """Send the note back to its author with a reason; the next item opens by itself."""
    found = _inbox()
    item = found.find(item_id)
    if item is None or item.kind is not ItemKind.NOTE:
        if _record(item_id) is None:
            abort(404)
        raise Conflict("This was signed meanwhile. It was not sent back.")
    if item.patient is not None:
        same_patient(item.patient.id)
    form = SendBackForm()

    def do() -> NoteReturn:
        return operations.send_back(item.record, form.reason.data or "", by=actor(), at=clock.now())

    if attempt(form, do) is None:
        return _draw(found, item, back=form), 422
    flash(f"Sent back to {item.record.author.name}")
    return redirect(_next_address(found, item), 303)


def _next_address(found: Inbox, item: InboxItem) -> str:
    if request.form.get("then") == "course" and item.course_id is not None:
        return url_for(".show_course", course_id=item.course_id)
    following = found.after(item.id)
    return url_for(".show_item", item_id=following.id) if following else url_for(".show_inbox")

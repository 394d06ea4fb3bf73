"""The physician's inbox: one list of what waits, the chosen item beside it, signed where it is read."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import same_patient, unchanged_since_drawn
from clinic.notes import operations, queries
from clinic.notes.forms import PasswordForm
from clinic.notes.inbox import Inbox, InboxItem, inbox
from clinic.notes.inbox_rules import Group, ItemKind, age_words, grouped
from clinic.notes.summary_rules import shown_mg
from clinic.notes.views_shared import bp, link, zone
from clinic.orders import operations as orders
from clinic.orders import queries as order_queries
from clinic.orders.models import OrderVersion
from clinic.patients import queries as patients
from clinic.patients.rules import AllergyKind, allergy_status
from clinic.protocols import wording
from clinic.protocols.terms import draft_of
from clinic.sessions.chart import PHONE, SHEET, TABLET, Chart, ChartInput, draw
from clinic.sessions.pages_chart import chart_input
from clinic.sessions.progress import progress

_READS = {
    ItemKind.NOTE: AuditAction.NOTE_READ,
    ItemKind.EVENT: AuditAction.SESSION_READ,
    ItemKind.SENT: AuditAction.SESSION_READ,
    ItemKind.SPOKEN: AuditAction.ORDER_READ,
    ItemKind.ORDER: AuditAction.ORDER_READ,
    ItemKind.RENEW: AuditAction.COURSE_READ,
}
_DONE = {
    ItemKind.NOTE: "Note co-signed",
    ItemKind.SPOKEN: "Spoken order signed",
    ItemKind.EVENT: "Adverse event reviewed",
    ItemKind.SENT: "Note read",
}
# The preview's own widths: what the list leaves on a tablet and on a desk's screen.
_TABLET = replace(SHEET, screen="for-t", width=664)
_DESKTOP = replace(TABLET, screen="for-d")
SIGNABLE = frozenset(_DONE)


def _inbox() -> Inbox:
    return inbox(actor(), zone=zone(), now=clock.now())


def _draw(found: Inbox, item: InboxItem | None, form: PasswordForm | None = None, *, is_chosen: bool = True) -> str:
    if item is not None:
        reading.note(_READS[item.kind], _subject(item), actor_id=actor().id, patient_id=item.patient.id, page="inbox")
    show_all = "all" in request.args or (item is not None and item.group is Group.INFORMATION)
    return render_template(
        "notes/inbox.html",
        inbox=found,
        groups=grouped(found.items),
        Group=Group,
        item=item,
        is_chosen=is_chosen,
        show_all=show_all,
        oldest=_oldest(found),
        form=form or (PasswordForm() if item is not None and item.kind in SIGNABLE else None),
        link=link,
        **(_preview(found, item) if item is not None else {}),
    )


def _oldest(found: Inbox) -> str:
    now = clock.now()
    waiting = [item.since for item in found.to_do if item.since <= now]
    return age_words(min(waiting), now) if waiting else ""


def _subject(item: InboxItem) -> Any:
    return item.note or item.event or item.sent or item.spoken or item.version or item.appointment


def _preview(found: Inbox, item: InboxItem) -> dict[str, Any]:
    """What stands beside the list: allergies, facts and chart of the session, the text to sign."""
    rows = patients.current_allergies(item.patient.id)
    known = [row.substance for row in rows if row.kind is AllergyKind.KNOWN and row.substance]
    context: dict[str, Any] = {"allergies": known, "allergy_status": allergy_status(rows)}
    infusion = found.sessions.get(item.infusion_id) if item.infusion_id else None
    if infusion is not None:
        now = clock.now()
        data = chart_input(infusion, progress(infusion, now), zone=zone(), now=now)
        facts = found.facts[infusion.id]
        context |= {"facts": facts, "given": shown_mg(facts.given_mg), "charts": _charts(data)}
    if item.spoken is not None:
        context["order"] = _sentence(item.spoken.order_version_id)
    if item.version is not None:
        context |= _order_context(item)
    return context


def _charts(data: ChartInput) -> tuple[Chart, ...]:
    """Draw the session beside the list, which leaves less room than the bedside has."""
    return tuple(draw(data, width) for width in (PHONE, _TABLET, _DESKTOP))


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
    before = order_queries.current_version(draft.order_id)
    changed = _changes(before, draft) if before else []
    return {
        "order": _sentence(item.id),
        "before": before,
        "changes": changed,
        "groups_read": wording.reading(draft_of(draft.terms)),
    }


def _changes(before: OrderVersion, draft: OrderVersion) -> list[wording.Difference]:
    drugs = (before.terms.drug.name, draft.terms.drug.name)
    return wording.differences(draft_of(before.terms), draft_of(draft.terms), drugs=drugs)


@bp.get("/inbox")
@requires(Permission.READ_INBOX)
def show_inbox() -> ResponseReturnValue:
    """What waits for this physician; the first item stands beside the list."""
    found = _inbox()
    return _draw(found, found.items[0] if found.to_do else None, is_chosen=False)


@bp.get("/inbox/<uuid:item_id>")
@requires(Permission.READ_INBOX)
def show_item(item_id: uuid.UUID) -> ResponseReturnValue:
    """One item of the inbox. An item that is done leads to its record."""
    found = _inbox()
    item = found.find(item_id)
    if item is None:
        return _lead_away(item_id)
    return _draw(found, item)


def _lead_away(item_id: uuid.UUID) -> ResponseReturnValue:
    """Lead to what became of an item that waits no longer, or answer 404 for one that never was."""
    note = queries.note(item_id)
    if note is not None and note.infusion_id is not None:
        return redirect(url_for(".show_session_note", infusion_id=note.infusion_id), 303)
    events = queries.adverse_event(item_id) or queries.sent_note(item_id)
    if events or order_queries.verbal_order(item_id) or order_queries.version(item_id):
        flash("This item is done")
        return redirect(url_for(".show_inbox"), 303)
    return abort(404)


@bp.post("/inbox/<uuid:item_id>/sign")
@requires(Permission.COSIGN_NOTE)
def sign_item(item_id: uuid.UUID) -> ResponseReturnValue:
    """Sign the item with one's own password; the next one opens by itself."""
    found = _inbox()
    item = found.find(item_id)
    if item is None or item.kind not in SIGNABLE:
        return _refuse_done(item_id)
    same_patient(item.patient.id)
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            _SIGN[item.kind](item, form.password.data or "")
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash(_DONE[item.kind])
            return redirect(_next_address(found, item), 303)
    return _draw(found, item, form), 422


def _refuse_done(item_id: uuid.UUID) -> ResponseReturnValue:
    """Say that somebody else was faster, or answer 404 for what never was."""
    events = queries.adverse_event(item_id) or queries.sent_note(item_id)
    if events or queries.note(item_id) or order_queries.verbal_order(item_id):
        raise Conflict("This was signed meanwhile. Your signature was not added.")
    abort(404)


def _next_address(found: Inbox, item: InboxItem) -> str:
    if request.form.get("then") == "course" and item.course_id is not None:
        return url_for(".show_course", course_id=item.course_id)
    following = found.after(item.id)
    return url_for(".show_item", item_id=following.id) if following else url_for(".show_inbox")


def _cosign(item: InboxItem, password: str) -> None:
    if item.note is not None:
        unchanged_since_drawn(item.note, "This note changed since you opened it. Nothing was signed. Read it again.")
        operations.cosign_note(item.note, by=actor(), password=password, at=clock.now())


def _confirm(item: InboxItem, password: str) -> None:
    if item.spoken is not None:
        orders.sign_verbal_order(item.spoken, by=actor(), password=password, at=clock.now())


def _review(item: InboxItem, password: str) -> None:
    if item.event is not None:
        operations.review_adverse_event(item.event, by=actor(), password=password, at=clock.now())


def _read(item: InboxItem, password: str) -> None:
    if item.sent is not None:
        operations.review_sent_note(item.sent, by=actor(), password=password, at=clock.now())


_SIGN: dict[ItemKind, Callable[[InboxItem, str], None]] = {
    ItemKind.NOTE: _cosign,
    ItemKind.SPOKEN: _confirm,
    ItemKind.EVENT: _review,
    ItemKind.SENT: _read,
}

"""The note of a session: drafted from the record, completed, signed; addenda and corrections after that."""

import uuid
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor, clinic
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, formats, pdf
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import drawn_version, same_patient
from clinic.core.times import local
from clinic.notes import operations, queries
from clinic.notes.cosign_queries import cosign_rules
from clinic.notes.forms import AddendumForm, NoteForm
from clinic.notes.models import Note
from clinic.notes.pages import NoteView, fact_pairs, note_views, title_of
from clinic.notes.printed import notes_content
from clinic.notes.rules import NoteKind, NoteStatus, late_words, needs_cosignature
from clinic.notes.session_facts import session_facts
from clinic.notes.summary_rules import SessionFacts, draft_text
from clinic.notes.views_shared import bp, cosigners, link, zone
from clinic.sessions.models import InfusionSession
from clinic.sessions.pages_patient import PatientBar, patient_bar
from clinic.sessions.progress import progress
from clinic.signatures.printing import printed
from clinic.signatures.queries import signatures_by_subject

_MOVED_ON = "This note changed since you opened it. Nothing was signed or saved. Read it again."


@dataclass(frozen=True)
class NotePage:
    """A session with its facts and its notes: `draft` is the reader's own, `others` the drafts of others, unread."""

    infusion: InfusionSession
    facts: SessionFacts
    bar: PatientBar
    notes: list[NoteView]
    draft: Note | None
    others: list[Note]

    @property
    def is_noted(self) -> bool:
        """Whether the note of this session is signed; what comes now is added to it."""
        return bool(self.notes)

    @property
    def is_draft_older(self) -> bool:
        """Whether the draft was last saved before the discharge was undone, or entered again."""
        rows = self.infusion.discharges
        return self.draft is not None and any(
            row.supersedes_id and row.recorded_at > self.draft.saved_at for row in rows
        )


def note_page(infusion_id: uuid.UUID) -> NotePage:
    """Bring a session's note page together, or answer that there is no such session."""
    infusion = queries.session(infusion_id) or abort(404)
    now, me = clock.now(), actor()
    rows = queries.notes_of_session(infusion_id)
    drafts = [note for note in rows if note.status is NoteStatus.DRAFT]
    return NotePage(
        infusion,
        session_facts(infusion, progress(infusion, now), zone()),
        patient_bar(infusion.patient, weight=infusion.weight, chair=infusion.chair.name, now=now, zone=zone()),
        note_views(rows, signatures_by_subject(note.id for note in rows), zone()),
        next((note for note in drafts if note.author_id == me.id and note.kind is NoteKind.SESSION), None),
        [note for note in drafts if note.author_id != me.id],
    )


def _note_form(page: NotePage) -> NoteForm:
    form = NoteForm()
    me = actor()
    form.offer(cosigners(me), is_needed=needs_cosignature(NoteKind.SESSION, me.roles, cosign_rules()))
    if not form.is_submitted():
        form.text.data = page.draft.text if page.draft else draft_text(page.facts, zone())
    return form


def _draw(page: NotePage, form: NoteForm | AddendumForm, *, target_id: uuid.UUID | None = None) -> str:
    """Draw the draft, or what was signed with the form for what follows `target_id`."""
    infusion = page.infusion
    return render_template(
        "notes/draft.html" if isinstance(form, NoteForm) else "notes/session_note.html",
        page=page,
        infusion=infusion,
        bar=page.bar,
        form=form,
        # What a refused save changed is rolled back: the draft is still the version that the form was drawn from.
        version=drawn_version() if form.is_submitted() else (page.draft.version if page.draft else None),
        target_id=target_id or (page.notes[0].id if page.notes else None),
        session_url=link("sessions.show_session", infusion_id=infusion.id),
        pairs=fact_pairs(page.facts, zone()),
        late=_late(infusion) if page.is_noted else "",
    )


def _late(infusion: InfusionSession) -> str:
    days = local(clock.now(), zone()).date() - local(infusion.arrived_at, zone()).date()
    return late_words(days.days, clinic().late_entry_days)


@bp.get("/sessions/<uuid:infusion_id>/note")
@requires(Permission.READ_NOTE)
def show_session_note(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The notes of a session: before signing the draft, afterwards what was signed and what may be added."""
    page = note_page(infusion_id)
    reading.note(AuditAction.NOTE_READ, page.infusion, actor_id=actor().id, page="session note")
    return _draw(page, _addendum_form(page) if page.is_noted else _note_form(page))


def _addendum_form(page: NotePage) -> AddendumForm:
    form = AddendumForm()
    form.offer(is_author=page.notes[0].author_id == actor().id)
    return form


@bp.post("/sessions/<uuid:infusion_id>/note")
@requires(Permission.WRITE_NOTE)
def save_session_note(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Keep the draft."""
    page = note_page(infusion_id)
    same_patient(page.infusion.patient_id)
    form = _note_form(page)
    if form.validate_on_submit():
        try:
            _save(page, form)
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash(f"Saved as a draft {formats.clock(clock.now())}")
            return redirect(url_for(".show_session_note", infusion_id=infusion_id), 303)
    return _draw(page, form), 422


@bp.post("/sessions/<uuid:infusion_id>/note/sign")
@requires(Permission.WRITE_NOTE)
def sign_session_note(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Sign the note of a session."""
    page = note_page(infusion_id)
    same_patient(page.infusion.patient_id)
    form = _note_form(page)
    if form.validate_on_submit():
        try:
            note = _sign(page, form)
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            sent = f" It goes to {note.cosigner.name} to co-sign." if note.cosigner else ""
            flash(f"Note signed.{sent}")
            return redirect(url_for(".show_session_note", infusion_id=infusion_id), 303)
    return _draw(page, form), 422


def _sign(page: NotePage, form: NoteForm) -> Note:
    """Keep what was typed and sign it. Raises RuleBroken where the question who co-signs is not answered."""
    if not form.is_answered:
        raise RuleBroken("Choose who co-signs.", field="cosigner_id")
    return operations.sign_note(
        _save(page, form),
        by=actor(),
        password=form.password.data or "",
        at=clock.now(),
        cosigner=next((person for person in cosigners(actor()) if person.id == form.chosen_id()), None),
    )


def _save(page: NotePage, form: NoteForm) -> Note:
    """Keep what was typed as this person's draft."""
    text = form.text.data or ""
    if page.draft is None:
        return operations.draft_note(page.infusion, text, by=actor(), at=clock.now())
    drawn = drawn_version()
    if drawn is not None and drawn != page.draft.version:
        raise Conflict(_MOVED_ON, mine=[("Note", text)], theirs=[("Note", page.draft.text)])
    operations.save_draft(page.draft, text, by=actor(), at=clock.now())
    return page.draft


@bp.post("/notes/<uuid:note_id>/discard")
@requires(Permission.WRITE_NOTE)
def discard_note(note_id: uuid.UUID) -> ResponseReturnValue:
    """Give up a draft."""
    note = queries.note(note_id) or abort(404)
    same_patient(note.patient_id)
    operations.discard_draft(note, by=actor(), at=clock.now())
    flash("Draft discarded")
    return redirect(url_for(".show_session_note", infusion_id=note.infusion_id), 303)


@bp.post("/notes/<uuid:note_id>/addenda")
@requires(Permission.WRITE_NOTE)
def add_addendum(note_id: uuid.UUID) -> ResponseReturnValue:
    """Add to a signed note, or correct it."""
    note = queries.note(note_id) or abort(404)
    if note.infusion_id is None:
        abort(404)
    same_patient(note.patient_id)
    page = note_page(note.infusion_id)
    form = AddendumForm()
    form.offer(is_author=note.author_id == actor().id)
    if form.validate_on_submit():
        try:
            added = operations.add_addendum(
                note,
                form.text.data or "",
                by=actor(),
                password=form.password.data or "",
                at=clock.now(),
                what=form.chosen(),
                happened_at=form.happened_at(),
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash(f"{title_of(added, zone())} signed")
            if late := _late(page.infusion):
                flash(late, "warn")
            return redirect(url_for(".show_session_note", infusion_id=note.infusion_id), 303)
    return _draw(page, form, target_id=note.id), 422


@bp.get("/sessions/<uuid:infusion_id>/note/print")
@requires(Permission.READ_NOTE)
def print_session_note(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The signed notes of a session on paper."""
    page = note_page(infusion_id)
    content = notes_content(page.infusion, queries.notes_of_session(infusion_id))
    code = printed(AuditAction.SESSION_PRINTED, page.infusion, content, page="session note")
    sheet = render_template("notes/print_note.html", page=page, infusion=page.infusion, bar=page.bar, code=code)
    return pdf.answer(sheet, name=f"session-{page.infusion.number}-note")

"""The side sheets for what happens besides the pump: events, medicines as needed, the line, who was told, hand-over."""

import uuid
from datetime import datetime

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.sessions import operations
from clinic.sessions.event_rules import Actuality, AdverseOutcome, IvAction, SessionEventKind
from clinic.sessions.forms_acts import (
    EventForm,
    HandOverForm,
    LineForm,
    NotifyForm,
    OverForm,
    PrnForm,
    RowNoteForm,
    options,
)
from clinic.sessions.models import AdverseEvent, InfusionSession, ObservationSet, SessionEvent
from clinic.sessions.pages_log import adverse_title
from clinic.sessions.pages_session import order_panel
from clinic.sessions.pages_words import vitals_sentence
from clinic.sessions.progress import current, progress
from clinic.sessions.views_acts import Sheet, attempt, clock_of, drawn, settle, show
from clinic.sessions.views_shared import bp, clinicians, load, session_page, session_url, zone

# --- adverse events --------------------------------------------------------------------------------------------------


def _event_page(infusion: InfusionSession, form: EventForm, status: int = 200) -> ResponseReturnValue:
    seen = progress(infusion, clock.now()).last_observation
    still_open = [row for row in current(infusion.adverse_events) if row.resolved_at is None]
    answer: ResponseReturnValue = session_page(
        infusion,
        status=status,
        template="sessions/sheet_event.html",
        form=form,
        is_sheet=True,
        last_vitals=vitals_sentence(seen) if seen else "",
        still_open=[(row.id, adverse_title(row), row.onset_at) for row in still_open],
    )
    return answer


@bp.get("/sessions/<uuid:infusion_id>/event")
@requires(Permission.RECORD_ADVERSE_EVENT)
def show_event(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The sheet for an adverse event: what, how bad, what was done."""
    return _event_page(load(infusion_id), drawn(EventForm(formdata=None)))


@bp.post("/sessions/<uuid:infusion_id>/event")
@requires(Permission.RECORD_ADVERSE_EVENT)
def record_event(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Record an adverse event or a near miss; what was done may open the next sheet."""
    infusion, form, now = load(infusion_id), EventForm(), clock.now()
    if form.validate_on_submit() and attempt(form, lambda: _record_event(infusion, form, now)) is not None:
        flash(f"Recorded: {form.named.lower()}.")
        return redirect(_after_event(infusion, form), 303)
    return _event_page(load(infusion_id), form, 422)


def _record_event(infusion: InfusionSession, form: EventForm, now: datetime) -> AdverseEvent:
    criterion = form.serious_criterion.data or None
    done = [*(form.done.data or ()), (form.detail.data or "").strip()]
    return operations.record_adverse_event(
        infusion,
        form.named,
        onset_at=form.moment(now, zone()),
        actuality=Actuality(form.actuality.data or Actuality.ACTUAL),
        grade=form.graded,
        is_serious=bool(criterion) or None,
        serious_criterion=criterion,
        causality=form.causality.data or None,
        action=", ".join(part for part in done if part),
        by=actor(),
        at=now,
    )


_NEXT = (
    ("Paused", "sessions.show_pause"),
    ("Rate lowered", "sessions.show_rate"),
    ("Drug given", "sessions.show_prn"),
    ("Physician told", "sessions.show_notify"),
)


def _after_event(infusion: InfusionSession, form: EventForm) -> str:
    """Return the sheet of the first thing that was done and is an entry of its own."""
    done = set(form.done.data or ())
    if infusion.status.value == "infusing":
        for word, endpoint in _NEXT:
            if word in done:
                return url_for(endpoint, infusion_id=infusion.id)
    if "Physician told" in done:
        return url_for(".show_notify", infusion_id=infusion.id)
    return session_url(infusion)


@bp.post("/sessions/<uuid:infusion_id>/event/<uuid:event_id>/over")
@requires(Permission.RECORD_ADVERSE_EVENT)
def end_event(infusion_id: uuid.UUID, event_id: uuid.UUID) -> ResponseReturnValue:
    """Mark an adverse event as over; the first entry stays."""
    infusion, form, now = load(infusion_id), OverForm(), clock.now()
    event = next((row for row in infusion.adverse_events if row.id == event_id), None)
    if event is None:
        return redirect(url_for(".show_event", infusion_id=infusion.id), 303)

    def act() -> object:
        changes = {"resolved_at": form.moment(now, zone()), "outcome": AdverseOutcome.RESOLVED}
        return operations.resolve_adverse_event(event, changes, form.reason.data or "It is over.", by=actor(), at=now)

    if form.validate_on_submit() and attempt(form, act) is not None:
        flash("Marked as over.")
        return redirect(session_url(infusion), 303)
    again = drawn(EventForm(formdata=None))
    again.refusal = " ".join(message for _, message in form.summary)
    return _event_page(load(infusion_id), again, 422)


# --- medicines as needed ---------------------------------------------------------------------------------------------


def _prn_sheet(infusion: InfusionSession, form: PrnForm) -> Sheet:
    panel = order_panel(infusion, progress(infusion, clock.now()), zone=zone())
    form.item.choices = options([(row.id, f"{row.text} ({row.count})") for row in panel.prn])
    return Sheet(
        "Medicine as needed",
        url_for(".give_prn", infusion_id=infusion.id),
        f"Record as given{clock_of(form)}",
        ((form.item, {"look": "list"}), (form.reason, {})),
        lead="" if panel.prn else "The order has no medicine as needed.",
    )


@bp.get("/sessions/<uuid:infusion_id>/prn")
@requires(Permission.RUN_SESSION)
def show_prn(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The sheet for a medicine of the order; the link from its line brings it along."""
    infusion, form = load(infusion_id), drawn(PrnForm(formdata=None))
    form.item.data = request.args.get("item")
    return show(infusion, form, _prn_sheet(infusion, form))


@bp.post("/sessions/<uuid:infusion_id>/prn")
@requires(Permission.RUN_SESSION)
def give_prn(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Record a medicine that was given under the order."""
    infusion, form, now = load(infusion_id), PrnForm(), clock.now()
    _prn_sheet(infusion, form)

    def act() -> object:
        item = next(one for one in infusion.order_version.terms.prn_items if str(one.id) == form.item.data)
        when = form.moment(now, zone())
        return operations.give_prn(infusion, item, given_at=when, reason=form.reason.data, by=actor(), at=now)

    return settle(infusion, form, act, _prn_sheet, said="Medicine recorded.", onwards=session_url(infusion))


# --- the line --------------------------------------------------------------------------------------------------------


def _line_sheet(infusion: InfusionSession, form: LineForm) -> Sheet:
    return Sheet(
        "IV line",
        url_for(".record_line", infusion_id=infusion.id),
        f"Record{clock_of(form)}",
        (
            (form.action, {"look": "seg"}),
            (form.site, {"hint": "for example: left forearm"}),
            (form.gauge, {"look": "seg"}),
            (form.vip_score, {"look": "seg"}),
            (form.detail, {}),
        ),
    )


@bp.get("/sessions/<uuid:infusion_id>/iv")
@requires(Permission.RUN_SESSION)
def show_line(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The sheet for the cannula."""
    infusion, form = load(infusion_id), drawn(LineForm(formdata=None))
    return show(infusion, form, _line_sheet(infusion, form))


@bp.post("/sessions/<uuid:infusion_id>/iv")
@requires(Permission.RUN_SESSION)
def record_line(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Record that the cannula was placed, looked at or removed."""
    infusion, form, now = load(infusion_id), LineForm(), clock.now()

    def act() -> object:
        score = form.vip_score.data
        return operations.record_iv(
            infusion,
            IvAction(form.action.data),
            happened_at=form.moment(now, zone()),
            site=form.site.data,
            gauge=form.gauge.data,
            vip_score=int(score) if score else None,
            detail=form.detail.data,
            by=actor(),
            at=now,
        )

    return settle(infusion, form, act, _line_sheet, said="Line recorded.", onwards=session_url(infusion))


# --- who was told, notes, hand-over ----------------------------------------------------------------------------------


def _about(infusion: InfusionSession, observation_id: str) -> ObservationSet | None:
    return next((row for row in infusion.observation_sets if str(row.id) == observation_id), None)


def _notify_sheet(infusion: InfusionSession, form: NotifyForm) -> Sheet:
    form.offer(clinicians())
    row = _about(infusion, form.about.data or "")
    return Sheet(
        "Who was told",
        url_for(".record_notice", infusion_id=infusion.id),
        f"Record{clock_of(form)}",
        (
            (form.about, {}),
            (form.person_id, {}),
            (form.text, {"hint": "for example: by phone, blood pressure"}),
            (form.reply, {}),
        ),
        facts=(("Vitals", vitals_sentence(row)),) if row else (),
    )


@bp.get("/sessions/<uuid:infusion_id>/notify")
@requires(Permission.RUN_SESSION)
def show_notify(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The sheet for who was told, what about and what was replied."""
    infusion, form = load(infusion_id), drawn(NotifyForm(formdata=None))
    form.about.data = request.args.get("about", "")
    return show(infusion, form, _notify_sheet(infusion, form))


@bp.post("/sessions/<uuid:infusion_id>/notify")
@requires(Permission.RUN_SESSION)
def record_notice(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Record who was told."""
    infusion, form, now = load(infusion_id), NotifyForm(), clock.now()
    form.offer(clinicians())

    def act() -> SessionEvent:
        person = next((one for one in clinicians() if str(one.id) == form.person_id.data), None)
        said = (form.text.data or "").strip()
        if person is None and not said:
            raise RuleBroken("Choose who was told, or name somebody.", field="person_id")
        words = f"{person.name} informed. {said}".strip() if person else said
        return operations.notify(
            infusion,
            words,
            happened_at=form.moment(now, zone()),
            person=person,
            reply=form.reply.data,
            observation=_about(infusion, form.about.data or ""),
            by=actor(),
            at=now,
        )

    return settle(infusion, form, act, _notify_sheet, said="Recorded who was told.", onwards=session_url(infusion))


def _note_sheet(infusion: InfusionSession, form: RowNoteForm) -> Sheet:
    return Sheet(
        "Note",
        url_for(".record_row_note", infusion_id=infusion.id),
        "Save note",
        ((form.text, {"rows": 5}),),
        lead="Stands in the table at its time. The note of the whole session is written after the discharge.",
    )


@bp.get("/sessions/<uuid:infusion_id>/note-row")
@requires(Permission.RUN_SESSION)
def show_row_note(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The sheet for a note in the table."""
    infusion, form = load(infusion_id), drawn(RowNoteForm(formdata=None))
    return show(infusion, form, _note_sheet(infusion, form))


@bp.post("/sessions/<uuid:infusion_id>/note-row")
@requires(Permission.RUN_SESSION)
def record_row_note(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Save a note in the table."""
    infusion, form, now = load(infusion_id), RowNoteForm(), clock.now()

    def act() -> SessionEvent:
        kind = SessionEventKind.ROW_NOTE
        when = form.moment(now, zone())
        return operations.record_event(infusion, kind, form.text.data or "", happened_at=when, by=actor(), at=now)

    return settle(infusion, form, act, _note_sheet, said="Note saved.", onwards=session_url(infusion))


def _hand_over_sheet(infusion: InfusionSession, form: HandOverForm) -> Sheet:
    form.to.choices = options([(str(one.id), one.name) for one in clinicians() if one.id != infusion.nurse_id])
    return Sheet(
        "Hand over",
        url_for(".hand_over", infusion_id=infusion.id),
        f"Hand over{clock_of(form)}",
        ((form.to, {"look": "list"}), (form.text, {"rows": 4})),
    )


@bp.get("/sessions/<uuid:infusion_id>/hand-over")
@requires(Permission.RUN_SESSION)
def show_hand_over(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The sheet for giving the session to another nurse."""
    infusion, form = load(infusion_id), drawn(HandOverForm(formdata=None))
    return show(infusion, form, _hand_over_sheet(infusion, form))


@bp.post("/sessions/<uuid:infusion_id>/hand-over")
@requires(Permission.RUN_SESSION)
def hand_over(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Give the session to another nurse."""
    infusion, form, now = load(infusion_id), HandOverForm(), clock.now()
    _hand_over_sheet(infusion, form)

    def act() -> SessionEvent:
        person = next((one for one in clinicians() if str(one.id) == form.to.data), None)
        if person is None:
            raise RuleBroken("Choose who takes over.", field="to")
        when = form.moment(now, zone())
        return operations.hand_over(infusion, person, text=form.text.data, happened_at=when, by=actor(), at=now)

    return settle(infusion, form, act, _hand_over_sheet, said="Handed over.")

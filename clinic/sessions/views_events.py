"""The side sheets for what happens besides the pump: events, medicines as needed, the line, who was told, hand-over."""

import uuid
from datetime import datetime

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.accounts.models import Staff
from clinic.core import clock
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt
from clinic.core.times import clock_label
from clinic.sessions import operations
from clinic.sessions.event_rules import Actuality, AdverseOutcome, IvAction, SessionEventKind
from clinic.sessions.forms_acts import (
    CareForm,
    HandOverForm,
    LineForm,
    NotifyForm,
    PrnForm,
    RowNoteForm,
    number,
    options,
)
from clinic.sessions.forms_events import EventForm, OverForm
from clinic.sessions.models import (
    AdverseEvent,
    InfusionSession,
    IvRecord,
    ObservationSet,
    PrnDose,
    SessionEvent,
)
from clinic.sessions.pages_log import adverse_title, log_rows
from clinic.sessions.pages_session import order_panel
from clinic.sessions.pages_words import vitals_sentence
from clinic.sessions.progress import current, progress
from clinic.sessions.views_shared import (
    bp,
    clinicians,
    load,
    physicians,
    proved,
    say_beyond,
    session_page,
    session_url,
    zone,
)
from clinic.sessions.views_sheet import Sheet, clock_of, drawn, side_sheet

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
    event = attempt(form, lambda: _record_event(infusion, form, now))
    if event is not None:
        flash(f"Recorded: {form.named.lower()}.")
        return redirect(_after_event(infusion, form, event), 303)
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
)


def _after_event(infusion: InfusionSession, form: EventForm, event: AdverseEvent) -> str:
    """Return the sheet of the first thing that was done and is an entry of its own."""
    done = set(form.done.data or ())
    if infusion.status.value == "infusing":
        for word, endpoint in _NEXT:
            if word in done:
                return url_for(endpoint, infusion_id=infusion.id)
    if "Physician told" in done:
        return url_for(".show_notify", infusion_id=infusion.id, about=event.id)
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

    if attempt(form, act) is not None:
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
        f"Record as given{clock_of(form)}",
        ((form.item, {"look": "list"}), (form.reason, {})),
        lead="" if panel.prn else "The order has no medicine as needed.",
    )


@side_sheet("prn", PrnForm, _prn_sheet, opens="show_prn", said="Medicine recorded.", brings=("item",))
def give_prn(infusion: InfusionSession, form: PrnForm, when: datetime, now: datetime) -> PrnDose:
    """Record a medicine that was given under the order; the link from its line brings it along."""
    item = next(one for one in infusion.order_version.terms.prn_items if str(one.id) == form.item.data)
    return operations.give_prn(infusion, item, given_at=when, reason=form.reason.data, by=actor(), at=now)


# --- the line --------------------------------------------------------------------------------------------------------


def _line_sheet(_infusion: InfusionSession, form: LineForm) -> Sheet:
    return Sheet(
        "IV line",
        f"Record{clock_of(form)}",
        (
            (form.action, {"look": "seg"}),
            (form.site, {"hint": "for example: left forearm"}),
            (form.gauge, {"look": "seg"}),
            (form.vip_score, {"look": "seg"}),
            (form.detail, {}),
        ),
    )


@side_sheet("iv", LineForm, _line_sheet, opens="show_line", said="Line recorded.")
def record_line(infusion: InfusionSession, form: LineForm, when: datetime, now: datetime) -> IvRecord:
    """Record that the cannula was placed, looked at or removed."""
    score = form.vip_score.data
    return operations.record_iv(
        infusion,
        IvAction(form.action.data),
        happened_at=when,
        site=form.site.data,
        gauge=form.gauge.data,
        vip_score=int(score) if score else None,
        detail=form.detail.data,
        by=actor(),
        at=now,
    )


# --- who was told, notes, hand-over ----------------------------------------------------------------------------------


def _about(infusion: InfusionSession, form: NotifyForm | RowNoteForm) -> ObservationSet | None:
    return next((row for row in infusion.observation_sets if str(row.id) == form.about.data), None)


def _notify_sheet(infusion: InfusionSession, form: NotifyForm) -> Sheet:
    form.offer(clinicians(), _open_matters(infusion))
    row = _about(infusion, form)
    about = ((form.about, {"look": "list", "hint": "left open when it is about something else"}),)
    return Sheet(
        "Who was told",
        f"Record{clock_of(form)}",
        (
            *(about if form.about.choices else ()),
            (form.person_id, {}),
            (form.text, {"hint": "for example: by phone, blood pressure"}),
            (form.reply, {}),
        ),
        facts=(("Vitals", vitals_sentence(row)),) if row else (),
    )


def _open_matters(infusion: InfusionSession) -> list[tuple[str, str]]:
    """Return what somebody may have been told about: vitals outside a limit that nobody was told, events not over."""
    rows = log_rows(infusion, progress(infusion, clock.now()), late_min=None)
    warnings = [(row.entry_id, row.at, ", ".join(words for words, _ in row.tags)) for row in rows if row.is_untold]
    going_on = [row for row in current(infusion.adverse_events) if row.resolved_at is None]
    events = [(row.id, row.onset_at, adverse_title(row)) for row in going_on]
    return [(str(key), f"{clock_label(at, zone())} {words}") for key, at, words in (*warnings, *events)]


def _event_told(infusion: InfusionSession, form: NotifyForm) -> str:
    """Return the adverse event that somebody was told about, as a sentence."""
    event = next((row for row in infusion.adverse_events if str(row.id) == form.about.data), None)
    return "" if event is None else f"{adverse_title(event)}."


@side_sheet("notify", NotifyForm, _notify_sheet, opens="show_notify", said="Recorded who was told.", brings=("about",))
def record_notice(infusion: InfusionSession, form: NotifyForm, when: datetime, now: datetime) -> SessionEvent:
    """Record who was told, what about and what was replied."""
    person = _clinician(form.person_id.data)
    said = (form.text.data or "").strip()
    if person is None and not said:
        raise RuleBroken("Choose who was told, or name somebody.", field="person_id")
    informed = f"{person.name} informed." if person else ""
    return operations.notify(
        infusion,
        " ".join(part for part in (informed, _event_told(infusion, form), said) if part),
        happened_at=when,
        person=person,
        reply=form.reply.data,
        observation=_about(infusion, form),
        by=actor(),
        at=now,
    )


def _care_sheet(_infusion: InfusionSession, form: CareForm) -> Sheet:
    return Sheet(
        "Care given",
        f"Record{clock_of(form)}",
        ((form.why, {"look": "grid", "columns": 3}), (form.reason, {})),
    )


@side_sheet("care", CareForm, _care_sheet, opens="show_care", said="Care recorded.")
def record_care(infusion: InfusionSession, form: CareForm, when: datetime, now: datetime) -> SessionEvent:
    """Record what was done for the patient besides the pump and the medicines."""
    kind = SessionEventKind.INTERVENTION
    return operations.record_event(infusion, kind, form.said, happened_at=when, by=actor(), at=now)


def _note_sheet(infusion: InfusionSession, form: RowNoteForm) -> Sheet:
    form.offer(physicians())
    row = _about(infusion, form)
    return Sheet(
        "Note",
        "Save note",
        ((form.about, {}), (form.text, {"rows": 5}), (form.send_to, {"hint": "stands there until it is read"})),
        facts=((f"Vitals of {clock_label(row.observed_at, zone())}", vitals_sentence(row)),) if row else (),
        lead="Stands in the table at its time. The note of the whole session is written after the discharge.",
    )


@side_sheet("note-row", RowNoteForm, _note_sheet, opens="show_row_note", said="Note saved.", brings=("about",))
def record_row_note(infusion: InfusionSession, form: RowNoteForm, when: datetime, now: datetime) -> SessionEvent:
    """Save a note in the table, and send it to a physician."""
    return operations.record_event(
        infusion,
        SessionEventKind.ROW_NOTE,
        form.text.data or "",
        happened_at=when,
        person=next((one for one in physicians() if str(one.id) == form.send_to.data), None),
        observation=_about(infusion, form),
        by=actor(),
        at=now,
    )


def _hand_over_sheet(infusion: InfusionSession, form: HandOverForm) -> Sheet:
    form.to.choices = options([(str(one.id), one.name) for one in clinicians() if one.id != infusion.nurse_id])
    if operations.asks_rate(infusion):
        return Sheet(
            "Hand over",
            "Hand over",
            ((form.to, {"look": "list"}), (form.rate_ml_h, {}), (form.text, {"rows": 4})),
            lead="The other nurse types the rate as well, without seeing yours. Until then the session stays yours.",
            is_timed=False,
        )
    return Sheet(
        "Hand over",
        "Hand over",
        ((form.to, {"look": "list"}), (form.text, {"rows": 4})),
        more=((form.password, {"hint": "with it the session changes hands at once"}),),
        more_title="The other nurse is here and accepts now",
        lead="The session stays yours until the other nurse accepts, on any device.",
        is_timed=False,
    )


@side_sheet("hand-over", HandOverForm, _hand_over_sheet, opens="show_hand_over", said="Hand-over recorded.")
def hand_over(infusion: InfusionSession, form: HandOverForm, _when: datetime, now: datetime) -> object:
    """Offer the session to another nurse, who accepts on her device or by her password on this one."""
    person = _clinician(form.to.data)
    if person is None:
        raise RuleBroken("Choose who takes over.", field="to")
    rate = number(form.rate_ml_h)
    offer = operations.offer_hand_over(infusion, person, text=form.text.data, rate_ml_h=rate, by=actor(), at=now)
    if not form.password.data or offer.proposal is not None:
        return offer
    proved(str(person.id), form.password.data, permission=Permission.RUN_SESSION, at=now, field="to")
    event = operations.accept_hand_over(offer, by=person, at=now)
    say_beyond(infusion)
    return event


@bp.post("/sessions/<uuid:infusion_id>/hand-over/accept")
@requires(Permission.RUN_SESSION)
def accept_hand_over(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Take over a session that was offered to this person."""
    infusion = load(infusion_id)
    offer = infusion.open_offer
    if offer is None:
        raise Conflict("This session is not offered to anybody now.")
    try:
        operations.accept_hand_over(offer, by=actor(), at=clock.now())
    except RuleBroken as refusal:
        raise Conflict(refusal.message) from refusal
    flash("The session is yours.")
    say_beyond(infusion)
    return redirect(session_url(infusion), 303)


def _clinician(staff_id: str | None) -> Staff | None:
    return next((one for one in clinicians() if str(one.id) == staff_id), None)

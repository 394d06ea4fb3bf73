"""Vitals: the ladder, the one line, not done, and corrections."""

import uuid
from datetime import datetime
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock, db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt
from clinic.core.times import clock_label
from clinic.protocols.limit_rules import Vital
from clinic.sessions import operations, queries
from clinic.sessions.chart_trend import trends
from clinic.sessions.due_rules import DueState, SettledDue, wanting_text
from clinic.sessions.event_rules import NotDoneReason
from clinic.sessions.forms_acts import NotDoneForm
from clinic.sessions.forms_vitals import CorrectionForm, VitalsEntry, VitalsForm, read_entry
from clinic.sessions.models import InfusionSession, ObservationSet
from clinic.sessions.pages_chart import chart_input
from clinic.sessions.pages_vitals import ladders, more_fields, questions, read_back, values_of
from clinic.sessions.pages_words import breach_texts, vitals_sentence
from clinic.sessions.progress import Progress, breaches_of, current, progress
from clinic.sessions.views_shared import bp, frame, load, session_url, zone
from clinic.sessions.views_sheet import drawn
from clinic.sessions.vital_rules import PAIN_NOT_ASKED, VITALS


@bp.get("/sessions/<uuid:infusion_id>/vitals")
@requires(Permission.RECORD_OBSERVATION)
def show_vitals(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The ladder: one tap for each value, nothing chosen before."""
    return _vitals_page(load(infusion_id), drawn(VitalsForm(formdata=None)), VitalsEntry())


@bp.post("/sessions/<uuid:infusion_id>/vitals")
@requires(Permission.RECORD_OBSERVATION)
def record_vitals(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Save a set of vitals from the ladder, the keypad or the one line; or turn a ladder's page."""
    infusion, form, now = load(infusion_id), VitalsForm(), clock.now()
    scale = infusion.order_version.terms.sedation_scale
    entry = read_entry(request.form, scale=scale)
    if entry.is_paging:
        return _vitals_page(infusion, form, entry)
    if entry.clock and not form.fold.data:
        form.at.process_formdata([entry.clock])
        form.at.raw_data = [entry.clock]
    is_valid = form.validate_on_submit()
    if is_valid and not entry.errors:

        def act() -> ObservationSet:
            return operations.record_observation(
                infusion,
                entry.values,
                observed_at=form.moment(now, zone()),
                note=_note(form, entry),
                by=actor(),
                at=now,
            )

        row = _try(entry, form, act)
        if row is not None:
            _tell(infusion, row, entry, now)
            return redirect(session_url(infusion), 303)
    return _vitals_page(load(infusion_id), form, entry, 422)


def _try(entry: VitalsEntry, form: VitalsForm, act: Any) -> Any:
    """Do the act in a savepoint; what is refused about a value stands at its ladder."""
    try:
        with db.session.begin_nested():
            return act()
    except RuleBroken as refusal:
        if refusal.field in {vital.value for vital in Vital}:
            entry.refuse(refusal)
        else:
            form.refuse(refusal)
        return None


def _note(form: VitalsForm, entry: VitalsEntry) -> str:
    parts = [entry.line_note, (form.note.data or "").strip(), PAIN_NOT_ASKED if entry.is_asleep else ""]
    return " ".join(part for part in parts if part)


def _tell(infusion: InfusionSession, row: ObservationSet, entry: VitalsEntry, now: datetime) -> None:
    found = breach_texts(breaches_of(row))
    if found:
        flash(f"Saved. {', '.join(found)}. Record who was told.", "crit")
    else:
        flash("Vitals saved.")
    for line in _asked_now(progress(infusion, now)):
        if line.is_begun:
            flash(f"For {clock_label(line.due.at, zone())}: {wanting_text(line)}.", "warn")
    for question in questions(entry):
        flash(f"{question} Correct the entry if not.", "warn")


def _vitals_page(
    infusion: InfusionSession,
    form: VitalsForm,
    entry: VitalsEntry,
    status: int = 200,
    *,
    not_done: NotDoneForm | None = None,
) -> ResponseReturnValue:
    now = clock.now()
    going = progress(infusion, now)
    has_sedation = infusion.order_version.terms.sedation_scale is not None
    waiting = going.next_due
    page = render_template(
        "sessions/vitals.html",
        **frame(infusion, now),
        form=form,
        entry=entry,
        page_errors=bool(entry.errors),
        ladders=ladders(infusion, going, entry),
        trends=trends(chart_input(infusion, going, zone=zone(), now=now)),
        more=more_fields(entry),
        readback=read_back(entry, has_sedation=has_sedation),
        wanted=[(line.due.at, text) for line in _asked_now(going) if (text := wanting_text(line))],
        not_done_at=waiting.due.at if waiting and _is_due(waiting.state) else None,
        not_done=not_done or NotDoneForm(formdata=None),
        back_to=session_url(infusion),
    )
    return page, status


def _asked_now(going: Progress) -> list[SettledDue]:
    """Return everything that is due now, as a recheck beside the schedule, or else what falls due next."""
    due = [line for line in going.dues if _is_due(line.state)]
    return due or ([going.next_due] if going.next_due else [])


def _is_due(state: DueState) -> bool:
    return state in {DueState.DUE, DueState.OVERDUE}


@bp.post("/sessions/<uuid:infusion_id>/vitals/not-done")
@requires(Permission.RECORD_OBSERVATION)
def mark_vitals_not_done(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Say why vitals that were due could not be taken."""
    infusion, form = load(infusion_id), NotDoneForm()
    if attempt(form, lambda: _mark(infusion, form)) is not None:
        flash("Vitals marked as not done.")
        return redirect(session_url(infusion), 303)
    return _vitals_page(load(infusion_id), drawn(VitalsForm(formdata=None)), VitalsEntry(), 422, not_done=form)


def _mark(infusion: InfusionSession, form: NotDoneForm) -> object:
    try:
        due_at = datetime.fromisoformat(form.due_at.data or "")
    except ValueError as problem:
        raise RuleBroken("No vitals were due at this time.", field="due_at") from problem
    if due_at.utcoffset() is None:
        raise RuleBroken("No vitals were due at this time.", field="due_at")
    reason = NotDoneReason(form.reason.data)
    return operations.mark_not_done(infusion, due_at, reason, detail=form.detail.data, by=actor(), at=clock.now())


# --- corrections -----------------------------------------------------------------------------------------------------


@bp.get("/entries/<uuid:observation_id>/correct")
@requires(Permission.CORRECT_OBSERVATION)
def show_correction(observation_id: uuid.UUID) -> ResponseReturnValue:
    """A set of vitals with its values, to be corrected by its author or a physician."""
    row, infusion = _entry(observation_id)
    entry = VitalsEntry(typed=values_of(row))
    form = CorrectionForm(formdata=None, note=row.note)
    form.draw(row.observed_at, zone())
    return _correction_page(infusion, row, form, entry)


@bp.post("/entries/<uuid:observation_id>/correct")
@requires(Permission.CORRECT_OBSERVATION)
def correct(observation_id: uuid.UUID) -> ResponseReturnValue:
    """Put a corrected set in the place of one, or withdraw it; the first stays, struck through."""
    row, infusion = _entry(observation_id)
    form, now = CorrectionForm(), clock.now()
    entry = read_entry(request.form, scale=infusion.order_version.terms.sedation_scale, is_plain=True)
    _refuse_corrected(infusion, row, entry)
    is_valid = form.validate_on_submit()
    is_withdrawn = request.form.get("act") == "withdraw"
    if is_valid and (is_withdrawn or not entry.errors):

        def act() -> ObservationSet:
            reason = form.reason.data or ""
            if is_withdrawn:
                return operations.void_observation(row, reason, by=actor(), at=now)
            return operations.correct_observation(row, _changes(row, form, entry, now), reason, by=actor(), at=now)

        if _try(entry, form, act) is not None:
            flash(
                "Withdrawn. The entry stays, struck through." if is_withdrawn else "Corrected. The first entry stays."
            )
            return redirect(session_url(infusion), 303)
    row, infusion = _entry(observation_id)
    return _correction_page(infusion, row, form, entry, 422)


def _changes(row: ObservationSet, form: CorrectionForm, entry: VitalsEntry, now: datetime) -> dict[str, Any]:
    """Return what was changed; the time keeps its seconds unless another minute was typed."""
    shown = (*values_of(row), *entry.values)
    changes: dict[str, Any] = {vital.value: entry.values.get(vital) for vital in shown}
    changes["note"] = form.note.data or ""
    changes["observed_at"] = form.moment_beside(row.observed_at, now, zone())
    return changes


def _refuse_corrected(infusion: InfusionSession, row: ObservationSet, entry: VitalsEntry) -> None:
    if row in current(infusion.observation_sets):
        return
    newer = next((one for one in infusion.observation_sets if one.supersedes_id == row.id), None)
    mine = [(VITALS[vital].label, str(value)) for vital, value in entry.values.items()]
    values = values_of(newer) if newer is not None and not newer.is_void else {}
    theirs = [(VITALS[vital].label, text) for vital, text in values.items()]
    conflict = Conflict(
        "Somebody else has corrected this entry meanwhile. Nothing of yours was saved.", mine=mine, theirs=theirs
    )
    conflict.saved_url = url_for(".show_session", infusion_id=infusion.id)
    raise conflict


def _entry(observation_id: uuid.UUID) -> tuple[ObservationSet, InfusionSession]:
    found = queries.observation(observation_id)
    if found is None:
        abort(404)
    infusion = load(found.infusion_id)
    return next(row for row in infusion.observation_sets if row.id == observation_id), infusion


def _correction_page(
    infusion: InfusionSession, row: ObservationSet, form: CorrectionForm, entry: VitalsEntry, status: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "sessions/correct.html",
        **frame(infusion, clock.now()),
        form=form,
        entry=entry,
        page_errors=bool(entry.errors),
        row=row,
        stands_at=row.observed_at,
        action_url=url_for(".correct", observation_id=row.id),
        was=vitals_sentence(row),
        may_correct=row.recorded_by_id == actor().id or actor().may(Permission.SIGN_ORDER),
        is_standing=row in current(infusion.observation_sets),
        fields=[(vital.value, VITALS[vital], entry.typed.get(vital, "")) for vital in VITALS if vital is not Vital.MAP],
        back_to=url_for(".show_session", infusion_id=infusion.id),
    )
    return page, status

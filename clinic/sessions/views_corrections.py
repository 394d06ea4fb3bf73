"""Corrections of what was recorded besides the vitals, by the one who recorded it or a physician.

One page for each kind of entry: an act at the pump, a medicine as needed, the line, vitals that were not taken, what
was said or done, an adverse event.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt
from clinic.sessions import operations, queries
from clinic.sessions.event_rules import SessionEventKind
from clinic.sessions.forms_corrections import (
    ActCorrectionForm,
    AdverseCorrectionForm,
    DoseCorrectionForm,
    EntryCorrectionForm,
    EventCorrectionForm,
    LineCorrectionForm,
    NotDoneCorrectionForm,
)
from clinic.sessions.models import (
    AdministrationEvent,
    AdverseEvent,
    InfusionSession,
    IvRecord,
    ObservationNotDone,
    PrnDose,
    SessionEvent,
)
from clinic.sessions.pages_log import log_rows
from clinic.sessions.progress import current, progress
from clinic.sessions.rules import AdministrationKind
from clinic.sessions.views_shared import bp, frame, load, session_url, zone

# What the nurse read or did in an act of each kind, besides its time and its reason.
_OF_ACT: Final = {
    AdministrationKind.START: ("rate_ml_h", "volume_to_infuse_ml"),
    AdministrationKind.RATE_CHANGE: ("rate_ml_h", "pump_volume_ml"),
    AdministrationKind.PAUSE: (),
    AdministrationKind.RESUME: ("rate_ml_h",),
    AdministrationKind.BOLUS: ("bolus_mg", "bolus_over_min"),
    AdministrationKind.BAG_CHANGE: ("volume_to_infuse_ml", "rate_ml_h", "pump_volume_ml"),
    AdministrationKind.STOP: ("pump_volume_ml",),
}


@dataclass(frozen=True, slots=True)
class EntryKind:
    """A kind of entry: where its rows are, what of them is corrected, and the verbs that do it."""

    name: str
    path: str
    model: type[Any]
    rows: Callable[[InfusionSession], list[Any]]
    form: type[EntryCorrectionForm]
    at: str
    fields: Callable[[Any], tuple[str, ...]]
    correct: Callable[..., object]
    void: Callable[..., object]
    head: str
    never: str
    # A due time stays what it was.
    is_timed: bool = True


def _event_fields(event: SessionEvent) -> tuple[str, ...]:
    return ("text", "reply") if event.kind is SessionEventKind.NOTIFY else ("text",)


_KINDS: Final = (
    EntryKind(
        name="act",
        path="acts",
        model=AdministrationEvent,
        rows=lambda infusion: infusion.administrations,
        form=ActCorrectionForm,
        at="happened_at",
        fields=lambda act: (*_OF_ACT[act.kind], "said"),
        correct=operations.correct_administration,
        void=operations.void_administration,
        head="What the pump was made to do",
        never="Another patient's pump, or never done",
    ),
    EntryKind(
        name="dose",
        path="doses",
        model=PrnDose,
        rows=lambda infusion: infusion.prn_doses,
        form=DoseCorrectionForm,
        at="given_at",
        fields=lambda _dose: ("dose", "said"),
        correct=operations.correct_prn,
        void=operations.void_prn,
        head="What was given",
        never="Another patient, another medicine, or never given",
    ),
    EntryKind(
        name="line",
        path="lines",
        model=IvRecord,
        rows=lambda infusion: infusion.iv_records,
        form=LineCorrectionForm,
        at="happened_at",
        fields=lambda _line: ("site", "gauge", "vip_score", "detail"),
        correct=operations.correct_line,
        void=operations.void_line,
        head="What was done with the line",
        never="Another patient, another act, or never done",
    ),
    EntryKind(
        name="not_done",
        path="not-done",
        model=ObservationNotDone,
        rows=lambda infusion: infusion.not_done,
        form=NotDoneCorrectionForm,
        at="due_at",
        fields=lambda _mark: ("said", "detail"),
        correct=operations.correct_not_done,
        void=operations.void_not_done,
        head="Why these vitals were not taken",
        never="Another patient, or taken after all",
        is_timed=False,
    ),
    EntryKind(
        name="event",
        path="events",
        model=SessionEvent,
        rows=lambda infusion: infusion.events,
        form=EventCorrectionForm,
        at="happened_at",
        fields=_event_fields,
        correct=operations.correct_event,
        void=operations.void_event,
        head="What was said or done",
        never="Another patient, or never happened",
    ),
    EntryKind(
        name="adverse",
        path="adverse-events",
        model=AdverseEvent,
        rows=lambda infusion: infusion.adverse_events,
        form=AdverseCorrectionForm,
        at="onset_at",
        fields=lambda _event: ("term", "grade", "action"),
        correct=operations.correct_adverse_event,
        void=operations.void_adverse_event,
        head="What happened",
        never="Another patient, or never happened",
    ),
)


def _register(kind: EntryKind) -> None:
    """Give a kind of entry its two views: its page, and the correction or withdrawal of the entry."""

    @requires(Permission.RUN_SESSION)
    def show(entry_id: uuid.UUID) -> ResponseReturnValue:
        row, infusion = _entry(kind, entry_id)
        form = kind.form(formdata=None)
        form.draw(getattr(row, kind.at), zone())
        form.show(row, kind.fields(row))
        return _page(kind, infusion, row, form)

    @requires(Permission.RUN_SESSION)
    def correct(entry_id: uuid.UUID) -> ResponseReturnValue:
        row, infusion = _entry(kind, entry_id)
        form, now = kind.form(), clock.now()
        is_withdrawn = request.form.get("act") == "withdraw"

        def act() -> object:
            reason = form.reason.data or ""
            if is_withdrawn:
                return kind.void(row, reason, by=actor(), at=now)
            changes = form.values(kind.fields(row))
            if kind.is_timed:
                changes |= {kind.at: form.moment_beside(getattr(row, kind.at), now, zone())}
            return kind.correct(row, changes, reason, by=actor(), at=now)

        if attempt(form, act) is not None:
            done = (
                "Withdrawn. The entry stays, struck through." if is_withdrawn else "Corrected. The first entry stays."
            )
            flash(done)
            return redirect(session_url(infusion), 303)
        row, infusion = _entry(kind, entry_id)
        return _page(kind, infusion, row, form, 422)

    address = f"/{kind.path}/<uuid:entry_id>/correct"
    bp.add_url_rule(address, f"show_{kind.name}_correction", show, methods=["GET"])
    bp.add_url_rule(address, f"correct_{kind.name}", correct, methods=["POST"])


for _kind in _KINDS:
    _register(_kind)


def _entry(kind: EntryKind, entry_id: uuid.UUID) -> tuple[Any, InfusionSession]:
    found: Any | None = queries.entry(kind.model, entry_id)
    if found is None:
        abort(404)
    infusion = load(found.infusion_id)
    return next(row for row in kind.rows(infusion) if row.id == entry_id), infusion


def _page(
    kind: EntryKind, infusion: InfusionSession, row: Any, form: EntryCorrectionForm, status: int = 200
) -> ResponseReturnValue:
    now = clock.now()
    lines = log_rows(infusion, progress(infusion, now), late_min=None)
    page = render_template(
        "sessions/correct_entry.html",
        **frame(infusion, now),
        form=form,
        row=row,
        stands_at=getattr(row, kind.at),
        was=next((line.title for line in lines if line.row_id == row.id), ""),
        may_correct=row.recorded_by_id == actor().id or actor().may(Permission.SIGN_ORDER),
        is_standing=row in current(kind.rows(infusion)),
        fields=[form[name] for name in kind.fields(row)],
        units={"dose": row.unit} if kind.model is PrnDose else {},
        head=kind.head,
        is_timed=kind.is_timed,
        withdraw_words=kind.never,
        action_url=url_for(f".correct_{kind.name}", entry_id=row.id),
        back_to=session_url(infusion),
    )
    return page, status

"""The side sheets of a running session: pause, resume, stop, bolus, bag, and what they share."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import Field

from clinic.accounts.current import actor
from clinic.core import clock, db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.forms import Form
from clinic.core.permissions import Permission, requires
from clinic.core.requests import drawn_version
from clinic.core.units import Unit
from clinic.orders import operations as orders
from clinic.orders.models import VerbalOrder
from clinic.sessions import operations
from clinic.sessions.forms_acts import (
    BagForm,
    BolusForm,
    PauseForm,
    ResumeForm,
    SpokenForm,
    StopForm,
    TimedForm,
    number,
)
from clinic.sessions.models import InfusionSession
from clinic.sessions.pages_log import log_rows
from clinic.sessions.pages_words import shown_mg, shown_rate
from clinic.sessions.progress import progress
from clinic.sessions.views_shared import bp, load, physicians, session_page, zone

T = TypeVar("T")
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A side sheet: its fields with their looks, the facts above them and the verb of its button."""

    title: str
    action: str
    save: str
    fields: tuple[tuple[Field, dict[str, Any]], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    lead: str = ""
    kind: str = "pri"
    more: tuple[tuple[Field, dict[str, Any]], ...] = ()
    more_title: str = ""


def edition(infusion: InfusionSession) -> int:
    """Return a number that grows with every act at the pump and every change of the session itself."""
    return infusion.version * 10_000 + len(infusion.administrations)


def refuse_stale(infusion: InfusionSession, mine: Pairs) -> None:
    """Raise Conflict when somebody else has worked at the pump since this sheet was drawn."""
    drawn = drawn_version()
    if drawn is None or drawn == edition(infusion):
        return
    rows = log_rows(infusion, progress(infusion, clock.now()), late_min=None)
    newest = next((row for row in sorted(rows, key=lambda row: row.recorded_at, reverse=True) if row.title), None)
    theirs = [("Newest entry", f"{newest.title}, {newest.by}")] if newest else []
    raise Conflict(
        "Somebody else changed this session at the same moment. Nothing of yours was saved.", mine=mine, theirs=theirs
    )


def attempt(form: Form, act: Callable[[], T]) -> T | None:
    """Do an act in a savepoint; a refusal of the rules goes to the form and leaves nothing behind."""
    try:
        with db.session.begin_nested():
            return act()
    except RuleBroken as refusal:
        form.refuse(refusal)
        return None


def typed(form: Form) -> Pairs:
    """Return what was typed, for the conflict page."""
    hidden = {"csrf_token", "password", "double_check_id", "about"}
    return [(field.label.text, str(field.data)) for field in form if field.name not in hidden and field.data]


def show(infusion: InfusionSession, form: Form, sheet: Sheet, *, status: int = 200) -> ResponseReturnValue:
    """Draw the flowsheet with a sheet beside it."""
    answer: ResponseReturnValue = session_page(
        infusion,
        status=status,
        template="sessions/sheet.html",
        form=form,
        sheet=sheet,
        is_sheet=True,
        edition=edition(infusion),
    )
    return answer


def drawn(form: TimedForm) -> Any:
    """Fill in the time of drawing."""
    form.draw(clock.now(), zone())
    return form


def settle(
    infusion: InfusionSession,
    form: Form,
    act: Callable[[], object],
    sheet: Callable[[InfusionSession, Any], Sheet],
    *,
    said: str,
    onwards: str | None = None,
) -> ResponseReturnValue:
    """Do the act of a posted sheet and go on, or draw the sheet again with what was typed and why not."""
    if form.validate_on_submit():
        refuse_stale(infusion, typed(form))
        if attempt(form, lambda: (act(), True)):
            flash(said)
            return redirect(onwards or url_for("sessions.show_session", infusion_id=infusion.id), 303)
    again = load(infusion.id)
    return show(again, form, sheet(again, form), status=422)


def last_act_at(infusion: InfusionSession) -> datetime | None:
    """Return when the pump was last touched."""
    return max((row.happened_at for row in infusion.administrations), default=None)


def moment(infusion: InfusionSession, form: TimedForm, now: datetime) -> datetime:
    """Return the instant a pump act is about."""
    return form.moment(now, zone(), after=last_act_at(infusion))


def spoken_order(infusion: InfusionSession, form: SpokenForm, when: datetime, now: datetime) -> VerbalOrder | None:
    """Write down the order that was spoken, where the sheet names a speaker."""
    if not form.is_spoken:
        return None
    speaker = next((one for one in physicians() if str(one.id) == form.spoken_by_id.data), None)
    if speaker is None:
        raise RuleBroken("Choose who spoke.", field="spoken_by_id")
    return orders.write_verbal_order(
        infusion.order_version,
        form.spoken_text.data or "",
        spoken_by=speaker,
        spoken_at=when,
        is_read_back=bool(form.is_read_back.data),
        by=actor(),
        at=now,
    )


def spoken_fields(form: SpokenForm) -> tuple[tuple[Field, dict[str, Any]], ...]:
    """Return the fields of a spoken order, which stand folded."""
    return ((form.spoken_by_id, {}), (form.spoken_text, {}), (form.is_read_back, {}))


def clock_of(form: TimedForm) -> str:
    """Return the time on the sheet, for its button."""
    return "" if form.at.data is None else f" at {form.at.data:%H:%M}"


# --- pause, resume, stop ---------------------------------------------------------------------------------------------


def _pause_sheet(infusion: InfusionSession, form: PauseForm) -> Sheet:
    return Sheet(
        "Pause",
        url_for(".pause", infusion_id=infusion.id),
        f"Pause{clock_of(form)}",
        ((form.why, {"look": "grid", "columns": 3}), (form.reason, {})),
        lead="Pause the pump, then record. The reason may follow later. Vitals go on falling due.",
    )


@bp.get("/sessions/<uuid:infusion_id>/pause")
@requires(Permission.RUN_SESSION)
def show_pause(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The sheet for holding the pump."""
    infusion, form = load(infusion_id), drawn(PauseForm(formdata=None))
    return show(infusion, form, _pause_sheet(infusion, form))


@bp.post("/sessions/<uuid:infusion_id>/pause")
@requires(Permission.RUN_SESSION)
def pause(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Hold the pump."""
    infusion, form, now = load(infusion_id), PauseForm(), clock.now()

    def act() -> object:
        when = moment(infusion, form, now)
        return operations.pause(infusion, happened_at=when, reason=form.said, by=actor(), at=now)

    return settle(infusion, form, act, _pause_sheet, said="Paused.")


def _resume_sheet(infusion: InfusionSession, form: ResumeForm) -> Sheet:
    form.offer(physicians())
    going = progress(infusion, clock.now())
    rate = shown_rate(going.set_ml_h, Unit.ML_PER_H)
    return Sheet(
        "Resume",
        url_for(".resume", infusion_id=infusion.id),
        f"Resume{clock_of(form)}",
        ((form.rate_ml_h, {"hint": f"left empty, the pump goes on at {rate}"}), (form.reason, {})),
        facts=(("Pump set to", rate), ("Given so far", shown_mg(going.delivered_mg))),
        more=spoken_fields(form),
        more_title="On a spoken order",
    )


@bp.get("/sessions/<uuid:infusion_id>/resume")
@requires(Permission.RUN_SESSION)
def show_resume(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The sheet for letting the pump run on."""
    infusion, form = load(infusion_id), drawn(ResumeForm(formdata=None))
    return show(infusion, form, _resume_sheet(infusion, form))


@bp.post("/sessions/<uuid:infusion_id>/resume")
@requires(Permission.RUN_SESSION)
def resume(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Let the pump run on."""
    infusion, form, now = load(infusion_id), ResumeForm(), clock.now()
    form.offer(physicians())

    def act() -> object:
        when = moment(infusion, form, now)
        return operations.resume(
            infusion,
            happened_at=when,
            rate_ml_h=number(form.rate_ml_h),
            reason=form.said,
            verbal_order=spoken_order(infusion, form, when, now),
            by=actor(),
            at=now,
        )

    return settle(infusion, form, act, _resume_sheet, said="Running again.")


def _stop_sheet(infusion: InfusionSession, form: StopForm) -> Sheet:
    going = progress(infusion, clock.now())
    return Sheet(
        f"Stop the infusion of {infusion.patient.name}?",
        url_for(".stop", infusion_id=infusion.id),
        "Stop infusion",
        (
            (form.why, {"look": "grid", "columns": 3, "hint": "may follow later"}),
            (form.pump_volume_ml, {}),
            (form.reason, {}),
        ),
        facts=(
            ("Given so far", shown_mg(going.delivered_mg)),
            ("By the pump's rate", shown_rate(going.delivered_ml, Unit.ML)),
        ),
        lead="Starting again needs a new version of the order.",
        kind="danger",
    )


@bp.get("/sessions/<uuid:infusion_id>/stop")
@requires(Permission.RUN_SESSION)
def show_stop(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The sheet for stopping: two taps when it is urgent."""
    infusion, form = load(infusion_id), drawn(StopForm(formdata=None))
    return show(infusion, form, _stop_sheet(infusion, form))


@bp.post("/sessions/<uuid:infusion_id>/stop")
@requires(Permission.RUN_SESSION)
def stop(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Stop for good."""
    infusion, form, now = load(infusion_id), StopForm(), clock.now()

    def act() -> object:
        when = moment(infusion, form, now)
        volume = number(form.pump_volume_ml)
        return operations.stop(infusion, happened_at=when, reason=form.said, pump_volume_ml=volume, by=actor(), at=now)

    return settle(infusion, form, act, _stop_sheet, said="Stopped. The patient is recovering.")


# --- bolus and bag ---------------------------------------------------------------------------------------------------


def _bolus_sheet(infusion: InfusionSession, form: BolusForm) -> Sheet:
    form.offer(physicians())
    terms = infusion.order_version.terms
    ordered = shown_mg(terms.bolus_mg, is_final=True) if terms.bolus_mg else "the order has no bolus"
    return Sheet(
        "Bolus",
        url_for(".give_bolus", infusion_id=infusion.id),
        f"Record bolus{clock_of(form)}",
        ((form.bolus_mg, {}), (form.over_min, {}), (form.reason, {})),
        facts=(("Ordered", ordered),),
        more=spoken_fields(form),
        more_title="On a spoken order",
    )


@bp.get("/sessions/<uuid:infusion_id>/bolus")
@requires(Permission.RUN_SESSION)
def show_bolus(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The sheet for a bolus."""
    infusion, form = load(infusion_id), drawn(BolusForm(formdata=None))
    return show(infusion, form, _bolus_sheet(infusion, form))


@bp.post("/sessions/<uuid:infusion_id>/bolus")
@requires(Permission.RUN_SESSION)
def give_bolus(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Record a bolus."""
    infusion, form, now = load(infusion_id), BolusForm(), clock.now()
    form.offer(physicians())

    def act() -> object:
        when = moment(infusion, form, now)
        return operations.bolus(
            infusion,
            bolus_mg=number(form.bolus_mg) or Decimal(0),
            over_min=number(form.over_min),
            happened_at=when,
            reason=form.said,
            verbal_order=spoken_order(infusion, form, when, now),
            by=actor(),
            at=now,
        )

    return settle(infusion, form, act, _bolus_sheet, said="Bolus recorded.")


def _bag_sheet(infusion: InfusionSession, form: BagForm) -> Sheet:
    return Sheet(
        "New bag or syringe",
        url_for(".change_bag", infusion_id=infusion.id),
        f"Record new bag{clock_of(form)}",
        ((form.concentration_mg_ml, {}), (form.volume_to_infuse_ml, {}), (form.rate_ml_h, {}), (form.reason, {})),
        lead="Type the concentration from the label of the new bag.",
    )


@bp.get("/sessions/<uuid:infusion_id>/bag")
@requires(Permission.RUN_SESSION)
def show_bag(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The sheet for another bag."""
    infusion, form = load(infusion_id), drawn(BagForm(formdata=None))
    return show(infusion, form, _bag_sheet(infusion, form))


@bp.post("/sessions/<uuid:infusion_id>/bag")
@requires(Permission.RUN_SESSION)
def change_bag(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Hang another bag."""
    infusion, form, now = load(infusion_id), BagForm(), clock.now()

    def act() -> object:
        when = moment(infusion, form, now)
        return operations.change_bag(
            infusion,
            happened_at=when,
            concentration_mg_ml=number(form.concentration_mg_ml),
            volume_to_infuse_ml=number(form.volume_to_infuse_ml),
            rate_ml_h=number(form.rate_ml_h),
            reason=form.said,
            by=actor(),
            at=now,
        )

    return settle(infusion, form, act, _bag_sheet, said="New bag recorded.")

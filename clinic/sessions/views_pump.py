"""The side sheets of a running pump: pause, resume, stop, bolus, bag. Rates have views of their own."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from wtforms import Field

from clinic.accounts.current import actor, clinic
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.core.times import clock_label
from clinic.core.units import Unit
from clinic.orders import operations as orders
from clinic.orders.models import VerbalOrder
from clinic.sessions import operations
from clinic.sessions.forms_acts import (
    WHY_PAUSE,
    WHY_STOP,
    BagForm,
    BolusForm,
    LateReasonForm,
    PauseForm,
    PumpReadingFields,
    ResumeForm,
    SpokenForm,
    StopForm,
    choices,
    number,
    options,
)
from clinic.sessions.models import AdministrationEvent, InfusionSession
from clinic.sessions.pages_log import lacks_reason
from clinic.sessions.pages_words import shown_mg, shown_rate
from clinic.sessions.progress import current, progress
from clinic.sessions.rules import AdministrationKind
from clinic.sessions.views_shared import physicians, zone
from clinic.sessions.views_sheet import Sheet, clock_of, side_sheet

pump_sheet = partial(side_sheet, is_at_pump=True)


def _pause_sheet(_infusion: InfusionSession, form: PauseForm) -> Sheet:
    return Sheet(
        "Pause",
        f"Pause{clock_of(form)}",
        ((form.why, {"look": "grid", "columns": 3}), (form.reason, {})),
        lead="Pause the pump, then record. The reason may follow later. Vitals go on falling due.",
    )


@pump_sheet("pause", PauseForm, _pause_sheet, opens="show_pause", said="Paused.")
def pause(infusion: InfusionSession, form: PauseForm, when: datetime, now: datetime) -> AdministrationEvent:
    """Hold the pump."""
    return operations.pause(infusion, happened_at=when, reason=form.said, by=actor(), at=now)


def _resume_sheet(infusion: InfusionSession, form: ResumeForm) -> Sheet:
    form.offer(physicians())
    going = progress(infusion, clock.now())
    rate = shown_rate(going.set_ml_h, Unit.ML_PER_H)
    return Sheet(
        "Resume",
        f"Resume{clock_of(form)}",
        ((form.rate_ml_h, {"hint": f"left empty, the pump goes on at {rate}"}), (form.reason, {})),
        facts=(("Pump set to", rate), ("Given so far", shown_mg(going.delivered_mg))),
        more=_spoken_fields(form),
        more_title="On a spoken order",
    )


@pump_sheet("resume", ResumeForm, _resume_sheet, opens="show_resume", said="Running again.")
def resume(infusion: InfusionSession, form: ResumeForm, when: datetime, now: datetime) -> AdministrationEvent:
    """Let the pump run on."""
    return operations.resume(
        infusion,
        happened_at=when,
        rate_ml_h=number(form.rate_ml_h),
        reason=form.said,
        verbal_order=spoken_order(infusion, form, when, now),
        by=actor(),
        at=now,
    )


def _stop_sheet(infusion: InfusionSession, form: StopForm) -> Sheet:
    return Sheet(
        f"Stop the infusion of {infusion.patient.name}?",
        "Stop infusion",
        (
            (form.why, {"look": "grid", "columns": 3, "hint": "may follow later"}),
            *_volume_fields(form),
            (form.reason, {}),
        ),
        facts=_given(infusion),
        lead="Starting again needs a new version of the order.",
        kind="danger",
    )


@pump_sheet("stop", StopForm, _stop_sheet, opens="show_stop", said="Stopped. The patient is recovering.")
def stop(infusion: InfusionSession, form: StopForm, when: datetime, now: datetime) -> AdministrationEvent:
    """Stop for good: two taps when it is urgent."""
    return operations.stop(infusion, happened_at=when, reason=form.said, shown=form.shown, by=actor(), at=now)


def _given(infusion: InfusionSession) -> tuple[tuple[str, str], ...]:
    """Return what was given by the pump's rates, to stand beside the pump's own number."""
    going = progress(infusion, clock.now())
    return (
        ("Given so far", shown_mg(going.delivered_mg)),
        ("By the pump's rate", shown_rate(going.delivered_ml, Unit.ML)),
    )


def _volume_fields(form: PumpReadingFields) -> tuple[tuple[Field, dict[str, Any]], ...]:
    """Return the field of the pump's volume, and which number is right once they are too far apart."""
    if not form.asks_volume:
        return ((form.pump_volume_ml, {}),)
    return ((form.pump_volume_ml, {}), (form.right_volume, {"look": "seg"}), (form.volume_reason, {}))


def _late_reason_sheet(infusion: InfusionSession, form: LateReasonForm) -> Sheet:
    event = _unexplained(infusion, form)
    is_stop = event is not None and event.kind is AdministrationKind.STOP
    volume = _volume_fields(form) if is_stop and event is not None and event.pump_volume_ml is None else ()
    form.why.choices = options(choices(WHY_STOP if is_stop else WHY_PAUSE))
    when = "" if event is None else f" at {clock_label(event.happened_at, zone())}"
    return Sheet(
        f"Why it was {'stopped' if is_stop else 'paused'}{when}",
        "Save the reason",
        ((form.about, {}), (form.why, {"look": "grid", "columns": 3}), (form.reason, {}), *volume),
        is_timed=False,
    )


@side_sheet(
    "reason", LateReasonForm, _late_reason_sheet, opens="show_late_reason", said="Reason saved.", brings=("about",)
)
def say_why(infusion: InfusionSession, form: LateReasonForm, _when: datetime, now: datetime) -> AdministrationEvent:
    """Say later why the pump was paused or stopped."""
    event = _unexplained(infusion, form)
    if event is None:
        raise RuleBroken("The reason is there already.")
    return operations.say_why(event, form.said, shown=form.shown, by=actor(), at=now)


def _unexplained(infusion: InfusionSession, form: LateReasonForm) -> AdministrationEvent | None:
    found = (row for row in current(infusion.administrations) if lacks_reason(row))
    return next((row for row in found if str(row.id) == form.about.data), None)


def _bolus_sheet(infusion: InfusionSession, form: BolusForm) -> Sheet:
    form.offer(physicians())
    terms = infusion.order_version.terms
    ordered = shown_mg(terms.bolus_mg, is_final=True) if terms.bolus_mg else "the order has no bolus"
    return Sheet(
        "Bolus",
        f"Record bolus{clock_of(form)}",
        ((form.bolus_mg, {}), (form.over_min, {}), (form.reason, {})),
        facts=(("Ordered", ordered),),
        lead="In this clinic a physician gives the bolus." if clinic().bolus_role is Role.PHYSICIAN else "",
        more=_spoken_fields(form),
        more_title="On a spoken order",
    )


@pump_sheet("bolus", BolusForm, _bolus_sheet, opens="show_bolus", said="Bolus recorded.")
def give_bolus(infusion: InfusionSession, form: BolusForm, when: datetime, now: datetime) -> AdministrationEvent:
    """Record a bolus."""
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


def _bag_sheet(infusion: InfusionSession, form: BagForm) -> Sheet:
    return Sheet(
        "New bag or syringe",
        f"Record new bag{clock_of(form)}",
        (
            (form.label, {"hint": "scan it or type it; empty where none was made here"}),
            (form.concentration_mg_ml, {}),
            (form.volume_to_infuse_ml, {}),
            (form.rate_ml_h, {}),
            *_volume_fields(form),
            (form.reason, {}),
        ),
        facts=_given(infusion),
        lead="Type the concentration from the label of the new bag.",
    )


@pump_sheet("bag", BagForm, _bag_sheet, opens="show_bag", said="New bag recorded.")
def change_bag(infusion: InfusionSession, form: BagForm, when: datetime, now: datetime) -> AdministrationEvent:
    """Hang another bag."""
    return operations.change_bag(
        infusion,
        happened_at=when,
        concentration_mg_ml=number(form.concentration_mg_ml),
        volume_to_infuse_ml=number(form.volume_to_infuse_ml),
        rate_ml_h=number(form.rate_ml_h),
        label=form.label.data,
        reason=form.said,
        shown=form.shown,
        by=actor(),
        at=now,
    )


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
        mode=form.mode,
        is_read_back=bool(form.is_read_back.data),
        by=actor(),
        at=now,
    )


def _spoken_fields(form: SpokenForm) -> tuple[tuple[Field, dict[str, Any]], ...]:
    """Return the fields of a spoken order, which stand folded."""
    return ((form.spoken_by_id, {}), (form.spoken_mode, {}), (form.spoken_text, {}), (form.is_read_back, {}))

"""The clinic's pumps and when they are out of service."""

import uuid
from collections.abc import Sequence

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock, formats
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.scheduling import operations_pumps, operations_standing, queries_rooms
from clinic.scheduling.forms import HoldPumpForm, ReasonForm, instant_of
from clinic.scheduling.forms_rooms import PumpForm, ServiceForm
from clinic.scheduling.models import Appointment
from clinic.scheduling.operations_breaking import StandsInTheWay
from clinic.scheduling.views import bp
from clinic.scheduling.views_appointment import appointment_page, appointment_posted


def _page(
    *, pump: PumpForm | None = None, service: ServiceForm | None = None, standing: Sequence[Appointment] = ()
) -> str:
    form = pump or service
    service = service or ServiceForm(formdata=None, prefix="out-")
    pumps = queries_rooms.pumps()
    service.pump.choices = {"": "Pump"} | {str(each.id): each.name for each in pumps}
    return render_template(
        "scheduling/pumps.html",
        pumps=pumps,
        closures=queries_rooms.pump_closures(clock.now()),
        form=form,
        pump_form=pump or PumpForm(formdata=None),
        service_form=service,
        standing=standing,
    )


@bp.get("/clinic/pumps")
@requires(Permission.BOOK)
def list_pumps() -> ResponseReturnValue:
    return _page()


@bp.post("/clinic/pumps/add")
@requires(Permission.BOOK)
def add_pump() -> ResponseReturnValue:
    form = PumpForm()
    if form.validate():
        try:
            made = operations_pumps.add_pump(form.name.data or "", form.serial.data or "", by=actor(), at=clock.now())
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash(f"Added pump {made.name}.")
            return redirect(url_for(".list_pumps"), 303)
    return _page(pump=form), 422


@bp.post("/clinic/pumps/<uuid:pump_id>/retire")
@requires(Permission.BOOK)
def retire_pump(pump_id: uuid.UUID) -> ResponseReturnValue:
    pump = queries_rooms.pump(pump_id) or abort(404)
    try:
        operations_pumps.retire_pump(pump, by=actor(), at=clock.now())
    except StandsInTheWay as refusal:
        flash(refusal.message, "warn")
        return _page(standing=refusal.standing), 422
    flash(f"Pump {pump.name} is offered no more.")
    return redirect(url_for(".list_pumps"), 303)


@bp.post("/clinic/pumps/out")
@requires(Permission.BOOK)
def take_pump_out() -> ResponseReturnValue:
    form, pumps = ServiceForm(prefix="out-"), queries_rooms.pumps()
    form.pump.choices = {"": "Pump"} | {str(each.id): each.name for each in pumps}
    standing: Sequence[Appointment] = ()
    if form.validate():
        start, end = instant_of(form.from_day, form.from_time), instant_of(form.until_day, form.until_time)
        pump = next(each for each in pumps if str(each.id) == form.pump.data)
        if start is not None and end is not None:
            try:
                operations_pumps.take_out_of_service(
                    pump, starts_at=start, ends_at=end, reason=form.reason.data or "", by=actor(), at=clock.now()
                )
            except RuleBroken as refusal:
                form.refuse(refusal)
                standing = refusal.standing if isinstance(refusal, StandsInTheWay) else ()
            else:
                flash(f"Pump {pump.name} is out of service from {formats.weekday_day(start)} {formats.clock(start)}.")
                return redirect(url_for(".list_pumps"), 303)
    return _page(service=form, standing=standing), 422


@bp.post("/clinic/pumps/closures/<uuid:row_id>/end")
@requires(Permission.BOOK)
def put_pump_back(row_id: uuid.UUID) -> ResponseReturnValue:
    row = queries_rooms.pump_closure(row_id) or abort(404)
    form = ReasonForm()
    if form.validate():
        try:
            operations_pumps.put_back_in_service(row, reason=form.reason.data or "", by=actor(), at=clock.now())
        except RuleBroken as refusal:
            flash(refusal.message, "warn")
        else:
            flash(f"Pump {row.pump.name} is back in service.")
    else:
        flash("Nothing was changed: say why the pump is back.", "warn")
    return redirect(url_for(".list_pumps"), 303)


@bp.post("/calendar/appointments/<uuid:appointment_id>/pump")
@requires(Permission.BOOK)
def hold_pump(appointment_id: uuid.UUID) -> ResponseReturnValue:
    """Hold a pump with an appointment, or none."""
    form, pumps = HoldPumpForm(), queries_rooms.pumps()
    form.offer(pumps)
    appointment = appointment_posted(appointment_id, form)
    if form.validate():
        chosen = next((each for each in pumps if str(each.id) == form.pump_id.data), None)
        try:
            operations_standing.assign_pump(appointment, chosen, by=actor(), at=clock.now())
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash(f"Pump {chosen.name} is held." if chosen else "No pump is held.")
            return redirect(url_for(".show_appointment", appointment_id=appointment.id), 303)
    return appointment_page(appointment, pump=form), 422

"""Before infusion: every check saved as it is answered, the weight, the people, the rate, and the start."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from clinic.accounts import queries as staff_queries
from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.forms import Form
from clinic.core.permissions import Permission, requires
from clinic.core.requests import afterwards, attempt
from clinic.core.units import Unit, format_quantity
from clinic.druglog.preparation_queries import preparation
from clinic.patients import queries as patients
from clinic.patients import weighing
from clinic.patients.models import Weight
from clinic.patients.rules import WeightMethod
from clinic.protocols.models import CheckItem
from clinic.protocols.rules import CheckKind
from clinic.sessions import operations, queries
from clinic.sessions.event_rules import CheckPurpose, IvAction
from clinic.sessions.forms_acts import ProposalForm, StartForm, number
from clinic.sessions.forms_checks import CheckForm, IdentityForm, NotTodayForm, SupervisingForm, TimeOutForm, WeightForm
from clinic.sessions.models import GateAnswer, InfusionSession, RateProposal
from clinic.sessions.operations_checks import passed_check
from clinic.sessions.pages_checklist import checklist, pounds
from clinic.sessions.pages_words import drug_and_number
from clinic.sessions.rules import GateResult
from clinic.sessions.views_shared import bp, frame, load, physicians, zone

_RESULTS = {
    "yes": GateResult.PASS,
    "no": GateResult.FAIL,
    "na": GateResult.NOT_APPLICABLE,
    "override": GateResult.OVERRIDDEN,
}


def _page(infusion: InfusionSession, status: int = 200, **forms: Any) -> ResponseReturnValue:
    """Draw the page; `forms` are the ones that were just refused, with what was typed. `at_check` is where."""
    now = clock.now()
    supervising = forms.pop("supervising", None) or SupervisingForm(formdata=None)
    supervising.offer(physicians())
    refused = next((form for form in forms.values() if isinstance(form, Form)), None)
    drawn: dict[str, Any] = {
        "weight": WeightForm(formdata=None),
        "proposal": ProposalForm(formdata=None),
        "start": StartForm(formdata=None),
        "scanned": None,
        "time_out": TimeOutForm(formdata=None),
        "check": None,
        "at_check": None,
    } | forms
    page = render_template(
        "sessions/checklist.html",
        **frame(infusion, now),
        **drawn,
        supervising=supervising,
        form=refused or (supervising if supervising.errors or supervising.refusal else None),
        page=checklist(infusion, now=now, zone=zone()),
        what=drug_and_number(infusion),
    )
    return page, status


def _saved(infusion: InfusionSession, at: CheckItem | CheckKind | str | None = None) -> ResponseReturnValue:
    """Lead back to the page at the place that was worked on: the Tab key goes on from there."""
    if isinstance(at, CheckKind):
        at = next((item for item in infusion.order_version.terms.checks if item.kind is at), None)
    anchor = f"check-{at.id}" if isinstance(at, CheckItem) else at
    return redirect(url_for(".show_checklist", infusion_id=infusion.id, _anchor=anchor), 303)


def _item(infusion: InfusionSession, item_id: uuid.UUID) -> CheckItem:
    found = next((item for item in infusion.order_version.terms.checks if item.id == item_id), None)
    return found if found is not None else abort(404)


@bp.get("/sessions/<uuid:infusion_id>/checklist")
@requires(Permission.RUN_SESSION)
def show_checklist(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The checks of the order, each saved as it is answered."""
    infusion = load(infusion_id)
    if infusion.administrations or infusion.status.is_closed:
        return redirect(url_for(".show_session", infusion_id=infusion.id), 303)
    label = request.args.get("label", "")
    if label:
        return _look(infusion, StartForm(MultiDict({"label": label})), clock.now())
    return _page(infusion)


@bp.post("/sessions/<uuid:infusion_id>/checks/<uuid:item_id>/identity")
@requires(Permission.RUN_SESSION)
def check_identity(infusion_id: uuid.UUID, item_id: uuid.UUID) -> ResponseReturnValue:
    """Type the year of birth that the patient says."""
    infusion, form, now = load(infusion_id), IdentityForm(), clock.now()
    item = _item(infusion, item_id)

    def act() -> GateAnswer:
        return operations.answer_identity(infusion, item, int(form.year_of_birth.data or 0), by=actor(), at=now)

    answer = attempt(form, act)
    if answer is None:
        return _page(load(infusion_id), 422, check=form, at_check=item_id)
    if answer.result is not GateResult.PASS:
        flash("This year is not the one on the record. Check who the patient is.", "crit")
    return _saved(infusion, item)


@bp.post("/sessions/<uuid:infusion_id>/checks/<uuid:item_id>")
@requires(Permission.RUN_SESSION)
def answer_check(infusion_id: uuid.UUID, item_id: uuid.UUID) -> ResponseReturnValue:
    """Settle one check."""
    infusion, form, now = load(infusion_id), CheckForm(), clock.now()
    item = _item(infusion, item_id)
    if attempt(form, lambda: _answer(infusion, item, form, now)) is not None:
        return _saved(infusion, item)
    return _page(load(infusion_id), 422, check=form, at_check=item_id)


def _answer(infusion: InfusionSession, item: CheckItem, form: CheckForm, now: datetime) -> object:
    result = _RESULTS.get(form.answer.data or "")
    if result is None:
        raise RuleBroken("Choose an answer.", field="answer")
    detail = " ".join(part for part in (_measured(item, form, result), (form.detail.data or "").strip()) if part)
    name = (form.contact_name.data or "").strip()
    if item.kind is CheckKind.ESCORT and result is GateResult.PASS and not name:
        raise RuleBroken("Name the escort.", field="contact_name")
    if item.kind is CheckKind.IV_ACCESS and result is GateResult.PASS and (form.site.data or "").strip():
        operations.record_iv(
            infusion,
            IvAction.PLACED,
            happened_at=now,
            site=form.site.data,
            gauge=form.gauge.data,
            by=actor(),
            at=now,
        )
    return operations.answer_gate(
        infusion,
        item,
        result=result,
        detail=detail,
        contact_name=name,
        contact_phone=form.contact_phone.data,
        by=actor(),
        at=now,
    )


def _measured(item: CheckItem, form: CheckForm, result: GateResult) -> str:
    """Return the hours of fasting as text; they are asked where the answer is yes."""
    if item.kind is not CheckKind.FASTING:
        return ""
    solid, clear = number(form.solid_h), number(form.clear_h)
    if result is GateResult.PASS and solid is None and clear is None:
        raise RuleBroken("Enter the hours since food and since clear fluids.", field="solid_h")
    hours = [("food", solid), ("clear fluids", clear)]
    said = [f"{name} {format_quantity(value, Unit.H)} ago" for name, value in hours if value is not None]
    return ", ".join(said)


# --- weight and people -----------------------------------------------------------------------------------------------


@bp.post("/sessions/<uuid:infusion_id>/weight")
@requires(Permission.RECORD_WEIGHT)
def record_weight(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Weigh the patient: kilograms alone. An odd weight is held until it is typed again with the reason."""
    infusion, form, now = load(infusion_id), WeightForm(), clock.now()
    weight = attempt(form, lambda: _weigh(infusion, form, now))
    if weight is None:
        return _page(load(infusion_id), 422, weight=form)
    flash(f"{format_quantity(weight.kg, Unit.KG)}, that is {pounds(weight.kg)}.")
    return _saved(infusion, CheckKind.WEIGHT)


def _weigh(infusion: InfusionSession, form: WeightForm, now: datetime) -> Weight:
    kg = number(form.kg) or Decimal(0)
    again = number(form.again)
    if again is not None and again != kg:
        raise RuleBroken("The two weights differ. Weigh again.", field="again")
    try:
        weight = weighing.record_weight(
            infusion.patient,
            kg,
            method=WeightMethod.MEASURED,
            measured_at=now,
            by=actor(),
            at=now,
            confirmed=again is not None,
            reason=(form.reason.data or "").strip() or None,
        )
    except weighing.WeightHeld as refusal:
        _note_held(infusion.patient_id, kg, refusal, now)
        raise
    operations.use_weight(infusion, weight, by=actor(), at=now)
    return weight


def _note_held(patient_id: uuid.UUID, kg: Decimal, held: weighing.WeightHeld, now: datetime) -> None:
    """The refusal rolls the request back; its line in the trail is written afterwards, from rows read anew."""
    staff_id = actor().id

    def note() -> None:
        patient, by = patients.patient(patient_id), staff_queries.staff_with_roles(staff_id)
        if patient is not None and by is not None:
            weighing.note_refused_weight(patient, kg, held, by=by, at=now)

    afterwards(note)


@bp.post("/sessions/<uuid:infusion_id>/supervising")
@requires(Permission.RUN_SESSION)
def set_supervising(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Say which clinician is on site."""
    infusion, form, now = load(infusion_id), SupervisingForm(), clock.now()
    people = physicians()
    form.offer(people)

    def act() -> bool:
        person = next((one for one in people if str(one.id) == form.physician_id.data), None)
        if person is None:
            raise RuleBroken("Choose who is on site.", field="physician_id")
        operations.set_supervising(infusion, person, by=actor(), at=now)
        return True

    if attempt(form, act):
        return _saved(infusion, CheckKind.SUPERVISING)
    return _page(load(infusion_id), 422, supervising=form)


@bp.post("/sessions/<uuid:infusion_id>/time-out")
@requires(Permission.RUN_SESSION)
def record_time_out(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The team's pause before the start."""
    infusion, form, now = load(infusion_id), TimeOutForm(), clock.now()

    def act() -> object:
        return operations.time_out(infusion, form.text.data or "", happened_at=now, by=actor(), at=now)

    if attempt(form, act) is not None:
        flash("Time-out recorded.")
        return _saved(infusion, "pump")
    return _page(load(infusion_id), 422, time_out=form)


@bp.post("/sessions/<uuid:infusion_id>/order")
@requires(Permission.RUN_SESSION)
def adopt_order(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Go on under the version of the order that is in force now."""
    infusion, form, now = load(infusion_id), NotTodayForm(), clock.now()
    if attempt(form, lambda: operations.adopt_order(infusion, by=actor(), at=now)):
        flash("The session goes on under the order in force.")
        return _saved(infusion)
    return _page(load(infusion_id), 422, check=form)


# --- the rate and the start ------------------------------------------------------------------------------------------


@bp.post("/sessions/<uuid:infusion_id>/proposal")
@requires(Permission.RUN_SESSION)
def propose_rate(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Type the start rate as it stands on the pump; a second person computes it next."""
    infusion, form, now = load(infusion_id), ProposalForm(), clock.now()

    def act() -> RateProposal:
        rate = number(form.rate_ml_h) or Decimal(0)
        return operations.propose_rate(
            infusion, rate_ml_h=rate, purpose=CheckPurpose.START, proposed_at=now, by=actor(), at=now
        )

    proposal = attempt(form, act)
    if proposal is None:
        return _page(load(infusion_id), 422, proposal=form)
    if proposal.is_blocked:
        flash(f"Blocked. {proposal.findings}", "crit")
    return _saved(infusion, "pump")


@bp.post("/sessions/<uuid:infusion_id>/start")
@requires(Permission.RUN_SESSION)
def start(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Start the infusion at the rate that two people agree on."""
    infusion, form, now = load(infusion_id), StartForm(), clock.now()
    if request.form.get("act") == "look":  # a scanner ends with the Enter key: it looks, and starts nothing
        return _look(infusion, form, now)

    def act() -> object:
        check = passed_check(infusion)
        if check is None:
            raise RuleBroken("The independent double check is not done.")
        return operations.start(
            infusion,
            happened_at=now,
            double_check=check,
            volume_to_infuse_ml=number(form.volume_to_infuse_ml),
            label=form.label.data,
            reason=form.reason.data,
            by=actor(),
            at=now,
        )

    if infusion.administrations:  # somebody else pressed Start a moment ago
        return redirect(url_for(".show_session", infusion_id=infusion.id), 303)
    if attempt(form, act) is not None:
        flash("Infusion started.")
        return redirect(url_for(".show_session", infusion_id=infusion.id), 303)
    return _page(load(infusion_id), 422, start=form)


def _look(infusion: InfusionSession, form: StartForm, now: datetime) -> ResponseReturnValue:
    """Say whether the scanned label is of this session's bag, with everything else that was typed."""
    try:
        found = operations.to_hang(infusion, now, form.label.data)
    except RuleBroken as refusal:
        form.refuse(refusal)
        return _page(infusion, 422 if request.method == "POST" else 200, start=form)
    return _page(infusion, start=form, scanned=found)


@bp.get("/sessions/labels/<uuid:preparation_id>")
@requires(Permission.RUN_SESSION)
def show_labelled(preparation_id: uuid.UUID) -> ResponseReturnValue:
    """The session that a scanned bag or syringe was made for; before the start, with its code filled in."""
    made = preparation(preparation_id) or abort(404)
    infusion = queries.of_account(made.account_id) or abort(404)
    if infusion.administrations or infusion.status.is_closed:
        return redirect(url_for(".show_session", infusion_id=infusion.id), 303)
    return redirect(url_for(".show_checklist", infusion_id=infusion.id, label=made.code, _anchor="pump"), 303)


@bp.get("/sessions/<uuid:infusion_id>/not-done")
@requires(Permission.RUN_SESSION)
def show_not_done(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Where a session is given up before its start."""
    infusion = load(infusion_id)
    return _not_done_page(infusion, NotTodayForm(formdata=None))


def _not_done_page(infusion: InfusionSession, form: NotTodayForm) -> str:
    page = frame(infusion, clock.now()) | {"form": form, "what": drug_and_number(infusion)}
    return render_template("sessions/not_done.html", **page, is_untouched=operations.is_untouched(infusion))


@bp.post("/sessions/<uuid:infusion_id>/not-done")
@requires(Permission.RUN_SESSION)
def close_not_done(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Close a session in which nothing was infused."""
    infusion, form, now = load(infusion_id), NotTodayForm(), clock.now()

    def act() -> bool:
        operations.not_done(infusion, form.reason.data or "", by=actor(), at=now)
        return True

    if attempt(form, act):
        flash("Session closed as not done.")
        return redirect(url_for(".show_today"), 303)
    return _not_done_page(load(infusion_id), form), 422

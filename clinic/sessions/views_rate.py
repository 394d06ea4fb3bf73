"""Rates: change one, propose one from the pump, and the second person who computes it alone."""

import uuid
from decimal import Decimal

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt
from clinic.core.units import BadNumber, parse_decimal
from clinic.sessions import operations, queries
from clinic.sessions.event_rules import CheckPurpose
from clinic.sessions.forms_acts import PUMP_ML_H, RateForm, SecondPersonForm, number
from clinic.sessions.models import AdministrationEvent, DoubleCheck, HandOverOffer, InfusionSession, RateProposal
from clinic.sessions.pages_rate import RateWords, in_all_units, rate_sheet, words_of
from clinic.sessions.pages_session import order_panel
from clinic.sessions.progress import progress, pump
from clinic.sessions.views_pump import spoken_order
from clinic.sessions.views_shared import (
    bp,
    clinicians,
    frame,
    load,
    physicians,
    proved,
    say_beyond,
    session_page,
    session_url,
    zone,
)
from clinic.sessions.views_sheet import drawn, edition, last_act_at, refuse_stale


def _rate_page(infusion: InfusionSession, form: RateForm, status: int = 200) -> ResponseReturnValue:
    form.offer(physicians())
    check = _usable_check(infusion, form.double_check_id.data or request.args.get("check", ""))
    now, typed = clock.now(), number(form.rate_ml_h)
    bag = pump(infusion, now).concentration_mg_ml
    answer: ResponseReturnValue = session_page(
        infusion,
        status=status,
        template="sessions/sheet_rate.html",
        form=form,
        is_sheet=True,
        edition=edition(infusion),
        rate=rate_sheet(infusion, now=now, zone=zone(), checked_ml_h=check.proposal.rate_ml_h if check else None),
        typed=RateWords() if typed is None else words_of(infusion, typed, bag),
        check=check,
    )
    return answer


def _usable_check(infusion: InfusionSession, check_id: str) -> DoubleCheck | None:
    """Return a passed double check of this session that no entry has used yet."""
    used = {row.double_check_id for row in infusion.administrations}
    for proposal in infusion.rate_proposals:
        for check in proposal.double_checks:
            if str(check.id) == check_id and check.is_match and check.id not in used:
                return check
    return None


@bp.get("/sessions/<uuid:infusion_id>/rate")
@requires(Permission.RUN_SESSION)
def show_rate(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """The sheet for another rate: the order's steps, or a rate typed as the pump shows it."""
    return _rate_page(load(infusion_id), drawn(RateForm(formdata=None)))


@bp.post("/sessions/<uuid:infusion_id>/rate")
@requires(Permission.RUN_SESSION)
def change_rate(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Record another rate; where a second person has to compute it first, the rate waits for that."""
    infusion, form, now = load(infusion_id), RateForm(), clock.now()
    form.offer(physicians())

    def act() -> AdministrationEvent:
        refuse_stale(infusion, form)
        when = form.moment(now, zone(), after=last_act_at(infusion))
        return operations.change_rate(
            infusion,
            rate_ml_h=_chosen_rate(infusion, form),
            happened_at=when,
            double_check=_usable_check(infusion, form.double_check_id.data or ""),
            reason=form.said,
            verbal_order=spoken_order(infusion, form, when, now),
            shown=form.shown,
            by=actor(),
            at=now,
        )

    done = attempt(form, act)
    if done is not None:
        said = words_of(infusion, done.rate_ml_h or Decimal(0), pump(infusion, now).concentration_mg_ml)
        flash(f"Rate recorded: {' = '.join(in_all_units(said))}.")
        return redirect(url_for(".show_session", infusion_id=infusion.id), 303)
    if form.needs_second:
        return _propose(load(infusion_id), form)
    return _rate_page(load(infusion_id), form, 422)


def _chosen_rate(infusion: InfusionSession, form: RateForm) -> Decimal:
    """Return the rate in mL/h: the checked one, else what was typed, else the chosen step.

    Raises RuleBroken when there is none of these.
    """
    check = _usable_check(infusion, form.double_check_id.data or "")
    if check is not None:
        return check.proposal.rate_ml_h
    typed = number(form.rate_ml_h)
    if typed is not None:
        return typed
    try:
        return parse_decimal(form.step.data or "", places=4, minimum=PUMP_ML_H[0], maximum=PUMP_ML_H[1])
    except BadNumber as nothing:
        raise RuleBroken("Choose a rate, or type the rate on the pump.", field="rate_ml_h") from nothing


def _propose(infusion: InfusionSession, form: RateForm) -> ResponseReturnValue:
    rate, now = _chosen_rate(infusion, form), clock.now()
    proposal = operations.propose_rate(
        infusion, rate_ml_h=rate, purpose=CheckPurpose.RATE_CHANGE, proposed_at=now, by=actor(), at=now
    )
    if proposal.is_blocked:
        form.refuse(RuleBroken(proposal.findings or "This rate is blocked.", field="rate_ml_h"))
        return _rate_page(load(infusion.id), form, 422)
    return redirect(url_for(".show_double_check", infusion_id=infusion.id, proposal_id=proposal.id), 303)


# --- the second person -----------------------------------------------------------------------------------------------


@bp.get("/sessions/<uuid:infusion_id>/double-check/<uuid:proposal_id>")
@requires(Permission.RUN_SESSION)
def show_double_check(infusion_id: uuid.UUID, proposal_id: uuid.UUID) -> ResponseReturnValue:
    """Where the second person computes the rate: with the order and the weight, without the first number."""
    infusion = load(infusion_id)
    return _second_page(infusion, _proposal(infusion, proposal_id), SecondPersonForm(formdata=None))


@bp.post("/sessions/<uuid:infusion_id>/double-check/<uuid:proposal_id>")
@requires(Permission.RUN_SESSION)
def double_check(infusion_id: uuid.UUID, proposal_id: uuid.UUID) -> ResponseReturnValue:
    """Keep the second person's own number, equal or not."""
    infusion, form, now = load(infusion_id), SecondPersonForm(), clock.now()
    proposal = _proposal(infusion, proposal_id)
    form.offer(clinicians())

    def act() -> DoubleCheck:
        checker = proved(
            form.checker.data or "", form.password.data or "", permission=Permission.WITNESS, at=now, field="checker"
        )
        computed = number(form.computed_rate_ml_h) or Decimal(0)
        offer = _offer(infusion, proposal)
        if offer is not None and checker.id != offer.to_id:
            raise RuleBroken(f"The session was offered to {offer.to.name}.", field="checker")
        check = operations.double_check(infusion, proposal, computed_rate_ml_h=computed, checker=checker, at=now)
        if offer is not None and check.is_match:
            operations.accept_hand_over(offer, double_check=check, by=checker, at=now)
        return check

    check = attempt(form, act)
    if check is None:
        return _second_page(load(infusion_id), proposal, form, 422)
    return _after_check(infusion, proposal, check)


def _offer(infusion: InfusionSession, proposal: RateProposal) -> HandOverOffer | None:
    """The offer of a hand-over that waits for this rate. Raises RuleBroken when it waits no longer."""
    if proposal.purpose is not CheckPurpose.HAND_OVER:
        return None
    offer = infusion.open_offer
    if offer is None or offer.proposal_id != proposal.id:
        raise RuleBroken("This offer holds no longer. Open the session again.")
    return offer


def _after_check(infusion: InfusionSession, proposal: RateProposal, check: DoubleCheck) -> ResponseReturnValue:
    if proposal.purpose is CheckPurpose.HAND_OVER:
        if check.is_match:
            flash(f"The two rates agree. {check.checker.name} has the session.")
            say_beyond(infusion)
        else:
            flash("The two rates differ. The session stays. Both read the pump again.", "crit")
        return redirect(session_url(infusion), 303)
    is_start = proposal.purpose is CheckPurpose.START
    if not check.is_match:
        flash("The two rates differ. Nothing was set. Both read and compute again.", "crit")
        return redirect(session_url(infusion) if is_start else url_for(".show_rate", infusion_id=infusion.id), 303)
    flash("The two rates agree.")
    if is_start:
        return redirect(url_for(".show_checklist", infusion_id=infusion.id, _anchor="pump"), 303)
    return redirect(url_for(".show_rate", infusion_id=infusion.id, check=check.id), 303)


def _proposal(infusion: InfusionSession, proposal_id: uuid.UUID) -> RateProposal:
    proposal = queries.proposal(proposal_id)
    if proposal is None or proposal.infusion_id != infusion.id:
        abort(404)
    return proposal


def _second_page(
    infusion: InfusionSession, proposal: RateProposal, form: SecondPersonForm, status: int = 200
) -> ResponseReturnValue:
    now = clock.now()
    form.offer([one for one in clinicians() if one.id != proposal.recorded_by_id])
    page = render_template(
        "sessions/double_check.html",
        **frame(infusion, now),
        form=form,
        proposal_id=proposal.id,
        first=proposal.recorded_by.name,
        is_start=proposal.purpose is CheckPurpose.START,
        is_hand_over=proposal.purpose is CheckPurpose.HAND_OVER,
        is_done=bool(proposal.double_checks),
        order=order_panel(infusion, progress(infusion, now), zone=zone()),
    )
    return page, status

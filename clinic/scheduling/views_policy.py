"""The clinic's own rules about bookings: limits of nurses, what a physician may override, reasons for lost ones."""

import uuid
from collections.abc import Sequence

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock, formats
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.forms import Form
from clinic.core.permissions import Permission, requires
from clinic.scheduling import operations_limits, operations_policy, queries_rooms
from clinic.scheduling.forms_rooms import LOSS_WORDS, LostReasonForm, NurseLimitsForm, PolicyForm
from clinic.scheduling.models import Appointment
from clinic.scheduling.operations_breaking import WouldBreak
from clinic.scheduling.rules import BookingRule, LossKind, override_words
from clinic.scheduling.views import bp


def _page(form: Form | None = None, standing: Sequence[Appointment] = ()) -> str:
    policies, limits = queries_rooms.policies(), queries_rooms.nurse_limits()
    return render_template(
        "scheduling/rules.html",
        rules=[(override_words(rule), policies.get(rule)) for rule in BookingRule],
        reasons=[(row, LOSS_WORDS[row.kind]) for row in queries_rooms.lost_reasons()],
        form=form,
        standing=standing,
        limits=limits,
        limits_form=form if isinstance(form, NurseLimitsForm) else NurseLimitsForm.from_rows(limits),
        policy_form=form if isinstance(form, PolicyForm) else PolicyForm(formdata=None, prefix="rule-"),
        reason_form=form if isinstance(form, LostReasonForm) else LostReasonForm(formdata=None, prefix="reason-"),
    )


@bp.get("/clinic/rules")
@requires(Permission.READ_RESOURCES)
def show_rules() -> ResponseReturnValue:
    return _page()


@bp.post("/clinic/rules/limits")
@requires(Permission.SET_RESOURCES)
def set_limits() -> ResponseReturnValue:
    form = NurseLimitsForm(prefix="limits-")
    if not form.validate() or form.valid_from.data is None:
        return _page(form), 422
    drawn = form.drawn.data or ""
    try:
        operations_limits.set_nurse_limits(
            form.valid_from.data,
            form.most,
            by=actor(),
            at=clock.now(),
            seen=form.seen.data,
            drawn=int(drawn) if drawn.isdecimal() else None,
        )
    except Conflict as conflict:
        saved = NurseLimitsForm.from_rows(queries_rooms.nurse_limits())
        raise form.explain(conflict, saved, url_for(".show_rules")) from None
    except WouldBreak as refusal:
        form.refuse(refusal)
        form.seen.data = refusal.key
        return _page(form, refusal.standing), 422
    except RuleBroken as refusal:
        form.refuse(refusal)
        return _page(form), 422
    flash(f"The limits hold from {formats.day(form.valid_from.data)} on.")
    return redirect(url_for(".show_rules"), 303)


@bp.post("/clinic/rules/override")
@requires(Permission.SET_RESOURCES)
def set_policy() -> ResponseReturnValue:
    form = PolicyForm(prefix="rule-")
    if form.validate():
        try:
            operations_policy.set_policy(
                BookingRule(form.rule.data),
                is_allowed=form.is_allowed.data == "yes",
                reason=form.reason.data or "",
                by=actor(),
                at=clock.now(),
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash("The rule is set.")
            return redirect(url_for(".show_rules"), 303)
    return _page(form), 422


@bp.post("/clinic/rules/reasons/add")
@requires(Permission.SET_RESOURCES)
def add_lost_reason() -> ResponseReturnValue:
    form = LostReasonForm(prefix="reason-")
    if form.validate():
        try:
            operations_policy.add_lost_reason(
                LossKind(form.kind.data), form.text.data or "", by=actor(), at=clock.now()
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash("The reason is on the list.")
            return redirect(url_for(".show_rules"), 303)
    return _page(form), 422


@bp.post("/clinic/rules/reasons/<uuid:row_id>/retire")
@requires(Permission.SET_RESOURCES)
def retire_lost_reason(row_id: uuid.UUID) -> ResponseReturnValue:
    row = queries_rooms.lost_reason(row_id) or abort(404)
    operations_policy.retire_lost_reason(row, by=actor(), at=clock.now())
    flash("The reason is offered no more.")
    return redirect(url_for(".show_rules"), 303)

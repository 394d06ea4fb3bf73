"""The clinic's own rules about which notes and whose orders wait for a co-signature."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import queries as staff
from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.permissions import Permission, Role, requires
from clinic.core.requests import attempt
from clinic.notes import cosigning
from clinic.notes.cosign_queries import cosign_rules, rules_in_force
from clinic.notes.forms import NOBODY, CosignRuleForm, OrderCosignRuleForm
from clinic.notes.models import CosignRule
from clinic.notes.pages import KIND_WORDS
from clinic.notes.rules import NoteKind, needs_cosignature
from clinic.notes.views_shared import bp
from clinic.orders import cosigning as order_cosigning
from clinic.orders.models import OrderCosignRule
from clinic.orders.queries import cosign_rules as order_cosign_rules
from clinic.orders.rules import OrderCosign

_WHEN = {
    OrderCosign.FIRST: "before the order is used",
    OrderCosign.LATER: "the order is used meanwhile",
    None: "not needed",
}
_KINDS = (NoteKind.SESSION, NoteKind.ADDENDUM, NoteKind.CORRECTION)


def _draw(form: CosignRuleForm) -> str:
    set_by = {(row.role, row.kind): row for row in rules_in_force()}
    rules = cosign_rules()
    return render_template(
        "notes/cosign_rules.html",
        form=form,
        lines=[
            (KIND_WORDS[kind], role.value, needs_cosignature(kind, [role], rules), set_by.get((role, kind)))
            for role in (Role.NURSE, Role.PHYSICIAN)
            for kind in _KINDS
        ],
    )


@bp.get("/clinic/co-signatures")
@requires(Permission.READ_PROTOCOL)
def show_cosign_rules() -> str:
    """What waits for a co-signature, who decided it and why."""
    return _draw(CosignRuleForm(formdata=None))


@bp.post("/clinic/co-signatures")
@requires(Permission.WRITE_PROTOCOL)
def set_cosign_rule() -> ResponseReturnValue:
    """Set one rule, with a reason and a signature."""
    form = CosignRuleForm()

    def save() -> CosignRule:
        return cosigning.set_cosign_rule(
            Role(form.role.data),
            NoteKind(form.kind.data),
            is_needed=form.is_needed.data == "yes",
            reason=form.reason.data or "",
            by=actor(),
            password=form.password.data or "",
            at=clock.now(),
        )

    if attempt(form, save) is None:
        return _draw(form), 422
    flash("Saved. It holds for what is signed from now on.")
    return redirect(url_for(".show_cosign_rules"), 303)


def _draw_orders(form: OrderCosignRuleForm) -> str:
    form.offer(staff.staff_in_role(Role.PHYSICIAN))
    return render_template("notes/order_cosign_rules.html", form=form, rules=order_cosign_rules(), words=_WHEN)


@bp.get("/clinic/co-signatures/orders")
@requires(Permission.READ_PROTOCOL)
def show_order_cosign_rules() -> str:
    """Whose orders are co-signed, by whom, and whether they are used before."""
    return _draw_orders(OrderCosignRuleForm(formdata=None))


@bp.post("/clinic/co-signatures/orders")
@requires(Permission.WRITE_PROTOCOL)
def set_order_cosign_rule() -> ResponseReturnValue:
    """Set the rule for one physician, or for all without one of their own, with a reason and a signature."""
    form = OrderCosignRuleForm()
    people = {person.id: person for person in staff.staff_in_role(Role.PHYSICIAN)}
    form.offer(people.values())

    def save() -> OrderCosignRule:
        chosen, cosigner = form.chosen(form.staff_id), form.chosen(form.cosigner_id)
        return order_cosigning.set_rule(
            people[chosen] if chosen else None,
            None if form.cosign.data == NOBODY else OrderCosign(form.cosign.data),
            cosigner=people[cosigner] if cosigner else None,
            reason=form.reason.data or "",
            by=actor(),
            password=form.password.data or "",
            at=clock.now(),
        )

    if attempt(form, save) is None:
        return _draw_orders(form), 422
    flash("Saved. It holds for what is signed from now on.")
    return redirect(url_for(".show_order_cosign_rules"), 303)

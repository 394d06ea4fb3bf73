"""The clinic's own rules about which notes wait for a co-signature."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.permissions import Permission, Role, requires
from clinic.core.requests import attempt
from clinic.notes import cosigning
from clinic.notes.cosign_queries import cosign_rules, rules_in_force
from clinic.notes.forms import CosignRuleForm
from clinic.notes.models import CosignRule
from clinic.notes.pages import KIND_WORDS
from clinic.notes.rules import NoteKind, needs_cosignature
from clinic.notes.views_shared import bp

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

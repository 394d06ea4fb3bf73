"""The formulary and the protocols: read, write, sign into use."""

import uuid
from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock, formats
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, drawn_version
from clinic.protocols import operations, queries
from clinic.protocols.comparison import differences
from clinic.protocols.forms import DrugForm, ProtocolForm, VersionForm
from clinic.protocols.models import Protocol, ProtocolVersion
from clinic.protocols.pages import asks_for_more_rows, state_word, terms_page, typed_draft
from clinic.protocols.rules import BEING_WRITTEN, ProtocolStatus
from clinic.protocols.terms import draft_of
from clinic.protocols.terms_form import TermsForm, form_values
from clinic.protocols.wording import drug_text

bp = Blueprint("protocols", __name__)


@bp.get("/protocols")
@requires(Permission.READ_PROTOCOL)
def list_protocols() -> ResponseReturnValue:
    return render_template("protocols/list.html", protocols=queries.protocols(), state_word=state_word)


# --- writing ---------------------------------------------------------------------------------------------------------


def _form_page(form: TermsForm, *, before: ProtocolVersion | None = None, **page: Any) -> str:
    """`page` holds the address of the form (`act`), the way back, the title and the version it is drawn from."""
    form.offer_drugs(queries.drugs())
    return render_template(
        "protocols/write.html",
        form=form,
        **page,
        **terms_page(form, draft_of(before.terms) if before else None, word="was"),
    )


def _write(form: TermsForm, save: Callable[[], ProtocolVersion], **page: Any) -> ResponseReturnValue:
    """Save a written version, or draw the form again with what was typed."""
    form.offer_drugs(queries.drugs())
    if asks_for_more_rows(form):
        return _form_page(form, **page)
    version = attempt(form, save)
    if version is None:
        return _form_page(form, **page), 422
    return redirect(address(version), 303)


def address(version: ProtocolVersion) -> str:
    """Where a version is read."""
    return url_for(".show_version", protocol_id=version.protocol_id, number=version.number)


@bp.get("/protocols/new")
@requires(Permission.WRITE_PROTOCOL)
def show_new() -> ResponseReturnValue:
    return _form_page(ProtocolForm(), **_new_page())


def _new_page() -> dict[str, Any]:
    return {"title": "New protocol", "act": url_for(".create"), "back": url_for(".list_protocols")}


@bp.post("/protocols/new")
@requires(Permission.WRITE_PROTOCOL)
def create() -> ResponseReturnValue:
    form = ProtocolForm()
    return _write(
        form,
        lambda: operations.create_protocol(form.name.data, form.draft(), by=actor(), at=clock.now()),
        **_new_page(),
    )


def _protocol(protocol_id: uuid.UUID) -> Protocol:
    return queries.protocol(protocol_id) or abort(404)


def found_version(protocol_id: uuid.UUID, number: int) -> ProtocolVersion:
    """A version by its number, with all its terms."""
    found = [version for version in _protocol(protocol_id).versions if version.number == number]
    return queries.version(found[0].id) or abort(404) if found else abort(404)


def _begun_from(protocol: Protocol) -> ProtocolVersion:
    """The version that a new one begins as a copy of: the one that was asked for, else the last."""
    number = request.args.get("from", str(protocol.versions[-1].number))
    return found_version(protocol.id, int(number)) if number.isascii() and number.isdigit() else abort(404)


@bp.get("/protocols/<uuid:protocol_id>/versions/new")
@requires(Permission.WRITE_PROTOCOL)
def show_new_version(protocol_id: uuid.UUID) -> ResponseReturnValue:
    protocol = _protocol(protocol_id)
    written = [version for version in protocol.versions if version.status in BEING_WRITTEN]
    if written:
        flash(f"Version {written[0].number} is being written already. Go on with that one.")
        return redirect(address(written[0]))
    before = _begun_from(protocol)
    form = VersionForm(data=form_values(draft_of(before.terms)))
    return _form_page(form, before=before, **_next_page(before))


def _next_page(before: ProtocolVersion) -> dict[str, Any]:
    return {
        "title": f"New version of {before.protocol.name}, from version {before.number}",
        "act": f"{url_for('.create_version', protocol_id=before.protocol_id)}?from={before.number}",
        "back": address(before),
    }


@bp.post("/protocols/<uuid:protocol_id>/versions/new")
@requires(Permission.WRITE_PROTOCOL)
def create_version(protocol_id: uuid.UUID) -> ResponseReturnValue:
    before = _begun_from(_protocol(protocol_id))
    form = VersionForm()
    return _write(
        form,
        lambda: operations.new_version(before.protocol, form.draft(), by=actor(), at=clock.now()),
        before=before,
        **_next_page(before),
    )


@bp.get("/protocols/<uuid:protocol_id>/versions/<int:number>/draft")
@requires(Permission.WRITE_PROTOCOL)
def show_draft(protocol_id: uuid.UUID, number: int) -> ResponseReturnValue:
    version = found_version(protocol_id, number)
    if version.status is not ProtocolStatus.DRAFT:
        return redirect(address(version))
    return _form_page(VersionForm(data=form_values(draft_of(version.terms))), **_draft_page(version))


def _draft_page(version: ProtocolVersion) -> dict[str, Any]:
    return {
        "title": f"{version.protocol.name}, version {version.number}, draft",
        "act": url_for(".revise", protocol_id=version.protocol_id, number=version.number),
        "back": address(version),
        "drawn": drawn_version() or version.version,
    }


@bp.post("/protocols/<uuid:protocol_id>/versions/<int:number>/draft")
@requires(Permission.WRITE_PROTOCOL)
def revise(protocol_id: uuid.UUID, number: int) -> ResponseReturnValue:
    version = found_version(protocol_id, number)
    form = VersionForm()

    def save() -> ProtocolVersion:
        operations.revise(version, form.draft(), drawn_version=drawn_version(), by=actor(), at=clock.now())
        return version

    try:
        return _write(form, save, **_draft_page(version))
    except Conflict as conflict:
        raise _moved_on(conflict, version, form) from None


_NOT_SENT_AGAIN: Final = {"csrf_token", "idempotency_key", "act", "version"}


def _moved_on(conflict: Conflict, version: ProtocolVersion, form: TermsForm) -> Conflict:
    """The conflict of two people who wrote one draft: what is saved beside what was typed, to be sent again over it."""
    typed, terms = typed_draft(form), version.terms
    drug = queries.drug(typed.drug_id) if typed else None
    who, when = version.drafted_by.name, formats.clock(version.drafted_at)
    conflict.what = f"{who} wrote this draft at {when}. Yours is not saved."
    conflict.saved_url = address(version)
    if typed and drug:
        lines = differences(draft_of(terms), typed, drugs=(drug_text(terms.drug), drug_text(drug)))
        conflict.mine = [(line.label, line.after) for line in lines]
        conflict.theirs = [(line.label, line.before) for line in lines]
    if version.status is ProtocolStatus.DRAFT:
        conflict.retry_url = url_for(".revise", protocol_id=version.protocol_id, number=version.number)
        conflict.retry_fields = [
            *((name, value) for name, value in request.form.items(multi=True) if name not in _NOT_SENT_AGAIN),
            ("act", "save"),
            ("version", str(version.version)),
        ]
    return conflict


# --- the formulary ---------------------------------------------------------------------------------------------------


@bp.get("/formulary")
@requires(Permission.READ_PROTOCOL)
def show_formulary() -> ResponseReturnValue:
    return render_template("protocols/formulary.html", drugs=queries.drugs(with_retired=True), form=DrugForm())


@bp.post("/formulary")
@requires(Permission.WRITE_PROTOCOL)
def add_drug() -> ResponseReturnValue:
    form = DrugForm()
    if form.validate_on_submit():
        try:
            operations.add_drug(**_drug_values(form), by=actor(), at=clock.now())
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for(".show_formulary"), 303)
    return render_template("protocols/formulary.html", drugs=queries.drugs(with_retired=True), form=form), 422


def _drug_values(form: DrugForm) -> dict[str, Any]:
    names = ("name", "product", "strength_mg_ml", "form", "rxcui", "is_controlled", "schedule")
    return {name: form[name].data for name in names} | {"strength_mg_ml": form.strength_mg_ml.data or None}


from clinic.protocols import views_compare, views_limits, views_version  # noqa: E402, F401 they add their pages to `bp`

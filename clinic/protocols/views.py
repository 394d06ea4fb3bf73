"""The formulary and the protocols: read, write, sign into use."""

import uuid
from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, drawn_version
from clinic.protocols import operations, queries
from clinic.protocols.comparison import differences
from clinic.protocols.forms import ApproveForm, DrugForm, ProtocolForm, VersionForm
from clinic.protocols.models import Protocol, ProtocolVersion
from clinic.protocols.pages import STATE_WORDS, asks_for_more_rows, terms_page
from clinic.protocols.rules import ProtocolStatus
from clinic.protocols.terms import draft_of
from clinic.protocols.terms_form import TermsForm, form_values
from clinic.protocols.wording import drug_text, reading, sentence
from clinic.signatures import queries as signature_queries
from clinic.signatures.pages import shown

bp = Blueprint("protocols", __name__)


@bp.get("/protocols")
@requires(Permission.READ_PROTOCOL)
def list_protocols() -> ResponseReturnValue:
    return render_template("protocols/list.html", protocols=queries.protocols(), words=STATE_WORDS)


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
    return redirect(_address(version), 303)


def _address(version: ProtocolVersion) -> str:
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


def _version(protocol_id: uuid.UUID, number: int) -> ProtocolVersion:
    found = [version for version in _protocol(protocol_id).versions if version.number == number]
    return queries.version(found[0].id) or abort(404) if found else abort(404)


def _latest(protocol: Protocol) -> ProtocolVersion:
    return queries.version(protocol.versions[-1].id) or abort(404)


@bp.get("/protocols/<uuid:protocol_id>/versions/new")
@requires(Permission.WRITE_PROTOCOL)
def show_new_version(protocol_id: uuid.UUID) -> ResponseReturnValue:
    before = _latest(_protocol(protocol_id))
    form = VersionForm(data=form_values(draft_of(before.terms)))
    return _form_page(form, before=before, **_next_page(before))


def _next_page(before: ProtocolVersion) -> dict[str, Any]:
    return {
        "title": f"New version of {before.protocol.name}",
        "act": url_for(".create_version", protocol_id=before.protocol_id),
        "back": _address(before),
    }


@bp.post("/protocols/<uuid:protocol_id>/versions/new")
@requires(Permission.WRITE_PROTOCOL)
def create_version(protocol_id: uuid.UUID) -> ResponseReturnValue:
    before = _latest(_protocol(protocol_id))
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
    version = _version(protocol_id, number)
    if version.status is not ProtocolStatus.DRAFT:
        return redirect(_address(version))
    return _form_page(VersionForm(data=form_values(draft_of(version.terms))), **_draft_page(version))


def _draft_page(version: ProtocolVersion) -> dict[str, Any]:
    return {
        "title": f"{version.protocol.name}, version {version.number}, draft",
        "act": url_for(".revise", protocol_id=version.protocol_id, number=version.number),
        "back": _address(version),
        "drawn": drawn_version() or version.version,
    }


@bp.post("/protocols/<uuid:protocol_id>/versions/<int:number>/draft")
@requires(Permission.WRITE_PROTOCOL)
def revise(protocol_id: uuid.UUID, number: int) -> ResponseReturnValue:
    version = _version(protocol_id, number)
    form = VersionForm()

    def save() -> ProtocolVersion:
        operations.revise(version, form.draft(), drawn_version=drawn_version(), by=actor(), at=clock.now())
        return version

    return _write(form, save, **_draft_page(version))


# --- one version -----------------------------------------------------------------------------------------------------


def _version_page(version: ProtocolVersion, form: ApproveForm) -> str:
    draft = draft_of(version.terms)
    made = signature_queries.signatures_of(version.id)
    earlier = [other for other in version.protocol.versions if other.number < version.number]
    before = queries.version(earlier[-1].id) if earlier else None
    return render_template(
        "protocols/version.html",
        version=version,
        drug=version.terms.drug,
        sentence=sentence(draft, drug_name=version.terms.drug.name),
        groups=reading(draft),
        changes=differences(
            draft_of(before.terms), draft, drugs=(drug_text(before.terms.drug), drug_text(version.terms.drug))
        )
        if before
        else [],
        before=before,
        signature=shown(made[0], operations.version_content(version)) if made else None,
        form=form,
        words=STATE_WORDS,
    )


@bp.get("/protocols/<uuid:protocol_id>/versions/<int:number>")
@requires(Permission.READ_PROTOCOL)
def show_version(protocol_id: uuid.UUID, number: int) -> ResponseReturnValue:
    return _version_page(_version(protocol_id, number), ApproveForm())


@bp.post("/protocols/<uuid:protocol_id>/versions/<int:number>/approve")
@requires(Permission.WRITE_PROTOCOL)
def approve(protocol_id: uuid.UUID, number: int) -> ResponseReturnValue:
    version = _version(protocol_id, number)
    form = ApproveForm()
    if form.validate_on_submit():
        try:
            with db.session.begin_nested():
                operations.approve(
                    version, by=actor(), password=form.password.data, at=clock.now(), drawn_version=drawn_version()
                )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash(f"{version.protocol.name}, version {version.number} is in use.")
            return redirect(_address(version), 303)
    return _version_page(version, form), 422


@bp.post("/protocols/<uuid:protocol_id>/versions/<int:number>/retire")
@requires(Permission.WRITE_PROTOCOL)
def retire(protocol_id: uuid.UUID, number: int) -> ResponseReturnValue:
    version = _version(protocol_id, number)
    try:
        operations.retire(version, by=actor(), at=clock.now())
    except RuleBroken as refusal:
        abort(409, refusal.message)
    return redirect(_address(version), 303)


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


from clinic.protocols import views_compare, views_limits  # noqa: E402, F401 they add their pages to `bp`

"""One version of a protocol: read, sent to review and back, signed into use, retired."""

import uuid
from collections.abc import Callable

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.errors import Conflict
from clinic.core.forms import Form
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, drawn_version, onward, place_in_inbox
from clinic.protocols import operations_review, queries
from clinic.protocols.comparison import differences
from clinic.protocols.forms import ApproveForm, WhyForm
from clinic.protocols.models import ProtocolVersion
from clinic.protocols.pages import panels, state_word, step_words
from clinic.protocols.rules import BEING_WRITTEN, ProtocolStatus
from clinic.protocols.terms import draft_of
from clinic.protocols.views import address, bp, found_version
from clinic.protocols.wording import drug_text, reading, sentence
from clinic.signatures import queries as signature_queries
from clinic.signatures.pages import shown
from clinic.signatures.rules import seen_code


def _page(version: ProtocolVersion, approving: ApproveForm | None = None, why: WhyForm | None = None) -> str:
    draft = draft_of(version.terms)
    made = signature_queries.signatures_of(version.id)
    others = version.protocol.versions
    earlier = [other for other in others if other.number < version.number]
    before = queries.version(earlier[-1].id) if earlier else None
    drugs = (drug_text((before or version).terms.drug), drug_text(version.terms.drug))
    return render_template(
        "protocols/version.html",
        version=version,
        drug=version.terms.drug,
        sentence=sentence(draft, drug_name=version.terms.drug.name),
        groups=reading(draft, drug=drug_text(version.terms.drug)),
        changes=differences(draft_of(before.terms), draft, drugs=drugs) if before else [],
        before=before,
        in_use=next((other for other in others if other.status is ProtocolStatus.ACTIVE), None),
        written=next((other for other in others if other.status in BEING_WRITTEN), None),
        signature=shown(
            made[0], operations_review.version_content(version), is_superseded=version.status is ProtocolStatus.RETIRED
        )
        if made
        else None,
        seen=seen_code(operations_review.version_content(version)),
        needs_other=_needs_other(version),
        panels=[(panel, facts(version)) for panel, facts in panels.items()],
        state=state_word(version),
        steps=[(step_words(step), step) for step in version.steps],
        inbox=place_in_inbox(),
        form=approving or why or ApproveForm(),
        approving=approving or ApproveForm(),
        why=why or WhyForm(),
    )


def _needs_other(version: ProtocolVersion) -> bool:
    """Whether this person wrote it and the clinic wants another one to sign it into use."""
    return actor().id in operations_review.authors_of(version) and queries.wants_another(version.clinic_id)


@bp.get("/protocols/<uuid:protocol_id>/versions/<int:number>")
@requires(Permission.READ_PROTOCOL)
def show_version(protocol_id: uuid.UUID, number: int) -> ResponseReturnValue:
    return _page(found_version(protocol_id, number))


def _act(version: ProtocolVersion, form: Form, act: Callable[[], None], done: str) -> ResponseReturnValue:
    """Do one step with a version, or draw its page again with what stands in the way."""

    def whole() -> bool:
        act()
        return True

    try:
        if attempt(form, whole):
            flash(f"{version.protocol.name}, version {version.number}: {done}.")
            return redirect(onward(address(version)), 303)
    except Conflict as conflict:
        conflict.saved_url = address(version)
        raise
    return _page(version, *((form, None) if isinstance(form, ApproveForm) else (None, form))), 422


@bp.post("/protocols/<uuid:protocol_id>/versions/<int:number>/submit")
@requires(Permission.WRITE_PROTOCOL)
def submit(protocol_id: uuid.UUID, number: int) -> ResponseReturnValue:
    version = found_version(protocol_id, number)
    return _act(
        version,
        WhyForm(),
        lambda: operations_review.submit(version, drawn_version=drawn_version(), by=actor(), at=clock.now()),
        "sent to review",
    )


@bp.post("/protocols/<uuid:protocol_id>/versions/<int:number>/send-back")
@requires(Permission.WRITE_PROTOCOL)
def send_back(protocol_id: uuid.UUID, number: int) -> ResponseReturnValue:
    version, form = found_version(protocol_id, number), WhyForm()
    return _act(
        version,
        form,
        lambda: operations_review.send_back(version, reason=form.reason.data, by=actor(), at=clock.now()),
        "sent back",
    )


@bp.post("/protocols/<uuid:protocol_id>/versions/<int:number>/approve")
@requires(Permission.WRITE_PROTOCOL)
def approve(protocol_id: uuid.UUID, number: int) -> ResponseReturnValue:
    version, form = found_version(protocol_id, number), ApproveForm()

    def sign() -> None:
        operations_review.approve(
            version, by=actor(), password=form.password.data, at=clock.now(), seen=request.form.get("seen", "")
        )

    return _act(version, form, sign, "in use")


@bp.post("/protocols/<uuid:protocol_id>/versions/<int:number>/retire")
@requires(Permission.WRITE_PROTOCOL)
def retire(protocol_id: uuid.UUID, number: int) -> ResponseReturnValue:
    version, form = found_version(protocol_id, number), WhyForm()
    return _act(
        version,
        form,
        lambda: operations_review.retire(version, reason=form.reason.data, by=actor(), at=clock.now()),
        "retired" if version.approved_at else "dropped",
    )

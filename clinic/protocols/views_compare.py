"""Two versions of a protocol beside each other, line by line."""

import uuid

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from clinic.core.permissions import Permission, requires
from clinic.protocols import queries
from clinic.protocols.comparison import compared
from clinic.protocols.models import Protocol, ProtocolVersion
from clinic.protocols.pages import state_word
from clinic.protocols.terms import draft_of
from clinic.protocols.views import bp
from clinic.protocols.wording import drug_text, sentence


@bp.get("/protocols/<uuid:protocol_id>/compare")
@requires(Permission.READ_PROTOCOL)
def compare_versions(protocol_id: uuid.UUID) -> ResponseReturnValue:
    """What changed from one version to another; without a choice from the version before the last to the last."""
    protocol = queries.protocol(protocol_id) or abort(404)
    before, after = _chosen(protocol, "before", -2), _chosen(protocol, "after", -1)
    old, new = draft_of(before.terms), draft_of(after.terms)
    groups = compared(old, new, drugs=(drug_text(before.terms.drug), drug_text(after.terms.drug)))
    changed = sum(line.is_changed for _, lines in groups for line in lines)
    shows_all = bool(request.args.get("all"))
    if not shows_all:
        groups = [(title, [line for line in lines if line.is_changed]) for title, lines in groups]
    return render_template(
        "protocols/compare.html",
        protocol=protocol,
        before=before,
        after=after,
        changed=changed,
        groups=[(title, lines) for title, lines in groups if lines],
        shows_all=shows_all,
        sentences=[
            sentence(draft, drug_name=version.terms.drug.name) for draft, version in ((old, before), (new, after))
        ],
        state_word=state_word,
    )


def _chosen(protocol: Protocol, side: str, place: int) -> ProtocolVersion:
    versions = protocol.versions
    text = request.args.get(side)
    if text is None:
        found = [versions[max(place, -len(versions))]]
    else:
        found = [version for version in versions if str(version.number) == text]
    return (queries.version(found[0].id) if found else None) or abort(404)

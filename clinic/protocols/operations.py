"""The formulary and the protocols change here. Every value comes from the clinic's own people."""

from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import flag_modified

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.rows import add_row
from clinic.protocols.models import Drug, Protocol, ProtocolVersion, Terms
from clinic.protocols.operations_review import note_step
from clinic.protocols.rules import BEING_WRITTEN, ProtocolStatus
from clinic.protocols.terms import TermsDraft, fill_terms, make_terms
from clinic.protocols.terms_rules import contradictions


def add_drug(
    *,
    name: str,
    product: str | None = None,
    strength_mg_ml: Decimal | None = None,
    form: str | None = None,
    is_controlled: bool,
    schedule: str | None = None,
    rxcui: str | None = None,
    by: Staff,
    at: datetime,
) -> Drug:
    """Add a line to the formulary. It has no limits."""
    drug = Drug(
        name=name.strip(),
        product=product or None,
        strength_mg_ml=strength_mg_ml,
        form=form or None,
        is_controlled=is_controlled,
        schedule=schedule or None,
        rxcui=rxcui or None,
        is_retired=False,
    )
    same = sa.select(Drug.id).where(Drug.name == drug.name, Drug.product == drug.product)
    if db.session.scalar(same) is not None:
        raise RuleBroken("The formulary has this drug already.", field="name")
    db.session.add(drug)
    db.session.flush()  # terms name it
    audit.record(
        AuditAction.DRUG_ADDED,
        drug,
        actor_id=by.id,
        at=at,
        name=drug.name,
        product=drug.product,
        strength_mg_ml=strength_mg_ml,
        is_controlled=is_controlled,
        schedule=drug.schedule,
        rxcui=drug.rxcui,
    )
    return drug


def create_protocol(
    name: str, draft: TermsDraft, *, is_fictional: bool = False, number: int = 1, by: Staff, at: datetime
) -> ProtocolVersion:
    """Begin a protocol with its first version, a draft. `number` is another than 1 when the clinic's paper has it."""
    _refuse_contradictions(draft)
    protocol = Protocol(name=name.strip(), is_fictional=is_fictional)
    try:
        with db.session.begin_nested():
            db.session.add(protocol)
            db.session.flush()  # the database judges whether the name is free
    except IntegrityError as clash:
        raise RuleBroken("Another protocol has this name.", field="name") from clash
    return _add_version(protocol, draft, number=number, by=by, at=at)


def new_version(
    protocol: Protocol, draft: TermsDraft, *, number: int | None = None, by: Staff, at: datetime
) -> ProtocolVersion:
    """Begin the next version of a protocol as a draft. Raises RuleBroken while another draft is being written."""
    _refuse_contradictions(draft)
    versions = list(
        db.session.scalars(sa.select(ProtocolVersion).where(ProtocolVersion.protocol_id == protocol.id)).all()
    )
    if any(version.status in BEING_WRITTEN for version in versions):
        raise RuleBroken("A version of this protocol is being written already. Go on with that one.")
    following = max((version.number for version in versions), default=0) + 1
    if number is not None and number < following:
        raise RuleBroken(f"The next version is {following} or later.", field="number")
    return _add_version(protocol, draft, number=number or following, by=by, at=at)


def _add_version(protocol: Protocol, draft: TermsDraft, *, number: int, by: Staff, at: datetime) -> ProtocolVersion:
    terms = make_terms(draft)
    db.session.add(terms)
    db.session.flush()  # the version names its terms
    version = ProtocolVersion(
        protocol_id=protocol.id,
        number=number,
        status=ProtocolStatus.DRAFT,
        terms=terms,
        drafted_at=at,
        drafted_by_id=by.id,
    )
    add_row(version, clash="Somebody else began a version of this protocol meanwhile. Open the page again.")
    db.session.expire(protocol, ["versions"])
    note_step(AuditAction.PROTOCOL_DRAFTED, version, None, by=by, at=at)
    return version


def revise(
    version: ProtocolVersion, draft: TermsDraft, *, drawn_version: int | None = None, by: Staff, at: datetime
) -> None:
    """Write a draft again. Raises Conflict when it moved on since it was drawn, RuleBroken when it is no draft."""
    if drawn_version is not None and drawn_version != version.version:
        raise Conflict("Somebody else changed this draft of the protocol.")
    if version.status is ProtocolStatus.REVIEW:
        raise RuleBroken("This version is in review. Send it back before you change it.")
    if version.status is not ProtocolStatus.DRAFT:
        raise RuleBroken("This version never changes any more. Begin a new version.")
    _refuse_contradictions(draft)
    rewrite_terms(version.terms, draft)
    version.drafted_at, version.drafted_by_id = at, by.id
    flag_modified(version, "drafted_at")  # a change of the terms alone must count as a new version of the draft too
    db.session.flush()
    note_step(AuditAction.PROTOCOL_DRAFTED, version, ProtocolStatus.DRAFT, by=by, at=at)


def rewrite_terms(terms: Terms, draft: TermsDraft) -> None:
    """Put the values of a draft into unsealed terms."""
    for rows in (terms.limits, terms.prn_items, terms.phases, terms.checks):
        rows.clear()
    db.session.flush()  # the old rows leave their positions before the new ones take them
    fill_terms(terms, draft)
    db.session.flush()
    db.session.refresh(terms, ["drug"])


def _refuse_contradictions(draft: TermsDraft) -> None:
    found = contradictions(draft)
    if found:
        raise RuleBroken(found[0].message, field=found[0].field)

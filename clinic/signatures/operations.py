"""Sign: the person's own secret again, a meaning, the exact content and its hash (domain reference 4.3)."""

import uuid
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.accounts import cover
from clinic.accounts import operations as accounts
from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.signatures.models import Signature
from clinic.signatures.rules import Meaning, Verdict, canonical, digest, seen_code

_SIGNED_ALREADY = "You have signed this already. Your signature stands."


def sign(
    subject: db.Base,
    content: Mapping[str, object],
    *,
    meaning: Meaning,
    by: Staff,
    password: str,
    at: datetime,
    patient_id: uuid.UUID | None,
    instead_of: Staff | None = None,
) -> Signature:
    """Put a person's signature on `content`, which says what `subject` says.

    The text that was hashed is kept beside its hash, with the name, credentials and roles as they are now. Raises
    RuleBroken for a wrong password (field `password`) and for a second signature of the same person and meaning.
    `instead_of` is the person for whom the signer covers; the signature names both.
    """
    if instead_of is not None and not cover.is_covering(by, instead_of.id, at=at):
        raise RuleBroken(f"You do not cover for {instead_of.name} today.")
    accounts.check_password(by, password, at=at)
    if _is_signed(subject, by, meaning):
        raise RuleBroken(_SIGNED_ALREADY)
    return sign_proved(subject, content, meaning=meaning, by=by, at=at, patient_id=patient_id, instead_of=instead_of)


def sign_proved(
    subject: db.Base,
    content: Mapping[str, object],
    *,
    meaning: Meaning,
    by: Staff,
    at: datetime,
    patient_id: uuid.UUID | None,
    instead_of: Staff | None = None,
) -> Signature:
    """Put the signature of somebody who has proved in this very act who that is, as a witness does before the act."""
    signature = _written(subject, canonical(content), meaning=meaning, by=by, at=at)
    signature.patient_id = patient_id
    signature.for_id, signature.for_name = (instead_of.id, instead_of.name) if instead_of else (None, None)
    try:
        with db.session.begin_nested():
            db.session.add(signature)
            db.session.flush()  # the database has the last word on a second signature
    except IntegrityError as clash:
        raise RuleBroken(_SIGNED_ALREADY) from clash
    audit.record(
        AuditAction.SIGNATURE_MADE,
        subject,
        actor_id=by.id,
        at=at,
        patient_id=patient_id,
        signature_id=signature.id,
        meaning=meaning,
        digest=signature.digest,
        for_id=signature.for_id,
    )
    return signature


def _written(subject: db.Base, text: str, *, meaning: Meaning, by: Staff, at: datetime) -> Signature:
    """The text and its hash, and the person as of now."""
    return Signature(
        subject_kind=subject.__tablename__,
        subject_id=subject.id,
        meaning=meaning,
        content=text,
        digest=digest(text),
        signed_at=at,
        signer_id=by.id,
        signer_name=by.name,
        signer_credentials=by.credentials,
        signer_roles=", ".join(sorted(by.roles)),
    )


def refuse_unseen(seen: str | None, content: Mapping[str, object], what: str) -> None:
    """Raise Conflict, with `what` was not as it was read, where `content` is not what the signer's page showed.

    `seen` is the `seen_code` that the page's form brought back, also when it brought none (""); None where the signer
    wrote the content with the same act.
    """
    if seen is not None and seen != seen_code(content):
        raise Conflict(f"{what} is not what you read any more. Nothing was signed.")


def _is_signed(subject: db.Base, by: Staff, meaning: Meaning) -> bool:
    found = sa.select(Signature.id).where(
        Signature.subject_id == subject.id, Signature.signer_id == by.id, Signature.meaning == meaning
    )
    return db.session.scalar(found) is not None


def verify(signature: Signature, content: Mapping[str, object], *, is_superseded: bool = False) -> Verdict:
    """Whether `content`, as it stands today, is what was signed, and the kept text is what was hashed.

    Content that has a newer version keeps its signature, which then says so.
    """
    if digest(signature.content) != signature.digest or canonical(content) != signature.content:
        return Verdict.CHANGED
    return Verdict.SUPERSEDED if is_superseded else Verdict.VALID

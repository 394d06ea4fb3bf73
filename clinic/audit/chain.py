"""Seal the trail: each line gets its link as the last act of the transaction that wrote it.

The head of a chain is locked last, so that writers wait for each other only while one of them commits.
"""

import secrets
import uuid
from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from clinic.audit import row_digests
from clinic.audit.chain_rules import INSTALLATION, Key, Line, Link, first_mac, link_key, next_mac
from clinic.audit.models import AuditChain, AuditEntry, AuditLink
from clinic.audit.origin import origin
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.db import settled_clinic_id
from clinic.core.ids import new_id

_WRITTEN: Final = "audit entries"
_keys: list[Key] = []


def use_secrets(chosen: Iterable[str]) -> None:
    """Choose the secrets of this process: the one that seals first, then earlier ones that still prove old links."""
    _keys[:] = [link_key(secret) for secret in chosen]


def keys() -> dict[str, Key]:
    """Every key of this installation by its name."""
    return {key.name: key for key in _keys}


def remember(session: Session, entry: AuditEntry) -> None:
    """Have a line sealed when the transaction that writes it is committed."""
    session.info.setdefault(_WRITTEN, []).append(entry)


@event.listens_for(Session, "before_commit")
def _seal_what_was_written(session: Session) -> None:
    if session.in_nested_transaction():  # a savepoint may yet be taken back
        return
    session.flush()
    # What a savepoint took back is no longer of the session.
    written = [entry for entry in session.info.pop(_WRITTEN, []) if sa.inspect(entry).persistent]
    if not written and origin.get().request_id is None:
        return  # a job that tells nothing of what it wrote, which the trail then does not know
    rows = row_digests.taken(session)
    if rows and not written:
        written = [_line_about_rows(session)]
    if written:
        seal(session, written, rows)


def _line_about_rows(session: Session) -> AuditEntry:
    """For a request that wrote rows of the record and no line: the digests need a line to stand on."""
    came, clinic_id = origin.get(), settled_clinic_id()
    entry = AuditEntry(
        clinic_id=clinic_id,
        at=clock.now(),
        action=AuditAction.ROWS_WRITTEN,
        body="{}",
        request_id=came.request_id,
        address=came.address,
    )
    session.add(entry)
    session.flush()
    return entry


def seal(session: Session, entries: Iterable[AuditEntry], rows: str | None = None) -> None:
    """Add the links of lines, in their order, to the chains of their clinics; the first one tells of the rows.

    Raises RuntimeError where no secret was chosen: a line is sealed or not written.
    """
    if not _keys:
        raise RuntimeError("No secret is chosen: call chain.use_secrets first.")
    # Chains are locked in the order of their keys, so that two writers never wait for each other.
    by_chain = sorted(entries, key=_chain_of)  # keeps the order within a chain
    for chain_id, lines in groupby(by_chain, key=_chain_of):
        _extend(session, chain_id, [line_of(entry) for entry in lines], rows)
        rows = None


def has_seals(engine: sa.Engine) -> bool:
    """Whether this database seals its trail."""
    return sa.inspect(engine).has_table(AuditChain.__tablename__)


def adopt(session: Session) -> int:
    """Seal what was written before there were chains; gives how many lines.

    For the migration alone that brings the seals: where a chain exists nothing is adopted, so that a line that was put
    in by hand stays unsealed and `clinic audit verify` names it.
    """
    of_no_chain = sa.func.coalesce(AuditEntry.clinic_id, sa.literal(INSTALLATION, sa.Uuid())).not_in(
        sa.select(AuditChain.id)
    )
    entries = session.scalars(sa.select(AuditEntry).where(of_no_chain).order_by(AuditEntry.at, AuditEntry.id)).all()
    seal(session, entries)
    return len(entries)


def line_of(entry: AuditEntry) -> Line:
    """A line in plain values."""
    values: dict[str, Any] = {name: getattr(entry, name) for name in Line.__slots__}
    return Line(**values)


def _chain_of(entry: AuditEntry) -> uuid.UUID:
    return entry.clinic_id or INSTALLATION


def _extend(session: Session, chain_id: uuid.UUID, lines: list[Line], rows: str | None) -> None:
    head = _locked(session, chain_id)
    if head is None:
        head = _begun(session, chain_id, lines[0])
    key, mac, links = _keys[0], bytes.fromhex(head.mac), []
    for number, line in enumerate(lines, head.number + 1):
        link = Link(number, key.name, mac, line, rows)
        mac, rows = next_mac(key, chain_id, link, mac), None
        links.append(
            {"id": new_id(), "chain_id": chain_id, "number": number, "entry_id": line.id, "key_id": key.name}
            | {"mac": mac.hex()}
            | ({"rows": link.rows} if link.rows else {})
        )
    session.execute(sa.insert(AuditLink), links[:1])
    if links[1:]:
        session.execute(sa.insert(AuditLink), links[1:])
    changed = sa.update(AuditChain).where(AuditChain.id == chain_id)
    session.execute(changed.values(number=head.number + len(lines), mac=mac.hex()))


def _locked(session: Session, chain_id: uuid.UUID) -> AuditChain | None:
    asked = sa.select(AuditChain).where(AuditChain.id == chain_id).with_for_update()
    return session.scalar(asked.execution_options(populate_existing=True))


def _begun(session: Session, chain_id: uuid.UUID, line: Line) -> AuditChain:
    """Begin a chain, unless another writer does so at the same moment; gives its head, locked."""
    key, salt = _keys[0], secrets.token_bytes(32)
    values = {"id": chain_id, "salt": salt.hex(), "start_key_id": key.name, "started_at": line.at, "number": 0}
    values["mac"] = first_mac(key, chain_id, salt).hex()
    session.execute(_insert(session)(AuditChain).values(values).on_conflict_do_nothing())
    head = _locked(session, chain_id)
    if head is None:
        raise RuntimeError("The chain of the trail was not begun.")
    return head


def _insert(session: Session) -> Any:
    return sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert

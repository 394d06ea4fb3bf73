"""Prove the trail: walk every chain from its first link to its head and name the first bad place."""

import base64
import json
import uuid
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.orm import Session

from clinic.audit import chain
from clinic.audit.chain_rules import INSTALLATION, Broken, Fault, Link, first_fault, first_mac, signing_key
from clinic.audit.models import AuditChain, AuditEntry, AuditLink
from clinic.audit.row_digests import Told

_AT_ONCE = 2000


class BadCheckpoint(ValueError):
    """A file that is no checkpoint, or was not signed by this installation."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a chain had come at an instant: kept elsewhere, it proves that nothing was cut off since."""

    chain_id: uuid.UUID
    number: int
    mac: str
    at: str

    @property
    def text(self) -> str:
        """What is signed."""
        return json.dumps([str(self.chain_id), self.number, self.mac, self.at], separators=(",", ":"))


def checkpoints(session: Session, *, at: datetime) -> list[Checkpoint]:
    """A checkpoint of every chain."""
    return [Checkpoint(head.id, head.number, head.mac, at.isoformat()) for head in _heads(session)]


def written(found: Iterable[Checkpoint], secret: str) -> str:
    """Checkpoints as a file: one line of JSON each, signed (Ed25519)."""
    key = signing_key(secret)
    lines = []
    for checkpoint in found:
        signature = base64.b64encode(key.sign(checkpoint.text.encode())).decode()
        lines.append(json.dumps({"checkpoint": checkpoint.text, "signature": signature}) + "\n")
    return "".join(lines)


def read(path: Path, secrets: Iterable[str]) -> list[Checkpoint]:
    """The checkpoints of a file. Raises BadCheckpoint where one was not signed with a secret of this installation."""
    publics = [signing_key(secret).public_key() for secret in secrets]
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [_checkpoint(line, publics) for line in lines]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise BadCheckpoint(f"{path} is no checkpoint of this installation.") from problem


def _checkpoint(line: Mapping[str, Any], publics: Iterable[Ed25519PublicKey]) -> Checkpoint:
    text, signature = str(line["checkpoint"]), base64.b64decode(line["signature"], validate=True)
    if not any(_is_signed(public, signature, text) for public in publics):
        raise BadCheckpoint("The signature is not of this installation.")
    chain_id, number, mac, at = json.loads(text)
    return Checkpoint(uuid.UUID(chain_id), int(number), str(mac), str(at))


def _is_signed(public: Ed25519PublicKey, signature: bytes, text: str) -> bool:
    try:
        public.verify(signature, text.encode())
    except InvalidSignature:
        return False
    return True


def faults(
    session: Session, kept: Iterable[Checkpoint] = (), told: dict[uuid.UUID, Told] | None = None
) -> list[Broken]:
    """The first bad place of every chain, and every line that no chain holds; none when the trail is sound.

    `told` is filled with what each chain told last of the rows, up to its first bad place. The session should see one
    state of the database throughout (SQLite; PostgreSQL at REPEATABLE READ).
    """
    by_chain: dict[uuid.UUID, list[Checkpoint]] = {}
    for checkpoint in kept:
        by_chain.setdefault(checkpoint.chain_id, []).append(checkpoint)
    found = []
    for head in _heads(session):
        found += _faults_of(session, head, by_chain.pop(head.id, []), told)
    found += [Broken(chain_id, 1, Fault.CHECKPOINT) for chain_id in by_chain]
    return [*found, *_unsealed(session)]


def _heads(session: Session) -> list[AuditChain]:
    return list(session.scalars(sa.select(AuditChain).order_by(AuditChain.id)))


def _faults_of(
    session: Session, head: AuditChain, kept: list[Checkpoint], told: dict[uuid.UUID, Told] | None
) -> list[Broken]:
    keys = chain.keys()
    if head.start_key_id not in keys:
        return [Broken(head.id, None, Fault.UNKNOWN_KEY)]
    mac = start = first_mac(keys[head.start_key_id], head.id, bytes.fromhex(head.salt))
    number, wanted = 0, {checkpoint.number: checkpoint.mac for checkpoint in kept}
    with closing(_links(session, head.id)) as found:
        links = found if told is None else _telling(found, told.setdefault(head.id, {}))
        for place in first_fault(head.id, start, links, keys):
            if isinstance(place, Broken):
                return [place]
            number, mac = place
            if wanted.pop(number, mac.hex()) != mac.hex():
                return [Broken(head.id, number, Fault.CHECKPOINT)]
    if number != head.number or mac.hex() != head.mac or any(wanted):
        return [Broken(head.id, number + 1, Fault.TAIL)]
    return []


def _telling(links: Iterable[Link], told: Told) -> Iterator[Link]:
    """The same links; what the one before a link told of rows is taken down when it has been found sound."""
    for link in links:
        yield link
        if link.rows is not None:
            for table, digests in json.loads(link.rows).items():
                told.setdefault(table, {}).update(digests)


def _links(session: Session, chain_id: uuid.UUID) -> Generator[Link, None, None]:
    """The links of a chain with their lines, some at a time: a trail may be larger than the memory."""
    found = session.execute(
        sa.select(AuditLink.number, AuditLink.key_id, AuditLink.mac, AuditLink.rows, AuditEntry)
        .join(AuditEntry, AuditEntry.id == AuditLink.entry_id)
        .where(AuditLink.chain_id == chain_id)
        .order_by(AuditLink.number),
        execution_options={"yield_per": _AT_ONCE},
    )
    with found as rows:
        for number, key_id, mac, told, entry in rows:
            yield Link(number, key_id, _bytes(mac), chain.line_of(entry), told)
            session.expunge(entry)


def _bytes(mac: str) -> bytes:
    try:
        return bytes.fromhex(mac)
    except ValueError:  # somebody wrote something else there
        return b""


def _unsealed(session: Session) -> list[Broken]:
    """Lines without a link of their own clinic's chain, and links of a chain that there is not."""
    of_clinic = sa.func.coalesce(AuditEntry.clinic_id, sa.literal(INSTALLATION, sa.Uuid()))
    has_link = (
        sa.exists()
        .where(AuditLink.entry_id == AuditEntry.id, AuditLink.chain_id == of_clinic)
        .where(AuditLink.chain_id.in_(sa.select(AuditChain.id)))
    )
    clinics = session.scalars(sa.select(AuditEntry.clinic_id).where(~has_link).distinct())
    return [Broken(clinic_id or INSTALLATION, None, Fault.UNSEALED) for clinic_id in clinics]

"""The chain of the trail in plain values: what is sealed, with which key, and what a broken chain looks like.

Each line of the trail has a link: a keyed digest over the line and the link before it. Whoever has the database and
not the secret can change a line, take one away or put one in, and cannot make the links fit again.
"""

import hashlib
import hmac
import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# The words keep these keys apart from each other and from every other use of the secret.
_LINK_KEY: Final = b"chairtime audit: link key 1"
_SIGNING_KEY: Final = b"chairtime audit: checkpoint key 1"
_LINK: Final = b"audit1"
_START: Final = b"audit1 start"
_ROWS: Final = b"audit1 rows"

INSTALLATION: Final = uuid.UUID(int=0)
"""The chain of what belongs to no clinic: a sign-in that was refused, a command."""


class Fault(StrEnum):
    """What is wrong with a chain at its first bad place."""

    ALTERED = "altered"
    GAP = "lines are missing or out of order"
    TAIL = "lines are missing at the end"
    UNKNOWN_KEY = "sealed with an unknown key"
    UNSEALED = "not sealed"
    CHECKPOINT = "does not match the checkpoint"


@dataclass(frozen=True, slots=True)
class Broken:
    """The first bad place of a chain. `number` counts from 1; None where no single line can be named."""

    chain_id: uuid.UUID
    number: int | None
    fault: Fault


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the trail, as the database holds it."""

    id: uuid.UUID
    clinic_id: uuid.UUID | None
    at: datetime
    actor_id: uuid.UUID | None
    action: str
    subject_kind: str | None
    subject_id: uuid.UUID | None
    patient_id: uuid.UUID | None
    body: str
    request_id: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """A link as the database holds it, with its line."""

    number: int
    key_id: str
    mac: bytes
    line: Line
    rows: str | None = None
    """What it tells of the rows that were written with the line, as canonical text."""


@dataclass(frozen=True, slots=True)
class Key:
    """The key of links. Its name says which one without giving it away."""

    secret: bytes

    @property
    def name(self) -> str:
        return hashlib.sha256(b"name of " + self.secret).hexdigest()[:16]


def link_key(secret: str) -> Key:
    """The key of links that comes out of the installation's secret."""
    return Key(HKDF(SHA256(), 32, salt=None, info=_LINK_KEY).derive(secret.encode()))


def signing_key(secret: str) -> Ed25519PrivateKey:
    """The key that signs checkpoints; its public half checks them without any secret."""
    return Ed25519PrivateKey.from_private_bytes(
        HKDF(SHA256(), 32, salt=None, info=_SIGNING_KEY).derive(secret.encode())
    )


def sealed_bytes(line: Line) -> bytes:
    """What of a line is sealed: all of it, one way only.

    The body stands in it as it was written and is not read; instants have microseconds and Z.
    """
    keys = (line.clinic_id, line.actor_id, line.subject_id, line.patient_id)
    clinic_id, actor_id, subject_id, patient_id = (str(key) if key else None for key in keys)
    at = line.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    parts = [str(line.id), clinic_id, at, actor_id, str(line.action), line.subject_kind, subject_id, patient_id]
    parts += [line.body, line.request_id, line.address]
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()


def first_mac(key: Key, chain_id: uuid.UUID, salt: bytes) -> bytes:
    """What stands before the first link."""
    return hmac.digest(key.secret, _START + chain_id.bytes + salt, "sha256")


def next_mac(key: Key, chain_id: uuid.UUID, link: Link, before: bytes) -> bytes:
    """The seal of a link: over its chain, its number, the link before, all that the line says and what of the rows."""
    content = hashlib.sha256(sealed_bytes(link.line)).digest()
    if link.rows is not None:
        content += hashlib.sha256(_ROWS + link.rows.encode()).digest()
    return hmac.digest(key.secret, _LINK + chain_id.bytes + link.number.to_bytes(8, "big") + before + content, "sha256")


def first_fault(
    chain_id: uuid.UUID, start: bytes, links: Iterable[Link], keys: dict[str, Key]
) -> Iterator[tuple[int, bytes] | Broken]:
    """Walk a chain: gives number and link of each sound place, and ends with the first bad one.

    `start` is what stands before the first link, `keys` every key of the installation by its name.
    """
    before = start
    for number, link in enumerate(links, 1):
        if link.number != number:
            yield Broken(chain_id, number, Fault.GAP)
            return
        key = keys.get(link.key_id)
        if key is None:
            yield Broken(chain_id, number, Fault.UNKNOWN_KEY)
            return
        if not hmac.compare_digest(link.mac, next_mac(key, chain_id, link, before)):
            yield Broken(chain_id, number, Fault.ALTERED)
            return
        before = link.mac
        yield number, before

"""What a device keeps while the network is away: sealed to the server's public key before it touches storage.

The device makes one throw-away key per entry (ECDH on P-256), encrypts with AES-GCM and forgets the key, so it can
count and send its entries but not open them again. The server's own key comes out of SECRET_KEY: every process of an
installation has the same one, and there is no second secret to look after. A new SECRET_KEY opens no entry that was
sealed before; name the old one in SECRET_KEY_FALLBACKS until the devices have sent theirs.
"""

import base64
import binascii
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_CURVE: Final = ec.SECP256R1()
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SERVER_KEY: Final = b"chairtime seal: server key 1"
# static/js/seal.js has the same words.
_ENTRY_KEY: Final = b"chairtime seal: entry 1"


class BadSeal(ValueError):
    """An envelope that is damaged, or was sealed for another installation."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sealed entry. `entry`, `author` and `record` can be read from outside and cannot be changed unseen."""

    entry: str
    author: str
    record: str
    key: bytes
    nonce: bytes
    sealed: bytes

    @property
    def label(self) -> bytes:
        """What is written on the envelope, and sealed with its content."""
        return f"{self.entry}|{self.author}|{self.record}".encode()


@lru_cache(maxsize=4)
def _server_key(secret: str) -> ec.EllipticCurvePrivateKey:
    # 16 bytes more than the order has, so that the remainder is even to within 2^-128.
    stretched = HKDF(SHA256(), 48, salt=None, info=_SERVER_KEY).derive(secret.encode())
    return ec.derive_private_key(int.from_bytes(stretched, "big") % (_ORDER - 1) + 1, _CURVE)


@lru_cache(maxsize=4)
def public_key(secret: str) -> str:
    """The key that devices seal to: the uncompressed point, in base64."""
    point = _server_key(secret).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.b64encode(point).decode()


def read_envelope(text: str) -> Envelope:
    """Return a posted envelope. Raises BadSeal when it is none."""
    try:
        found = json.loads(text)
        words = [found[name] for name in ("entry", "author", "record")]
        parts = [base64.b64decode(found[name], validate=True) for name in ("key", "nonce", "sealed")]
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as problem:
        raise BadSeal("This is no sealed entry.") from problem
    if not all(isinstance(word, str) for word in words):
        raise BadSeal("This is no sealed entry.")
    return Envelope(*words, *parts)


def unseal(envelope: Envelope, secrets: Iterable[str]) -> Any:
    """Return what was sealed, from JSON. Raises BadSeal when none of the secrets opens it."""
    try:
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, envelope.key)
    except ValueError as problem:
        raise BadSeal("This entry is damaged.") from problem
    for secret in secrets:
        shared = _server_key(secret).exchange(ec.ECDH(), theirs)
        key = HKDF(SHA256(), 32, salt=None, info=_ENTRY_KEY).derive(shared)
        try:
            return json.loads(AESGCM(key).decrypt(envelope.nonce, envelope.sealed, envelope.label))
        except (InvalidTag, ValueError):
            continue
    raise BadSeal("This entry was sealed for another installation, or with an older secret.")


# --- words in an address ---------------------------------------------------------------------------------------------

_WORDS_KEY: Final = b"chairtime seal: words in an address 1"
_NONCE_BYTES: Final = 12


@lru_cache(maxsize=4)
def _words_key(secret: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=_WORDS_KEY).derive(secret.encode())


def cover(words: str, whose: str, secret: str) -> str:
    """Return words as a part of an address that tells nobody what they are; only `whose` they are opens them again."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_words_key(secret)).encrypt(nonce, words.encode(), whose.encode())
    return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")


def uncover(covered: str, whose: str, secrets: Iterable[str]) -> str:
    """Return the words behind a part of an address. Raises BadSeal when it is none of ours, or somebody else's."""
    try:
        raw = base64.urlsafe_b64decode(covered + "=" * (-len(covered) % 4))
    except (ValueError, binascii.Error) as problem:
        raise BadSeal("These are no covered words.") from problem
    for secret in secrets:
        try:
            opened = AESGCM(_words_key(secret)).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], whose.encode())
        except (InvalidTag, ValueError):
            continue
        return opened.decode()
    raise BadSeal("These words were covered for somebody else, or with an older secret.")

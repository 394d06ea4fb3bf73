"""A device with passkeys, as software: what a phone answers to a browser, so that tests can also let it lie."""

import hashlib
import json
import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

PRESENT, VERIFIED, IS_BACKED_UP, HAS_KEY = 0x01, 0x04, 0x18, 0x40


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Device:
    """One passkey. `origin`, `flags` and `count` are what it says and can be set to something else."""

    def __init__(self, origin: str = "http://localhost") -> None:
        self.origin, self.flags, self.count = origin, PRESENT | VERIFIED, 0
        self.id, self.handle = os.urandom(16), b""
        self._key = ec.generate_private_key(ec.SECP256R1())

    def _said(self, kind: str, options: dict[str, Any]) -> bytes:
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": self.origin}).encode()

    def _data(self, host: str, extra: int = 0) -> bytes:
        return hashlib.sha256(host.encode()).digest() + struct.pack(">BI", self.flags | extra, self.count)

    def _answer(self, **response: bytes) -> str:
        sent = {name: text(value) for name, value in response.items()}
        return json.dumps({"id": text(self.id), "rawId": text(self.id), "type": "public-key", "response": sent})

    def make(self, options: dict[str, Any]) -> str:
        """What it answers when it is to make a passkey."""
        self.handle = raw(options["user"]["id"])
        point = self._key.public_key().public_numbers()
        key = encode_cbor({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})
        data = self._data(options["rp"]["id"], HAS_KEY) + bytes(16) + struct.pack(">H", len(self.id)) + self.id + key
        attested = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(attestationObject=attested, clientDataJSON=self._said("webauthn.create", options))

    def answer(self, options: dict[str, Any]) -> str:
        """What it answers when its person proves who that is."""
        data, said = self._data(options["rpId"]), self._said("webauthn.get", options)
        signature = self._key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        return self._answer(authenticatorData=data, clientDataJSON=said, signature=signature, userHandle=self.handle)

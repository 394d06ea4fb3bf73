"""Seals an entry as a device does: what static/js/seal.js does, in Python."""

import base64
import json
import os

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from clinic.core.seal import public_key


def sealed(secret, content, *, entry="entry", author="author", record="record"):
    """An envelope around any JSON, as the text that a device posts."""
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), base64.b64decode(public_key(secret)))
    mine = ec.generate_private_key(ec.SECP256R1())
    key = HKDF(SHA256(), 32, salt=None, info=b"chairtime seal: entry 1").derive(mine.exchange(ec.ECDH(), theirs))
    nonce = os.urandom(12)
    body = AESGCM(key).encrypt(nonce, json.dumps(content).encode(), f"{entry}|{author}|{record}".encode())
    parts = {
        "key": mine.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        "nonce": nonce,
        "sealed": body,
    }
    encoded = {name: base64.b64encode(part).decode() for name, part in parts.items()}
    return json.dumps({"entry": entry, "author": author, "record": record, **encoded})

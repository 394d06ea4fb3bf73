"""The exact content a person signs, as one text that can be written again years later, byte for byte."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import TypeAlias
from uuid import UUID

Canonical: TypeAlias = "bool | int | str | list[Canonical] | dict[str, Canonical] | None"


def canonical(content: Mapping[str, object]) -> str:
    """Return `content` as UTF-8 JSON with sorted keys and no spaces: the same content always gives the same text.

    Decimals become strings without trailing zeros ("5.0" and "5" are one dose), instants become UTC with microseconds
    and a Z, dates and ids their usual text. Raises `TypeError` for whatever has no single text: floats, naive
    datetimes, sets.
    """
    return json.dumps(_plain(content), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(text: str) -> str:
    """Return the SHA-256 of a canonical text, 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def seen_code(content: Mapping[str, object]) -> str:
    """Return the hash of what a page shows of something to sign. The form that signs it brings it back."""
    return digest(canonical(content))


_CODE_DIGITS = 12


def check_code(content: Mapping[str, object], *, secret: str) -> str:
    """Return the code that stands on a print of `content`: twelve hexadecimal digits, keyed, so that nobody makes one.

    The same content has the same code as long as the installation's secret is the same.
    """
    key = hmac.digest(secret.encode(), b"chairtime print: check code 1", "sha256")
    return hmac.new(key, canonical(content).encode("utf-8"), "sha256").hexdigest()[:_CODE_DIGITS]


def spaced(code: str) -> str:
    """Return a code in groups of four, as people read it out."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


def _plain(value: object) -> Canonical:
    match value:
        case Enum():
            return _plain(value.value)
        case None | bool() | int() | str():
            return value
        case Decimal():
            return _decimal_text(value)
        case datetime():
            return _instant_text(value)
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case Mapping():
            return {_key(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            raise TypeError(f"A {type(value).__name__} has no single text and cannot be signed.")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError("The names in signed content are text.")
    return str(key.value) if isinstance(key, Enum) else key


def _decimal_text(value: Decimal) -> str:
    if not value.is_finite():
        raise TypeError("Only a finite number can be signed.")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _instant_text(value: datetime) -> str:
    if value.utcoffset() is None:
        raise TypeError("A time without a zone cannot be signed.")
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Meaning(StrEnum):
    """What a signature says about the content (domain reference 4.3)."""

    AUTHOR = "author"
    COSIGNER = "co-signer"
    WITNESS = "witness"
    VERBAL_ORDER = "verbal order confirmed"
    REVIEWED = "reviewed"


class Verdict(StrEnum):
    """What a signature says about the content as it stands today."""

    VALID = "valid"
    CHANGED = "content changed"
    SUPERSEDED = "superseded"

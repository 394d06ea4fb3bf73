"""A signature in words: by whom, as what, when, and whether the content is still what was signed."""

from collections.abc import Mapping
from dataclasses import dataclass

from clinic.core import formats, times
from clinic.signatures.models import Signature
from clinic.signatures.operations import verify
from clinic.signatures.rules import Verdict

_SHOWN_DIGITS = 16


@dataclass(frozen=True, slots=True)
class ShownSignature:
    """What a page says of a signature; `code` are the first digits of the hash over the content."""

    name: str
    meaning: str
    when: str
    code: str
    verdict: Verdict


def shown(signature: Signature, content: Mapping[str, object], *, is_superseded: bool = False) -> ShownSignature:
    """The signature beside `content` as it stands today; the time is the clinic's, with the letters of its zone."""
    credentials = signature.signer_credentials
    is_named = not credentials or credentials in signature.signer_name
    wall = times.local(signature.signed_at, formats.zone.get())
    return ShownSignature(
        name=signature.signed_by if is_named else f"{signature.signed_by}, {credentials}",
        meaning=f"{signature.meaning} ({signature.signer_roles})",
        when=f"{formats.day(signature.signed_at)} {wall:%H:%M} {wall.tzname()}",
        code=signature.digest[:_SHOWN_DIGITS],
        verdict=verify(signature, content, is_superseded=is_superseded),
    )

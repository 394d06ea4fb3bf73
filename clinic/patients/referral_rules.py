"""Decisions about referrals on plain values: what a diagnosis code looks like, how a referral stands."""

import re
from enum import StrEnum
from typing import Final

# The shape of an ICD-10 code, in every country's edition: a letter, two characters, and what comes after a point.
_CODE: Final = re.compile(r"[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?")


class ReferralDecision(StrEnum):
    """What a physician says to a referral (domain reference 1.1)."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    MORE_INFORMATION = "more-information"


class Payment(StrEnum):
    """Who is to pay, as the referral or the patient says."""

    INSURANCE = "insurance"
    SELF_PAY = "self-pay"


def codes_of(text: str | None) -> tuple[str, ...]:
    """Return the ICD-10 codes of a typed text, "g90.5, M79.2": each once, in its order, letters in capitals.

    Only the shape is looked at: no list of codes is shipped. Raises ValueError with the first that is no code.
    """
    found = [part.upper() for part in re.split(r"[\s,;]+", (text or "").strip()) if part]
    for part in found:
        if not _CODE.fullmatch(part):
            raise ValueError(part)
    return tuple(dict.fromkeys(found))

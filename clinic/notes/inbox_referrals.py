"""Referrals in the inbox."""

from collections.abc import Iterator

from clinic.notes.inbox_items import Desk, InboxItem
from clinic.notes.inbox_rules import ItemKind, group_of
from clinic.patients.referral_queries import referrals_to_decide


def referrals(desk: Desk) -> Iterator[InboxItem]:
    """Referrals that no physician has accepted, declined or asked more about."""
    for referral in referrals_to_decide():
        codes = f", {referral.icd10_codes}" if referral.icd10_codes else ""
        yield InboxItem(
            referral.id,
            ItemKind.REFERRAL,
            group_of(ItemKind.REFERRAL),
            referral.patient,
            title="Referral to decide",
            what=f"{referral.diagnosis}{codes}.",
            when=desk.when(referral.recorded_at),
            side=referral.referrer,
            since=referral.recorded_at,
            record=referral,
            is_mine=False,
            whose="for any physician",
        )

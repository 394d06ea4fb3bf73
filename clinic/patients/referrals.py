"""Referrals change here: written down, corrected, decided by a physician."""

from dataclasses import asdict, dataclass
from datetime import date, datetime

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core.errors import RuleBroken
from clinic.core.rows import add_row, following
from clinic.patients.models import Patient, Referral, ReferralVerdict
from clinic.patients.referral_queries import current_referrals
from clinic.patients.referral_rules import Payment, ReferralDecision, codes_of


@dataclass(frozen=True, kw_only=True)
class ReferralText:
    """What a referral says."""

    referrer: str
    received_on: date
    diagnosis: str
    icd10_codes: str | None
    prior_treatments: str | None
    records: str | None
    payment: Payment | None
    payer: str | None


def record(patient: Patient, said: ReferralText, *, by: Staff, at: datetime, today: date) -> Referral:
    """Write down a referral; it waits for a physician's decision."""
    referral = Referral(patient_id=patient.id, **_checked(said, today), recorded_at=at, recorded_by_id=by.id)
    add_row(referral)
    _audit(referral, by=by, at=at)
    return referral


def correct(referral: Referral, said: ReferralText, *, reason: str, by: Staff, at: datetime, today: date) -> Referral:
    """Write a referral down again, as when more information came; it waits for a decision anew."""
    if not reason.strip():
        raise RuleBroken("Say why it changes.", field="reason")
    made = following(referral, reason=reason.strip(), by_id=by.id, at=at, **_checked(said, today), is_void=False)
    add_row(made, clash="Somebody else changed this referral meanwhile. Open the page again.")
    _audit(made, by=by, at=at)
    return made


def _checked(said: ReferralText, today: date) -> dict[str, object]:
    if said.received_on > today:
        raise RuleBroken("This day is to come.", field="received_on")
    try:
        codes = codes_of(said.icd10_codes)
    except ValueError as wrong:
        raise RuleBroken(f"“{wrong}” does not look like an ICD-10 code, as G90.5 does.", field="icd10_codes") from None
    return asdict(said) | {"icd10_codes": ", ".join(codes) or None}


def decide(
    referral: Referral, decision: ReferralDecision, reason: str | None, *, by: Staff, at: datetime
) -> ReferralVerdict:
    """Accept or decline a referral, or ask for more, with why or what is missing; the latest decision holds."""
    if referral.id not in {row.id for row in current_referrals(referral.patient_id)}:
        raise RuleBroken("This referral was written again meanwhile. Open the page again.")
    why = (reason or "").strip()
    if decision is not ReferralDecision.ACCEPTED and not why:
        asked = "what is missing" if decision is ReferralDecision.MORE_INFORMATION else "why"
        raise RuleBroken(f"Say {asked}.", field="reason")
    if referral.verdict is not None and referral.verdict.decision is decision:
        raise RuleBroken("This is how it stands already.", field="decision")
    verdict = ReferralVerdict(
        referral_id=referral.id, decision=decision, reason=why or None, recorded_at=at, recorded_by_id=by.id
    )
    referral.verdicts.append(verdict)
    add_row(verdict)
    audit.record(
        AuditAction.REFERRAL_DECIDED,
        verdict,
        actor_id=by.id,
        at=at,
        patient_id=referral.patient_id,
        decision=decision,
        reason=verdict.reason,
    )
    return verdict


def _audit(referral: Referral, *, by: Staff, at: datetime) -> None:
    said = ("referrer", "received_on", "diagnosis", "icd10_codes", "prior_treatments", "records", "payment", "payer")
    audit.record(
        AuditAction.REFERRAL_RECORDED,
        referral,
        actor_id=by.id,
        at=at,
        reason=referral.correction_reason,
        **{name: getattr(referral, name) for name in said},
    )

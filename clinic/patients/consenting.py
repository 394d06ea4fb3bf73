"""Consents: the clinic's forms in their versions, signed by patients and withdrawn by them."""

from dataclasses import dataclass
from datetime import date, datetime

from clinic.accounts.models import Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core.errors import RuleBroken
from clinic.core.rows import add_row, following
from clinic.patients import queries
from clinic.patients.models import Consent, ConsentForm, Patient
from clinic.patients.rules import ConsentStatus, is_drawing, valid_until


def write_consent_form(
    *, drug_name: str, text: str, valid_days: int | None, is_retired: bool = False, by: Staff, at: datetime
) -> ConsentForm:
    """Write the next version of the clinic's consent form for a drug. What was signed keeps its own version."""
    drug_name = drug_name.strip()
    earlier = [form for form in queries.consent_forms() if form.drug_name.lower() == drug_name.lower()]
    form = ConsentForm(
        drug_name=earlier[0].drug_name if earlier else drug_name,
        number=earlier[0].number + 1 if earlier else 1,
        text=text.strip(),
        valid_days=valid_days,
        is_retired=is_retired,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add_row(form, clash="Somebody else changed this form meanwhile. Nothing of yours was saved. Read it again.")
    audit.record(
        AuditAction.CONSENT_FORM_WRITTEN,
        form,
        actor_id=by.id,
        at=at,
        drug=form.drug_name,
        number=form.number,
        text=form.text,
        valid_days=valid_days,
        is_retired=is_retired,
    )
    return form


@dataclass(frozen=True, slots=True)
class Mark:
    """What the patient signed here, and how: the name as typed, and the strokes where the tablet could draw."""

    form: ConsentForm
    name: str
    path: str | None


def sign_consent(
    patient: Patient, form: ConsentForm, *, name: str, path: str | None, on: date, by: Staff, at: datetime
) -> Consent:
    """Keep that the patient signed a version of the form on the tablet; it is valid as long as the form says.

    `by` is who handed the tablet over. Raises RuleBroken without a name, for anything that is no drawing, and for a
    form that is not the newest any more.
    """
    if not name.strip():
        raise RuleBroken("Type your name.", field="name")
    if path and not is_drawing(path):
        raise RuleBroken("The drawing could not be read. Draw it again.", field="path")
    if form.id not in {newest.id for newest in queries.newest_consent_forms()}:
        raise RuleBroken("This form was replaced meanwhile. Give the tablet back.")
    return record_consent(
        patient,
        drug_name=form.drug_name,
        form_version=str(form.number),
        signed_on=on,
        valid_from=on,
        valid_until=valid_until(on, form.valid_days),
        mark=Mark(form, name.strip(), path or None),
        by=by,
        at=at,
    )


def record_consent(
    patient: Patient,
    *,
    drug_name: str,
    form_version: str,
    signed_on: date,
    valid_from: date,
    valid_until: date | None,
    witness_name: str | None = None,
    mark: Mark | None = None,
    by: Staff,
    at: datetime,
) -> Consent:
    """Write down that the patient signed the clinic's form for a drug, valid from and until (both included).

    `mark` is the form that was signed here on the tablet, with what the patient typed and drew.
    """
    if valid_until is not None and valid_until < valid_from:
        raise RuleBroken("The consent ends before it begins.", field="valid_until")
    consent = Consent(
        patient_id=patient.id,
        drug_name=drug_name.strip(),
        form_version=form_version.strip(),
        status=ConsentStatus.ACTIVE,
        signed_on=signed_on,
        valid_from=valid_from,
        valid_until=valid_until,
        witness_name=witness_name or None,
        form_id=mark.form.id if mark else None,
        signed_at=at if mark else None,
        signed_name=mark.name if mark else None,
        signature_path=mark.path if mark else None,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    add_row(consent)
    _audit_consent(consent, by=by, at=at)
    return consent


def withdraw_consent(consent: Consent, *, reason: str, by: Staff, at: datetime) -> Consent:
    """The patient takes the consent back."""
    if consent.status is ConsentStatus.WITHDRAWN:
        raise RuleBroken("This consent is withdrawn already.")
    withdrawn = following(consent, reason=reason, by_id=by.id, at=at, status=ConsentStatus.WITHDRAWN)
    add_row(withdrawn)
    _audit_consent(withdrawn, by=by, at=at)
    return withdrawn


def _audit_consent(consent: Consent, *, by: Staff, at: datetime) -> None:
    audit.record(
        AuditAction.CONSENT_RECORDED,
        consent,
        actor_id=by.id,
        at=at,
        drug=consent.drug_name,
        form_version=consent.form_version,
        status=consent.status,
        valid_from=consent.valid_from,
        valid_until=consent.valid_until,
        reason=consent.correction_reason,
        form_id=consent.form_id,
        signed_name=consent.signed_name,
    )

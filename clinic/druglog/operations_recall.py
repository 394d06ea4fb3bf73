"""What may not be used: recalled lots, containers past their time."""

from datetime import datetime
from zoneinfo import ZoneInfo

from clinic.accounts.models import Clinic, Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.rows import add_row
from clinic.core.times import date_label, local
from clinic.druglog import stock_queries
from clinic.druglog.models import Container, LotRecall
from clinic.druglog.operations_lines import needed


def recall_lot(drug_name: str, lot: str, reason: str, *, by: Staff, at: datetime) -> LotRecall:
    """Note that a lot may be used no more."""
    row = LotRecall(
        drug_name=needed(drug_name, "Choose the drug.", field="drug_name"),
        lot=needed(lot, "Enter the lot.", field="lot"),
        reason=needed(reason, "Say why.", field="reason"),
        recorded_at=at,
        recorded_by_id=by.id,
    )
    db.session.add(row)
    db.session.flush()  # its audit line names it
    audit.record(AuditAction.LOT_RECALLED, row, actor_id=by.id, at=at, drug=row.drug_name, lot=row.lot)
    return row


def lift_recall(recall: LotRecall, reason: str, *, by: Staff, at: datetime) -> LotRecall:
    """Note that a lot may be used again after all."""
    row = LotRecall(
        drug_name=recall.drug_name,
        lot=recall.lot,
        reason=recall.reason,
        recorded_at=at,
        recorded_by_id=by.id,
        supersedes_id=recall.id,
        correction_reason=needed(reason, "Say why.", field="reason"),
        is_void=True,
    )
    add_row(row)
    audit.record(AuditAction.LOT_RECALLED, row, actor_id=by.id, at=at, drug=row.drug_name, lot=row.lot, is_lifted=True)
    return row


def refuse_unusable(container: Container, happened_at: datetime) -> None:
    """Raise RuleBroken for a container past its expiry or its beyond-use time, and for a recalled lot."""
    zone = ZoneInfo(db.session.get_one(Clinic, container.clinic_id).zone)
    if container.expires_on is not None and local(happened_at, zone).date() > container.expires_on:
        raise RuleBroken(f"It expired on {date_label(container.expires_on)}.", field="container_id")
    if container.use_before_at is not None and happened_at > container.use_before_at:
        raise RuleBroken("It is past its beyond-use time.", field="container_id")
    if container.lot and stock_queries.is_recalled(container.drug_name, container.lot):
        raise RuleBroken(f"Lot {container.lot} was recalled.", field="container_id")

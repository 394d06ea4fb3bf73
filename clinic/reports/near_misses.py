"""Near misses of a period: what nearly went wrong, and what each of two people typed where their rates differed."""

import uuid
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from clinic.core import db, formats
from clinic.core.units import format_number
from clinic.druglog.drug_reports import Asked
from clinic.druglog.report_rules import TITLES, DrugReport, Report
from clinic.orders.models import OrderVersion
from clinic.protocols.models import Terms
from clinic.sessions.event_rules import Actuality
from clinic.sessions.models import AdverseEvent, DoubleCheck, InfusionSession, RateProposal

_HEAD = (
    *("When", "Patient", "MRN", "Drug", "What", "Recorded by", "Rate for", "First person", "Typed, mL/h"),
    *("Second person", "Second typed, mL/h", "What was done"),
)


def near_misses(asked: Asked) -> Report:
    """Return the near misses of a period; those of a failed double check with both people and both numbers."""
    events = [one for one in _events(asked.start, asked.end) if _is_asked(one.infusion, asked)]
    failed = _failed({one.infusion_id for one in events})
    rows = [_row(one, failed.get((one.infusion_id, one.onset_at))) for one in events]
    return Report(TITLES[DrugReport.NEAR_MISSES], _HEAD, tuple(rows), frozenset({8, 10}))


def _is_asked(infusion: InfusionSession, asked: Asked) -> bool:
    is_of_site = asked.site_id in {None, infusion.chair.site_id}
    return is_of_site and asked.schedule in {"", infusion.order_version.terms.drug.schedule or ""}


def _row(event: AdverseEvent, check: DoubleCheck | None) -> tuple[str, ...]:
    typed: tuple[str, ...] = ("", "", "", "", "")
    if check is not None:
        proposal = check.proposal
        first = (proposal.purpose.value.replace("_", " "), proposal.recorded_by.name, format_number(proposal.rate_ml_h))
        typed = (*first, check.checker.name, format_number(check.computed_rate_ml_h))
    return (
        f"{formats.day(event.onset_at)} {formats.clock(event.onset_at)}",
        f"{event.patient.family_name}, {event.patient.given_name}",
        event.patient.mrn or "",
        event.infusion.order_version.terms.drug.name,
        event.term,
        event.recorded_by.name,
        *typed,
        event.action or "",
    )


def _events(start: datetime, end: datetime) -> list[AdverseEvent]:
    later = aliased(AdverseEvent)
    infusion = joinedload(AdverseEvent.infusion)
    order = infusion.joinedload(InfusionSession.order_version)
    return list(
        db.session.scalars(
            sa.select(AdverseEvent)
            .where(AdverseEvent.actuality == Actuality.POTENTIAL, AdverseEvent.is_void.is_(False))
            .where(AdverseEvent.onset_at >= start, AdverseEvent.onset_at < end)
            .where(~sa.exists().where(later.supersedes_id == AdverseEvent.id).correlate(AdverseEvent))
            .options(
                joinedload(AdverseEvent.patient),
                joinedload(AdverseEvent.recorded_by),
                infusion.joinedload(InfusionSession.chair),
                order.joinedload(OrderVersion.terms).joinedload(Terms.drug),
            )
            .order_by(AdverseEvent.onset_at, AdverseEvent.id)
        )
    )


def _failed(infusion_ids: Collection[uuid.UUID]) -> dict[tuple[uuid.UUID, datetime], DoubleCheck]:
    found = (
        sa.select(DoubleCheck)
        .where(DoubleCheck.infusion_id.in_(infusion_ids), DoubleCheck.is_match.is_(False))
        .options(joinedload(DoubleCheck.proposal).joinedload(RateProposal.recorded_by), joinedload(DoubleCheck.checker))
    )
    return {(one.infusion_id, one.checked_at): one for one in db.session.scalars(found)}

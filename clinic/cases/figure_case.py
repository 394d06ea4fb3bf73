"""What belongs to a whole case: answers and their change, appointments, decisions, signatures."""

from decimal import Decimal

import sqlalchemy as sa

from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.cases.figures import Known
from clinic.core import db
from clinic.core.units import EXACT
from clinic.courses.models import CourseReview
from clinic.orders.models import OrderVersion
from clinic.outcomes.models import OutcomeResult
from clinic.outcomes.rules import Instrument, Occasion
from clinic.patients import queries as patients
from clinic.scheduling import queries as scheduling
from clinic.scheduling.models import Appointment
from clinic.sessions.models import InfusionSession
from clinic.sessions.progress import current
from clinic.sessions.rules import SessionStatus
from clinic.signatures.models import Signature

_RESPONSE_PCT = 30


def _items(known: Known, instrument: Instrument, occasion: Occasion) -> list[int | None]:
    found = sa.select(OutcomeResult).where(
        OutcomeResult.course_id == known.stage.course.id,
        OutcomeResult.instrument == instrument,
        OutcomeResult.occasion == occasion,
    )
    rows = current(db.session.scalars(found.order_by(OutcomeResult.answered_at)))
    return rows[-1].items if rows else []


def answer(known: Known, instrument: Instrument, occasion: Occasion) -> int | None:
    """The answer to a single question on one occasion."""
    items = _items(known, instrument, occasion)
    return items[0] if items else None


def nrs(known: Known, occasion: Occasion) -> int | None:
    """Pain from 0 to 10 on one occasion."""
    return answer(known, Instrument.NRS, occasion)


def peg(known: Known, occasion: Occasion) -> Decimal | None:
    """The mean of the three items, exact: it is rounded once, to the decimals of the file."""
    items = _items(known, Instrument.PEG, occasion)
    if not items or any(item is None for item in items):
        return None
    return EXACT.divide(Decimal(sum(item or 0 for item in items)), Decimal(len(items)))


def _pair(known: Known, instrument: Instrument) -> tuple[Decimal | None, Decimal | None]:
    if instrument is Instrument.PEG:
        return peg(known, Occasion.BASELINE), peg(known, Occasion.FOLLOW_UP)
    before, after = nrs(known, Occasion.BASELINE), nrs(known, Occasion.FOLLOW_UP)
    return (None if before is None else Decimal(before)), (None if after is None else Decimal(after))


def change(known: Known, instrument: Instrument) -> Decimal | None:
    """The change from the baseline; a fall is negative."""
    before, after = _pair(known, instrument)
    return None if before is None or after is None else after - before


def change_pct(known: Known, instrument: Instrument) -> Decimal | None:
    """The change from the baseline in per cent, exact; a fall is negative, and from 0 there is none."""
    before, after = _pair(known, instrument)
    if not before or after is None:
        return None
    return EXACT.divide(EXACT.multiply(EXACT.subtract(after, before), Decimal(100)), before)


def is_responder(known: Known) -> bool | None:
    """Whether pain fell by the share from which the field speaks of a response (REFERENCE.md 7.1)."""
    fall = change_pct(known, Instrument.NRS)
    return None if fall is None else -fall >= _RESPONSE_PCT


def order_versions(known: Known) -> int:
    """How many versions of the order were signed."""
    found = sa.select(OrderVersion).where(
        OrderVersion.order_id == known.stage.course.order_id, OrderVersion.signature_id.is_not(None)
    )
    return len(db.session.scalars(found).all())


def appointments(known: Known) -> list[Appointment]:
    """Every booking of the course, lost ones included."""
    return scheduling.of_course(known.stage.course.id)


def appointments_that(known: Known, status: str) -> int:
    """How many bookings stand in one state."""
    return sum(one.status.value == status for one in appointments(known))


def _reviews(known: Known) -> list[CourseReview]:
    found = sa.select(CourseReview).where(CourseReview.course_id == known.stage.course.id)
    return list(db.session.scalars(found.order_by(CourseReview.decided_at)))


def decisions(known: Known, decision: str) -> int:
    """How often physicians decided so."""
    return sum(review.decision.value == decision for review in _reviews(known))


def last_decision(known: Known) -> str | None:
    """What was decided last."""
    reviews = _reviews(known)
    return reviews[-1].decision.value if reviews else None


def sessions(known: Known) -> list[InfusionSession]:
    """Every session that began."""
    found = sa.select(InfusionSession).where(InfusionSession.course_id == known.stage.course.id)
    return list(db.session.scalars(found))


def sessions_done(known: Known) -> int:
    """Sessions in which drug was given and which are closed."""
    return sum(one.status.value.startswith("closed") for one in sessions(known))


def sessions_not_done(known: Known) -> int:
    """Sessions in which nothing was given."""
    return sum(one.status is SessionStatus.NOT_DONE for one in sessions(known))


def signatures(known: Known) -> int:
    """How many signatures stand under the patient's records."""
    found = sa.select(Signature.id).where(Signature.patient_id == known.stage.patient.id)
    return len(db.session.scalars(found).all())


def held_weights(known: Known) -> int:
    """How many typed weights were held back."""
    found = sa.select(AuditEntry.id).where(
        AuditEntry.action == AuditAction.WEIGHT_REFUSED, AuditEntry.patient_id == known.stage.patient.id
    )
    return len(db.session.scalars(found).all())


def last_weight(known: Known) -> Decimal | None:
    """The latest weight in kg that stands."""
    last = patients.last_weight(known.stage.patient.id)
    return last.kg if last else None

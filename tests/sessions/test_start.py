"""The start of an infusion, and every reason against it."""

from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.protocols.rules import CheckKind, Comparator, GateEffect, LimitLevel, Vital
from clinic.protocols.terms import CheckDraft, LimitDraft
from clinic.sessions import operations
from clinic.sessions.models import AdministrationEvent
from clinic.sessions.rules import AdministrationKind, SessionStatus
from tests.factories.sessions import ARRIVED, START, minute

SUPERVISING = CheckDraft(section="Team", kind=CheckKind.SUPERVISING, text="Clinician on site", effect=GateEffect.HARD)
IDENTITY = CheckDraft(section="Patient", kind=CheckKind.IDENTITY, text="Name and birth date", effect=GateEffect.HARD)


@pytest.fixture
def start(nurse):
    def act(infusion, check, *, happened_at=START, at=None, **values):
        return operations.start(
            infusion, happened_at=happened_at, double_check=check, by=nurse, at=at or happened_at, **values
        )

    return act


def test_runs_at_the_checked_rate_from_the_orders_bag(make_ready, make_double_check, start):
    infusion = make_ready()
    event = start(infusion, make_double_check(infusion, at=START), volume_to_infuse_ml=Decimal(50))
    assert infusion.status is SessionStatus.INFUSING
    assert (event.rate_ml_h, event.concentration_mg_ml) == (Decimal("13.6"), Decimal(1))
    assert event.order_version_id == infusion.order_version_id


def test_goes_through_ready(make_ready, make_double_check, start):
    infusion = make_ready()
    start(infusion, make_double_check(infusion, at=START))
    ways = [(move.from_status, move.to_status) for move in infusion.transitions]
    assert (SessionStatus.PRECHECKING, SessionStatus.READY) in ways
    assert (SessionStatus.READY, SessionStatus.INFUSING) in ways


def test_leaves_an_audit_line(make_running):
    infusion = make_running()
    lines = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == AuditAction.ADMINISTRATION_RECORDED))
    (line,) = lines
    assert line.patient_id == infusion.patient_id
    assert '"rate_ml_h":"13.6"' in line.body


def test_refuses_while_a_check_is_open(make_infusion, make_double_check, make_weight, start, nurse):
    infusion = make_infusion()
    operations.use_weight(infusion, make_weight(infusion.patient), by=nurse, at=START)
    with pytest.raises(RuleBroken, match="Name and birth date agree: not answered"):
        start(infusion, make_double_check(infusion, at=START))


def test_refuses_a_double_check_that_is_too_old(make_ready, make_double_check, start, clinic):
    clinic.double_check_minutes = 15
    infusion = make_ready()
    check = make_double_check(infusion, at=START)
    with pytest.raises(RuleBroken, match="more than 15 min old"):
        start(infusion, check, happened_at=START + timedelta(minutes=15, seconds=1))
    assert start(infusion, check, happened_at=minute(15))


def test_without_the_clinics_setting_a_double_check_does_not_grow_old(make_ready, make_double_check, start):
    infusion = make_ready()
    assert start(infusion, make_double_check(infusion, at=ARRIVED), happened_at=minute(120))


def test_refuses_a_start_before_its_double_check(make_ready, make_double_check, start):
    infusion = make_ready()
    with pytest.raises(RuleBroken, match="before the pump is set"):
        start(infusion, make_double_check(infusion, at=START), happened_at=minute(-5), at=START)


def test_refuses_without_the_supervising_clinician_where_asked(
    make_ready, make_double_check, start, physician, second_nurse
):
    infusion = make_ready(checks=(IDENTITY, SUPERVISING))
    check = make_double_check(infusion, at=START)
    with pytest.raises(RuleBroken, match="not on site"):
        start(infusion, check)
    with pytest.raises(RuleBroken, match="physician"):
        operations.set_supervising(infusion, second_nurse, by=second_nurse, at=START)
    operations.set_supervising(infusion, physician, by=physician, at=START)
    assert start(infusion, check)


def test_refuses_vitals_outside_a_start_limit(make_ready, make_double_check, start, nurse):
    limit = LimitDraft(LimitLevel.START, Vital.SBP, Comparator.GT, Decimal(160))
    infusion = make_ready(limits=(limit,))
    operations.record_observation(infusion, {"sbp": 186, "dbp": 104}, observed_at=ARRIVED, by=nurse, at=ARRIVED)
    with pytest.raises(RuleBroken, match="SBP is 186; the order's start limit is 160 or less"):
        start(infusion, make_double_check(infusion, at=START))


@pytest.mark.parametrize("later", [{"hr": 70}, {}])
def test_a_later_set_without_that_vital_does_not_lift_its_start_limit(
    make_ready, make_double_check, start, nurse, later
):
    limit = LimitDraft(LimitLevel.START, Vital.SBP, Comparator.GT, Decimal(160))
    infusion = make_ready(limits=(limit,))
    operations.record_observation(infusion, {"sbp": 186, "dbp": 104}, observed_at=ARRIVED, by=nurse, at=ARRIVED)
    operations.record_observation(infusion, later, observed_at=START, note="Cuff moved", by=nurse, at=START)
    with pytest.raises(RuleBroken, match="SBP is 186"):
        start(infusion, make_double_check(infusion, at=START))


def test_refuses_when_the_weight_looks_like_pounds(make_ready, make_double_check, make_weight, start):
    infusion = make_ready()
    wrong = make_weight(infusion.patient, "149.9", confirmed=True, reason="Typed twice")
    operations.use_weight(infusion, wrong, by=infusion.nurse, at=START)
    with pytest.raises(RuleBroken, match="looks like pounds"):
        start(infusion, make_double_check(infusion, "30", at=START))


def test_refuses_a_second_start(make_running, start):
    infusion = make_running()
    (check,) = [proposal.double_checks[0] for proposal in infusion.rate_proposals]
    with pytest.raises(RuleBroken, match="started already"):
        start(infusion, check, happened_at=minute(5))


def test_starting_again_in_recovery_needs_a_new_version(make_stopped, make_double_check, start):
    infusion = make_stopped()
    check = make_double_check(infusion, at=minute(70))
    with pytest.raises(RuleBroken, match="new version of the order"):
        start(infusion, check, happened_at=minute(70))


def test_starts_again_in_recovery_under_a_new_version(
    make_stopped, make_double_check, make_order_version, start, nurse
):
    infusion = make_stopped()
    patient, order = infusion.patient, infusion.order_version.order
    make_order_version(patient, order=order, weight=infusion.order_version.weight, at=minute(65))
    operations.adopt_order(infusion, by=nurse, at=minute(66))
    start(infusion, make_double_check(infusion, at=minute(70)), happened_at=minute(70))
    assert infusion.status is SessionStatus.INFUSING
    assert operations.stop(infusion, happened_at=minute(80), by=nurse, at=minute(80))


def test_the_database_refuses_two_starts_under_one_order(make_running, nurse):
    infusion = make_running()
    second = AdministrationEvent(
        infusion_id=infusion.id,
        kind=AdministrationKind.START,
        happened_at=minute(1),
        rate_ml_h=Decimal(5),
        order_version_id=infusion.order_version_id,
        recorded_at=minute(1),
        recorded_by_id=nurse.id,
    )
    db.session.add(second)
    with pytest.raises(IntegrityError):
        db.session.flush()

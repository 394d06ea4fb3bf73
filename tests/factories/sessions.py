"""Sessions of a course, at any stage: `make_infusion`, `make_ready`, `make_running`, `make_stopped`."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from clinic.core import db
from clinic.protocols.rules import CheckKind
from clinic.scheduling import operations as scheduling
from clinic.sessions import operations
from clinic.sessions.event_rules import CheckPurpose
from clinic.sessions.readiness import asked
from clinic.sessions.rules import GateResult

# An ordinary Tuesday: arrival, and the planned start from which tests count their minutes.
ARRIVED = datetime(2025, 11, 18, 13, 30, tzinfo=UTC)
START = datetime(2025, 11, 18, 14, 0, tzinfo=UTC)


def minute(minutes):
    """The instant so many minutes after the planned start."""
    return START + timedelta(minutes=minutes)


@pytest.fixture
def make_appointment(make_course, make_chair, nurse, scheduler):
    """Makes a booked appointment, three hours from the planned arrival."""
    numbers = itertools.count(1)

    def make(course=None, *, number=None, starts_at=ARRIVED, hours=3, chair=None, with_nurse=nurse):
        course = course or make_course()
        with db.unit_of_work():
            slot = scheduling.Slot(
                session_number=number or next(numbers),
                chair=chair or make_chair(),
                starts_at=starts_at,
                ends_at=starts_at + timedelta(hours=hours),
                nurse=with_nurse,
            )
            (booked,) = scheduling.book(course, [slot], by=scheduler, at=ARRIVED - timedelta(days=1))
        return booked

    return make


@pytest.fixture
def make_infusion(make_course, make_draft, make_protocol_version, make_appointment, nurse):
    """Makes a session of a patient who has arrived; `terms` are values of the order."""

    def make(*, appointment=None, patient=None, arrived_at=ARRIVED, **terms):
        if appointment is None:
            course = make_course(
                patient,
                protocol_version=make_protocol_version(draft=make_draft(**terms)),
                draft=make_draft(**terms),
            )
            appointment = make_appointment(course, starts_at=arrived_at)
        with db.unit_of_work():
            return operations.arrive(appointment, arrived_at=arrived_at, by=nurse, at=arrived_at)

    return make


@pytest.fixture
def settle_checks(make_weight, nurse):
    """Answers every check of a session so that it may start, as far as the nurse alone can."""

    def settle(infusion, *, by=nurse, at=ARRIVED):
        with db.unit_of_work():
            if infusion.weight is None:
                operations.use_weight(infusion, make_weight(infusion.patient), by=by, at=at)
            for item in infusion.order_version.terms.checks:
                if item.kind is CheckKind.IDENTITY:
                    operations.answer_identity(infusion, item, infusion.patient.born_on.year, by=by, at=at)
                elif item.kind not in {CheckKind.WEIGHT, CheckKind.DOUBLE_CHECK, CheckKind.SUPERVISING}:
                    operations.answer_gate(infusion, item, result=GateResult.PASS, by=by, at=at)
        return infusion

    return settle


@pytest.fixture
def make_double_check(nurse, second_nurse):
    """Makes a passed double check of a rate (mL/h): proposed by the nurse, computed by the second nurse."""

    def make(infusion, rate="13.6", *, computed=None, purpose=CheckPurpose.START, by=nurse, checker=second_nurse, at):
        with db.unit_of_work():
            proposal = operations.propose_rate(
                infusion, rate_ml_h=Decimal(rate), purpose=purpose, proposed_at=at, by=by, at=at
            )
            return operations.double_check(
                infusion, proposal, computed_rate_ml_h=Decimal(computed or rate), checker=checker, at=at
            )

    return make


@pytest.fixture
def make_ready(make_infusion, settle_checks):
    """Makes a session whose checks are settled; only the double check is missing."""

    def make(**values):
        return settle_checks(make_infusion(**values))

    return make


@pytest.fixture
def make_running(make_ready, make_double_check, nurse):
    """Makes a session that was started at the planned start, at 13.6 mL/h (0.2 mg/kg/h for 68 kg at 1 mg/mL)."""

    def make(*, rate="13.6", **values):
        infusion = make_ready(**values)
        check = make_double_check(infusion, rate, at=START)
        with db.unit_of_work():
            operations.start(infusion, happened_at=START, double_check=check, by=nurse, at=START)
        return infusion

    return make


@pytest.fixture
def make_stopped(make_running, nurse):
    """Makes a session in recovery, stopped an hour after its start."""

    def make(*, stopped_at=None, **values):
        infusion = make_running(**values)
        when = stopped_at or minute(60)
        with db.unit_of_work():
            operations.stop(infusion, happened_at=when, by=nurse, at=when)
        return infusion

    return make


def check_of(infusion, kind):
    """The first check of a kind that the order asks."""
    return asked(infusion, kind)[0]

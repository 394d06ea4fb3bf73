"""What a proposal costs: from the database to ranked proposals on the page, 12 chairs, 90 days 70 % full."""

import random
from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.core import clock, db
from clinic.core.ids import new_id
from clinic.scheduling.models import Appointment, Shift
from clinic.scheduling.rules import AppointmentStatus
from tests.bench.pages import report  # noqa: F401 a fixture
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE

CHAIRS, DAYS, NURSES = 12, 90, 5
LENGTH = 200  # minutes, as the course to book


@pytest.fixture
def full_quarter(limit_nurses, make_chair, make_staff, make_booked, scheduler):
    """Twelve chairs with three sessions a day at most, of which three in ten are free; five nurses on weekdays."""
    limit_nurses(3)
    chairs = [make_chair() for _ in range(CHAIRS)]
    nurses = [make_staff("nurse") for _ in range(NURSES)]
    course = make_booked(starts_at=NINE + 400 * DAY).course
    rng = random.Random(1)
    days = [NINE + day * DAY for day in range(DAYS) if (NINE + day * DAY).weekday() < 5]
    shifts, booked = [], []
    common = {
        "clinic_id": course.clinic_id,
        "status": AppointmentStatus.BOOKED,
        "status_at": DESK_OPENS,
        "version": 1,
    }
    common |= {"booked_at": DESK_OPENS, "booked_by_id": scheduler.id, "course_id": course.id}
    for day in days:
        for nurse in nurses:
            span = {"starts_at": day - 2 * HOUR, "ends_at": day + 9 * HOUR}
            shifts.append({"id": new_id(), "clinic_id": course.clinic_id, "staff_id": nurse.id, **span})
        for place, chair in enumerate(chairs):
            for turn in range(3):
                if rng.random() < 0.7:
                    starts_at = day - HOUR + turn * timedelta(minutes=LENGTH)
                    booked.append(
                        {
                            "id": new_id(),
                            "patient_id": course.patient_id,
                            "session_number": len(booked) + 2,
                            "chair_id": chair.id,
                            "nurse_id": nurses[place % NURSES].id,
                            "starts_at": starts_at,
                            "ends_at": starts_at + timedelta(minutes=LENGTH),
                            **common,
                        }
                    )
    return shifts, booked


@pytest.fixture
def long_course(full_quarter, make_course, make_protocol_version, make_draft):
    """Ten sessions to book into the full quarter, whose rows are written past the guards of the database."""
    shifts, booked = full_quarter
    lengths = {"precheck_slot_min": 30, "recovery_slot_min": 40, "turnaround_min": 10, "sessions_planned": 10}
    course = make_course(protocol_version=make_protocol_version(draft=make_draft(**lengths)))
    with db.unit_of_work():
        guards = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'appointment'")
        for name in db.session.scalars(guards).all():
            db.session.execute(sa.text(f"DROP TRIGGER {name}"))
        db.session.execute(sa.insert(Shift), shifts)
        db.session.execute(sa.insert(Appointment), booked)
    return course


def measure_a_proposal(client, scheduler, long_course, report, monkeypatch):  # noqa: F811 the fixture
    monkeypatch.setattr("tests.client.audit", lambda markup: [])
    page = f"/calendar/book?order={long_course.order_id}"
    with clock.standing_at(DESK_OPENS):
        client.sign_in(scheduler)
        report("proposals, 10 sessions, 12 chairs", 200, lambda: client.get(page))
        report("the week alone", 200, lambda: client.get("/calendar"))

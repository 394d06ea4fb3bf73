"""Chairs, shifts and appointments. The clinic stands in New York: 14:00 UTC in November is 09:00 on its wall."""

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from clinic.accounts.models import Site
from clinic.core import db
from clinic.courses.models import Course
from clinic.orders.models import Order, OrderVersion
from clinic.protocols.models import Terms
from clinic.scheduling import operations, operations_hours
from clinic.scheduling.models_rooms import NurseLimit
from clinic.scheduling.rules import ChairKind

DESK_OPENS = datetime(2025, 11, 18, 9, 0, tzinfo=UTC)
NINE = datetime(2025, 11, 19, 14, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def make_chair(clinic):
    """Makes a chair: 1, 2, 3 and so on."""
    numbers = itertools.count(1)

    def make(name=None):
        number = next(numbers)
        with db.unit_of_work():
            site_id = db.session.scalar(sa.select(Site.id))
            return operations.add_chair(
                site_id, name or str(number), position=number, kind=ChairKind.CHAIR, by=None, at=DESK_OPENS
            )

    return make


@pytest.fixture
def make_shift(clinic):
    """Puts a person on duty, from 08:00 to 17:00 on Wednesday 19-Nov-2025 unless said otherwise."""

    def make(staff, starts_at=NINE - HOUR, ends_at=NINE + 8 * HOUR):
        with db.unit_of_work():
            return operations.add_shift(staff, starts_at=starts_at, ends_at=ends_at, by=None, at=DESK_OPENS)

    return make


@pytest.fixture
def limit_nurses(clinic):
    """Sets the clinic's limits for one nurse since always; the last word counts."""
    seconds = itertools.count()

    def limit(at_once=None, per_quarter=None, **phases):
        since = {"valid_from": date(2025, 1, 1), "recorded_at": DESK_OPENS + next(seconds) * timedelta(seconds=1)}
        with db.unit_of_work():
            db.session.add(NurseLimit(at_once=at_once, per_quarter=per_quarter, **phases, **since))

    return limit


@pytest.fixture
def make_slot(make_chair):
    """Makes a wish: session 1 at 09:00 for three hours, in a chair of its own."""

    def make(session_number=1, *, chair=None, starts_at=NINE, ends_at=None, hours=3, nurse=None, pump=None):
        return operations.Slot(
            session_number, chair or make_chair(), starts_at, ends_at or starts_at + hours * HOUR, nurse, pump
        )

    return make


def _same_version(signed, order):
    """The version in force of another order, without the rows that hang on its terms."""

    def values(row):
        return {each.key: getattr(row, each.key) for each in row.__mapper__.column_attrs if each.key != "id"}

    terms = Terms(**values(signed.terms))
    db.session.add(terms)
    db.session.flush()
    return OrderVersion(**values(signed) | {"order_id": order.id, "terms_id": terms.id})


@pytest.fixture
def make_active_course(make_course):
    """Makes many courses quickly: only the first is written and signed, the others are as active as it is."""
    first = []

    def make(patient):
        with db.unit_of_work():
            if not first:
                first.append(make_course())
            order = Order(patient_id=patient.id, created_at=DESK_OPENS)
            db.session.add(order)
            db.session.flush()
            db.session.add(_same_version(first[0].order.versions[0], order))
            last = db.session.scalar(sa.select(sa.func.max(Course.number)).where(Course.patient_id == patient.id))
            same = {name: getattr(first[0], name) for name in ("protocol_version_id", "intent", "status")}
            course = Course(
                patient_id=patient.id,
                number=(last or 0) + 1,
                order_id=order.id,
                indication="Neuropathic pain",
                physician_id=first[0].physician_id,
                created_at=DESK_OPENS,
                created_by_id=first[0].created_by_id,
                **same,
            )
            db.session.add(course)
            db.session.flush()
        return course

    return make


@pytest.fixture
def make_booked(make_course, make_slot, scheduler):
    """Books one session: session 1 of a new course at 09:00 in a chair of its own, unless said otherwise."""

    def make(course=None, session_number=1, *, at=DESK_OPENS, **slot):
        course = course or make_course()
        with db.unit_of_work():
            (made,) = operations.book(course, [make_slot(session_number, **slot)], by=scheduler, at=at)
        return made

    return make


@pytest.fixture
def site(clinic):
    """The one place of the clinic."""
    return db.session.scalars(sa.select(Site)).one()


@pytest.fixture
def make_hours(site, scheduler):
    """Opens the site on weekdays from 08:00 to 17:00 from 1-Nov-2025 on, unless said otherwise."""

    def make(*spans, weekdays=(1, 2, 3, 4, 5), valid_from=date(2025, 11, 1), **more):
        operations_hours.set_hours(
            site,
            weekdays,
            spans or [(8 * 60, 17 * 60)],
            valid_from=valid_from,
            by=scheduler,
            at=DESK_OPENS,
            **more,
        )

    return make

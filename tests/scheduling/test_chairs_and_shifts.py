"""Closing a chair shows what stands in the way; a person is on duty once at a time."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.accounts.models import Site
from clinic.core import db
from clinic.core.errors import RuleBroken, broken_constraint
from clinic.scheduling import operations, queries
from clinic.scheduling.models import ChairClosure, Shift
from clinic.scheduling.operations import ChairInUse
from clinic.scheduling.rules import ChairKind
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE


def close(chair, by, starts_at=NINE, ends_at=NINE + HOUR, reason="service"):
    with db.unit_of_work():
        return operations.close_chair(chair, starts_at=starts_at, ends_at=ends_at, reason=reason, by=by, at=DESK_OPENS)


def test_a_chair_with_appointments_stays_open(make_booked, scheduler):
    standing = make_booked()
    with pytest.raises(ChairInUse, match="1 appointment stands") as refusal:
        close(standing.chair, scheduler)
    assert refusal.value.standing == [standing]


def test_the_database_keeps_a_chair_with_appointments_open(make_booked, scheduler):
    standing = make_booked()
    closure = ChairClosure(
        chair_id=standing.chair_id,
        starts_at=NINE,
        ends_at=NINE + HOUR,
        reason="x",
        recorded_at=DESK_OPENS,
        recorded_by_id=scheduler.id,
    )
    db.session.add(closure)
    with pytest.raises(IntegrityError) as refusal:
        db.session.flush()
    assert broken_constraint(refusal.value) == "chair_is_free"


def test_a_chair_closes_between_appointments(make_booked, scheduler):
    standing = make_booked()
    assert close(standing.chair, scheduler, standing.ends_at, standing.ends_at + HOUR).reason == "service"


def test_a_reopened_chair_can_be_booked(make_chair, make_booked, scheduler):
    chair = make_chair()
    closure = close(chair, scheduler)
    operations.reopen_chair(closure, reason="Done early", by=scheduler, at=DESK_OPENS)
    assert queries.closures_between(NINE, NINE + HOUR) == []
    assert make_booked(chair=chair).chair_id == chair.id


def test_a_chair_is_reopened_once(make_chair, scheduler):
    closure = close(make_chair(), scheduler)
    operations.reopen_chair(closure, reason="Done early", by=scheduler, at=DESK_OPENS)
    with pytest.raises(RuleBroken, match="open again"):
        operations.reopen_chair(closure, reason="Twice", by=scheduler, at=DESK_OPENS)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"ends_at": NINE}, "opens again after"), ({"reason": " "}, "Say why")],
)
def test_a_closure_runs_forward_and_says_why(make_chair, scheduler, change, words):
    with pytest.raises(RuleBroken, match=words):
        close(make_chair(), scheduler, **change)


def test_two_chairs_have_two_names(make_chair, scheduler):
    chair = make_chair("Window")
    with pytest.raises(RuleBroken, match="named Window"):
        operations.add_chair(chair.site_id, " Window ", kind=ChairKind.BED, by=scheduler, at=DESK_OPENS)


def test_a_new_chair_stands_last(make_chair, scheduler):
    make_chair()
    site_id = db.session.scalar(sa.select(Site.id))
    made = operations.add_chair(site_id, "Bed", kind=ChairKind.BED, by=scheduler, at=DESK_OPENS)
    assert queries.chairs()[-1] is made


def test_a_person_is_on_duty_once_at_a_time(make_shift, nurse):
    make_shift(nurse)
    with pytest.raises(RuleBroken, match="on duty at that time already"):
        make_shift(nurse, NINE, NINE + HOUR)


def test_a_shift_can_be_removed(make_shift, nurse, scheduler):
    kept, gone = make_shift(nurse), make_shift(nurse, NINE + DAY, NINE + DAY + HOUR)
    operations.remove_shift(gone, by=scheduler, at=DESK_OPENS)
    assert db.session.scalars(sa.select(Shift)).all() == [kept]

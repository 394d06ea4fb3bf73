"""A rule is set aside by name and with a reason, where the clinic allows it and by who may; it stays visible."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken, broken_constraint
from clinic.scheduling import operations, operations_policy
from clinic.scheduling.models import Appointment
from clinic.scheduling.operations import Override, SlotsTaken
from clinic.scheduling.rules import BookingRule, rules_in
from tests.factories.scheduling import DESK_OPENS, HOUR, NINE

LATE = NINE + 10 * HOUR
OUTSIDE = Override(frozenset({BookingRule.SITE_IS_OPEN}), "The patient travels on Thursday.")


@pytest.fixture
def allow(admin):
    """The clinic lets rules be overridden, or no more."""

    def act(*rules, is_allowed=True):
        for rule in rules:
            operations_policy.set_policy(rule, is_allowed=is_allowed, reason="As agreed", by=admin, at=DESK_OPENS)

    return act


@pytest.fixture
def late(make_hours, make_course, make_slot):
    """Books a visit after the clinic has closed."""
    make_hours()
    course, chair = make_course(), make_slot().chair

    def book(by, override=OUTSIDE, **slot):
        slots = [make_slot(chair=chair, starts_at=LATE, **slot)]
        return operations.book(course, slots, by=by, at=DESK_OPENS, override=override)[0]

    return book


def test_an_override_stands_on_the_appointment_and_in_the_trail(late, allow, physician):
    allow(BookingRule.SITE_IS_OPEN)
    made = late(physician)
    assert (rules_in(made.override_rules), made.overridden_by_id) == ({BookingRule.SITE_IS_OPEN}, physician.id)
    line = db.session.scalars(
        sa.select(AuditEntry).where(AuditEntry.action == AuditAction.APPOINTMENT_OVERRIDDEN)
    ).one()
    assert "site_is_open" in line.body
    assert "travels on Thursday" in line.body


def test_only_what_refused_is_named(late, allow, physician):
    allow(BookingRule.SITE_IS_OPEN, BookingRule.NURSE_HAS_ROOM)
    both = Override(frozenset({BookingRule.SITE_IS_OPEN, BookingRule.NURSE_HAS_ROOM}), "x")
    assert rules_in(late(physician, both).override_rules) == {BookingRule.SITE_IS_OPEN}


def test_a_rule_that_was_not_named_still_refuses(late, allow, physician, nurse, make_shift):
    allow(BookingRule.SITE_IS_OPEN)
    make_shift(nurse)
    with pytest.raises(SlotsTaken) as refusal:
        late(physician, nurse=nurse)
    assert refusal.value.clashes[0].rule is BookingRule.NURSE_IS_ON_DUTY


def test_the_desk_overrides_nothing(late, allow, scheduler):
    allow(BookingRule.SITE_IS_OPEN)
    with pytest.raises(RuleBroken, match="Only a physician"):
        late(scheduler)


def test_a_clinic_that_allows_nothing_is_obeyed(late, physician):
    with pytest.raises(RuleBroken, match="does not let this be overridden: outside opening hours"):
        late(physician)


def test_an_override_says_why(late, allow, physician):
    allow(BookingRule.SITE_IS_OPEN)
    with pytest.raises(RuleBroken, match="Say why"):
        late(physician, Override(OUTSIDE.rules, " "))


def forged(made, rule):
    """An appointment as somebody might write it who goes past the operations."""
    columns = ("clinic_id", "patient_id", "course_id", "chair_id", "status", "status_at", "booked_at", "booked_by_id")
    same = {name: getattr(made, name) for name in columns}
    named = {"override_rules": f" {rule} ", "override_reason": "x", "overridden_by_id": made.booked_by_id}
    return Appointment(session_number=2, starts_at=LATE, ends_at=LATE + HOUR, **same, **named)


def refused(row):
    """The name of what the database refuses a row with."""
    db.session.add(row)
    with pytest.raises(IntegrityError) as refusal:
        db.session.flush()
    return broken_constraint(refusal.value)


def test_the_database_refuses_an_override_that_the_clinic_took_back(make_booked, make_hours, allow):
    made = make_booked()
    make_hours()
    allow(BookingRule.SITE_IS_OPEN)
    allow(BookingRule.SITE_IS_OPEN, is_allowed=False)
    assert refused(forged(made, "site_is_open")) == "site_is_open"


def test_no_reason_puts_two_patients_in_one_chair(make_booked):
    made = make_booked()
    twice = forged(made, "no_overlap_for_chair")
    twice.starts_at, twice.ends_at = made.starts_at, made.ends_at
    assert refused(twice).startswith("no_overlap_for_")


@pytest.fixture
def duty(make_shift, nurse, second_nurse):
    """Both nurses are on duty until ten; visits last until twelve."""
    return [make_shift(each, NINE, NINE + HOUR) for each in (nurse, second_nurse)]


def test_what_was_set_aside_for_a_nurse_ends_with_her(make_booked, duty, allow, physician):
    allow(BookingRule.NURSE_IS_ON_DUTY)
    made = make_booked()
    late = Override(frozenset({BookingRule.NURSE_IS_ON_DUTY}), "She stays longer.")
    operations.assign_nurse(made, duty[0].staff, by=physician, at=DESK_OPENS, override=late)
    assert rules_in(made.override_rules) == late.rules
    with pytest.raises(RuleBroken, match="not on duty"):
        operations.assign_nurse(made, duty[1].staff, by=physician, at=DESK_OPENS)
    operations.assign_nurse(made, None, by=physician, at=DESK_OPENS)
    assert made.override_rules is None


def test_an_undo_puts_back_what_a_physician_had_decided(late, allow, physician, scheduler, make_slot):
    allow(BookingRule.SITE_IS_OPEN)
    old = late(physician)
    new = operations.move(old, make_slot(), reason="x", by=scheduler, at=DESK_OPENS)
    assert new.override_rules is None
    back = operations.undo(new, by=scheduler, at=DESK_OPENS)
    assert (back.starts_at, back.override_reason, back.overridden_by_id) == (LATE, OUTSIDE.reason, physician.id)


def test_an_undo_puts_nothing_back_that_the_clinic_allows_no_more(late, allow, physician, scheduler):
    allow(BookingRule.SITE_IS_OPEN)
    old = late(physician)
    operations.cancel(old, reason="x", by=scheduler, at=DESK_OPENS)
    operations_policy.set_policy(
        BookingRule.SITE_IS_OPEN, is_allowed=False, reason="Ended", by=physician, at=DESK_OPENS + HOUR
    )
    with pytest.raises(SlotsTaken) as refusal:
        operations.undo(old, by=scheduler, at=DESK_OPENS)
    assert refusal.value.clashes[0].rule is BookingRule.SITE_IS_OPEN

"""A nurse has no more patients in one phase of a session than the clinic's limit of that day."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from clinic.core import formats
from clinic.core.errors import RuleBroken
from clinic.scheduling import operations_limits, operations_policy, queries
from clinic.scheduling.booking import plan_of
from clinic.scheduling.course_request import Ask
from clinic.scheduling.limit_rules import Most, in_force
from clinic.scheduling.operations import Override, SlotsTaken, book
from clinic.scheduling.operations_breaking import WouldBreak
from clinic.scheduling.phase_rules import Parts, Phase, stay
from clinic.scheduling.proposals import Desk
from clinic.scheduling.rules import BookingRule, Stretch
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE

TODAY = date(2025, 11, 18)
TOMORROW = date(2025, 11, 19)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _wall():
    token = formats.zone.set(ZoneInfo("America/New_York"))
    yield
    formats.zone.reset(token)


@pytest.fixture
def limit(admin):
    def go(*by_phase, valid_from=TODAY, **more):
        most = Most(None, None, *by_phase)
        return operations_limits.set_nurse_limits(valid_from, most, by=admin, at=DESK_OPENS, **more)

    return go


@pytest.fixture
def make_timed(database, make_course, make_protocol_version, make_draft, make_patient):
    """Makes courses of one session of three hours: 30 min of pre-check, 40 of recovery, 10 of turnaround."""
    lengths = {"precheck_slot_min": 30, "duration_min": 100, "recovery_slot_min": 40, "turnaround_min": 10}
    version = make_protocol_version(draft=make_draft(sessions_planned=1, **lengths))
    return lambda: make_course(make_patient(allergies=()), protocol_version=version)


@pytest.fixture
def attempt(make_timed, make_slot, scheduler, nurse):
    """Books a patient of the nurse for three hours; gives the rule that refused."""

    def go(after=0, *, by=scheduler, whose=nurse, **more):
        try:
            slot = make_slot(nurse=whose, starts_at=NINE + after * MINUTE)
            book(make_timed(), [slot], by=by, at=DESK_OPENS, **more)
        except SlotsTaken as refusal:
            return refusal.clashes[0].constraint
        return None

    return go


def test_two_are_not_in_pre_check_at_once(attempt, limit, second_nurse):
    limit(1, None, None)
    assert attempt() is None
    assert attempt(29) == "nurse_has_room_in_phase"
    assert attempt(-29) == "nurse_has_room_in_phase"
    assert attempt(30) is None
    assert attempt(whose=second_nurse) is None


def test_two_are_not_in_recovery_at_once(attempt, limit):
    limit(None, None, 1)
    assert attempt() is None
    assert attempt(49) == "nurse_has_room_in_phase"
    assert attempt(50) is None


def test_the_infusion_is_what_lies_100(attempt, limit):
    limit(None, 1, None)
    assert attempt() is None
    assert attempt(99) == "nurse_has_room_in_phase"
    assert attempt(100) is None


def test_another_who_enters_later_counts(attempt, limit):
    limit(None, 2, None)
    assert attempt() is None
    assert attempt(60) is None
    assert attempt(30) == "nurse_has_room_in_phase"


def test_a_limit_holds_from_its_day_on(attempt, limit):
    limit(1, None, None, valid_from=TOMORROW + timedelta(days=1))
    assert attempt() is None
    assert attempt() is None
    assert attempt(24 * 60) is None
    assert attempt(24 * 60) == "nurse_has_room_in_phase"


def test_a_limit_is_taken_back_by_an_empty_one(attempt, limit):
    limit(1, None, None)
    limit(None, None, None, valid_from=TOMORROW)
    assert attempt() is None
    assert attempt() is None


def test_a_physician_sets_it_aside_where_the_clinic_allows_it(attempt, limit, physician, admin):
    rule = BookingRule.NURSE_HAS_ROOM_IN_PHASE
    limit(1, None, None)
    operations_policy.set_policy(rule, is_allowed=True, reason="Teaching", by=admin, at=DESK_OPENS)
    assert attempt() is None
    assert attempt(by=physician, override=Override(frozenset({rule}), "Beside her teacher")) is None


def test_who_would_stand_beyond_is_shown_first(make_booked, make_timed, limit, nurse):
    make_booked(make_timed(), nurse=nurse)
    second = make_booked(make_timed(), nurse=nurse, starts_at=NINE + MINUTE)
    make_booked(make_timed(), nurse=nurse, starts_at=NINE + DAY)
    with pytest.raises(WouldBreak) as refusal:
        limit(1, None, None)
    assert refusal.value.standing == [second]
    assert limit(1, None, None, seen=refusal.value.key)
    with pytest.raises(RuleBroken, match="so already"):
        limit(1, None, None)


def test_a_day_that_has_passed_is_refused(limit):
    with pytest.raises(RuleBroken, match="today or a later day"):
        limit(1, None, None, valid_from=TODAY - timedelta(days=1))


def test_proposals_keep_the_limits(make_shift, make_chair, make_timed, make_booked, limit, nurse):  # noqa: PLR0917 fixtures
    make_shift(nurse, starts_at=NINE - HOUR, ends_at=NINE + 4 * HOUR)
    make_booked(make_timed(), nurse=nurse, starts_at=NINE - HOUR)
    plan = plan_of(queries.course_to_book(make_timed().id))
    make_chair()

    def starts():
        found = Desk(plan, Ask(plan.terms, 180, last=TOMORROW), at=DESK_OPENS).proposals([1])
        return {(slot.starts_at - NINE) // MINUTE for each in found for slot in each.slots}

    assert min(starts()) == -60
    limit(1, None, None)
    assert min(starts()) == -30


def test_a_visit_is_divided_by_its_order():
    visit = Stretch(NINE, NINE + 3 * HOUR)
    spans = [stay(visit, Parts(30, 45), phase) for phase in Phase]
    assert [(each.ends_at - each.starts_at) // MINUTE for each in spans] == [30, 105, 45]
    short = [stay(visit, Parts(150, 45), phase) for phase in Phase]
    assert [(each.ends_at - each.starts_at) // MINUTE for each in short] == [150, 0, 30]


def test_the_latest_day_that_has_come_counts():
    class Row:
        def __init__(self, day, at):
            self.valid_from, self.recorded_at = date(2025, 11, day), at

    first, second, again = Row(1, DESK_OPENS), Row(10, DESK_OPENS), Row(1, DESK_OPENS + HOUR)
    assert in_force([first, second], date(2025, 11, 9)) is first
    assert in_force([first, second, again], date(2025, 11, 9)) is again
    assert in_force([second], date(2025, 11, 9)) is None

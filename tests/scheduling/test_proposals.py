"""Ranked proposals for a whole course: each can be booked as it stands, and says what it means."""

import re
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from clinic.accounts import operations as accounts
from clinic.core import clock, db, formats
from clinic.protocols.spacing_rules import SpacingKind
from clinic.scheduling import operations, queries
from clinic.scheduling.booking import plan_of
from clinic.scheduling.course_request import Ask
from clinic.scheduling.moving import mover_of
from clinic.scheduling.optimiser.problem import Gap
from clinic.scheduling.optimiser.rhythm import _weeks
from clinic.scheduling.proposal_words import options
from clinic.scheduling.proposals import Desk
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE

LENGTHS = {"precheck_slot_min": 30, "recovery_slot_min": 40, "turnaround_min": 10}
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(autouse=True)
def _wall():
    token = formats.zone.set(NEW_YORK)
    yield
    formats.zone.reset(token)


@pytest.fixture
def desk(client, scheduler):
    with clock.standing_at(DESK_OPENS):
        client.sign_in(scheduler)
        yield client


@pytest.fixture
def make_timed(make_course, make_protocol_version, make_draft, make_patient):
    """Makes a course of sessions of 3 h 20 min, 2 to 7 days apart unless said otherwise."""

    def make(count=4, **spacing):
        apart = {"apart_min_days": None, "apart_max_days": None} if "spacing" in spacing else {}
        draft = make_draft(sessions_planned=count, **LENGTHS, **(apart | spacing))
        return make_course(make_patient(), protocol_version=make_protocol_version(draft=draft))

    return make


def desk_of(course, *, at=DESK_OPENS, **ask):
    plan = plan_of(queries.course_to_book(course.id))
    asked = Ask(plan.terms, plan.length_min, last=plan.valid_until, **ask)
    return Desk(plan, asked, at=at)


def clocks(slots):
    return {slot.starts_at.astimezone(NEW_YORK).strftime("%H:%M") for slot in slots}


def days(slots):
    return [slot.starts_at.astimezone(NEW_YORK).date() for slot in slots]


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.get_data(as_text=True)))


@pytest.fixture
def on_duty(limit_nurses, make_shift, nurse):
    """The nurse, who works five weeks from Monday to Friday, with one patient at once."""
    limit_nurses(1)
    for day in range(7 * 5):
        if (NINE + day * DAY).weekday() < 5:
            make_shift(nurse, starts_at=NINE + day * DAY - HOUR, ends_at=NINE + day * DAY + 8 * HOUR)
    return nurse


@pytest.mark.usefixtures("on_duty")
def test_the_best_is_one_chair_one_time_and_two_weekdays(make_timed, make_chair):
    for _ in range(2):
        make_chair()
    desk = desk_of(make_timed())
    best = options(desk.proposals(), desk.frame)[0]
    assert (best.title, len(clocks(best.slots))) == ("Mon and Thu 08:00, chair 1", 1)
    assert best.line.startswith("Same chair, all mornings. From 20-Nov, done 01-Dec.")


def test_every_proposal_can_be_booked_as_it_stands(make_timed, make_chair, make_booked, on_duty, scheduler):
    chairs = [make_chair() for _ in range(2)]
    for day, chair in ((0, 0), (2, 1), (7, 0), (9, 0)):
        make_booked(chair=chairs[chair], starts_at=NINE + day * DAY, nurse=on_duty)
    course = make_timed()
    offered = desk_of(course).proposals()
    assert len(offered) > 1
    for each in offered:
        assert len(each.slots) == 4
        with db.session.begin_nested() as savepoint:
            operations.book(course, each.slots, by=scheduler, at=DESK_OPENS)
            savepoint.rollback()


def test_a_course_across_a_clock_change_keeps_its_clock_time(make_timed, make_chair):
    make_chair()
    course = make_timed(spacing=SpacingKind.INTERVAL, every_days=7, late_days=0)
    best = desk_of(course, at=DESK_OPENS.replace(year=2026, month=2, day=23)).proposals()[0]
    assert days(best.slots)[0] < date(2026, 3, 8) < days(best.slots)[-1]
    assert len(clocks(best.slots)) == 1


@pytest.fixture
def north(make_chair, admin):
    """A second site with two chairs, beside one chair at the first."""
    here, *there = (make_chair() for _ in range(3))
    site = accounts.add_site("North house", by=admin, at=DESK_OPENS)
    for chair in there:
        chair.site_id = site.id
    db.session.flush()
    return here


def test_a_course_stays_at_one_site(north, make_timed, make_booked):
    """The one chair here is taken in the mornings: the soonest would be here and there in turn."""
    here = north
    for day in range(1, 9, 2):
        make_booked(chair=here, starts_at=NINE + day * DAY, hours=8)
    desk = desk_of(make_timed())
    offered = desk.proposals()
    assert [len({slot.chair.site_id for slot in each.slots}) for each in offered] == [1] * len(offered)
    assert options(offered, desk.frame)[0].line.startswith("At North house.")


def test_a_course_goes_on_where_it_has_been(north, make_timed, make_booked):
    here = north
    course = make_timed()
    first = make_booked(course, chair=here)
    for day in (2, 3, 4):
        make_booked(chair=here, starts_at=NINE + day * DAY, hours=8)
    offered = desk_of(course).proposals()
    assert offered
    assert {slot.chair.id for each in offered for slot in each.slots} == {here.id}
    moves = mover_of(first, at=DESK_OPENS).offers()
    assert moves
    assert {slot.chair.id for slot in moves} == {here.id}


def test_sessions_stand_in_the_windows_of_the_order(make_timed, make_chair):
    make_chair()
    course = make_timed(spacing=SpacingKind.DECREASING, gaps_days=(7, 14), early_days=1, late_days=2)
    for each in desk_of(course).proposals():
        first, *others = days(each.slots)
        gaps = [(after - before).days for before, after in pairwise([first, *others])]
        assert 6 <= gaps[0] <= 9
        assert all(13 <= gap <= 16 for gap in gaps[1:])


def test_the_desk_may_ask_for_afternoons(desk, make_timed, make_chair):
    make_chair()
    said = words(desk.get(f"/calendar/book?order={make_timed().order_id}&part=afternoons"))
    assert "all afternoons" in said
    assert "all mornings" not in said


def test_what_does_not_fit_says_what_is_in_the_way(desk, make_timed, make_chair, scheduler):
    chair = make_chair()
    operations.close_chair(
        chair, starts_at=NINE + 2 * DAY, ends_at=NINE + 250 * DAY, reason="service", by=scheduler, at=DESK_OPENS
    )
    said = words(desk.get(f"/calendar/book?order={make_timed().order_id}"))
    assert "Book 2 sessions" in said
    assert "Session 3: Sat 22-Nov to Sun 23-Nov the clinic is closed; Mon 24-Nov" in said
    assert "no chair is free for so long" in said


def test_without_days_apart_only_the_first_session_is_proposed(desk, make_timed, make_chair):
    make_chair()
    course = make_timed(apart_min_days=None, apart_max_days=None)
    said = words(desk.get(f"/calendar/book?order={course.order_id}"))
    assert "Book 1 session" in said
    assert "the order does not say how far apart" in said
    assert "Book 4 sessions" in words(desk.get(f"/calendar/book?order={course.order_id}&apart=7"))


@pytest.mark.usefixtures("on_duty")
def test_a_nurse_who_is_full_is_not_proposed(desk, make_timed, make_chair, make_booked):
    make_chair()
    make_booked(starts_at=NINE)  # held by nobody in particular
    course = make_timed(1)
    said = words(desk.get(f"/calendar/book?order={course.order_id}"))
    assert "Needs no extra nurse, at most 1 of 1" in said
    asked = desk_of(course)
    assert all(slot.starts_at >= NINE + 3 * HOUR for each in asked.proposals() for slot in each.slots[:1])


def test_a_collision_offers_the_next_best_for_it_alone(desk, make_timed, make_chair, make_booked):
    course, chair = make_timed(3), make_chair()
    make_booked(chair=chair, starts_at=NINE + 2 * DAY)
    typed = {"patient_id": str(course.patient_id)}
    for number, day in ((1, "19-Nov-2025"), (2, "21-Nov-2025"), (3, "26-Nov-2025")):
        typed |= {f"day_{number}": day, f"clock_{number}": "09:00", f"chair_{number}": str(chair.id)}
    answer = desk.post(f"/calendar/book?order={course.order_id}", data=typed)
    assert answer.status_code == 422
    assert "Next best session 2: Fri 21-Nov 12:00, chair 1" in words(answer)
    form = answer.get_data(as_text=True).partition("Next best")[2].partition("</form>")[0]
    again = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)) | typed | {}
    again |= {"day_2": "21-Nov-2025", "clock_2": "12:00"}
    assert desk.post(f"/calendar/book?order={course.order_id}", data=again).status_code == 303
    assert len(queries.of_course(course.id)) == 3


def test_the_questions_to_the_database_do_not_grow_with_the_calendar(make_timed, make_chair, make_booked):
    course, chair = make_timed(), make_chair()
    counts = []
    for round_of in range(2):
        statements = []
        note = lambda *arguments: statements.append(arguments[2])  # noqa: E731, B023 a listener
        for day in range(3):
            make_booked(chair=chair, starts_at=NINE + (7 * round_of + day) * DAY)
        db.session.expire_all()
        listening = db.session.get_bind().engine
        event.listen(listening, "before_cursor_execute", note)
        desk_of(course).proposals()
        event.remove(listening, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts[0] == counts[1] < 25


@given(st.integers(1, 7), st.integers(0, 14))
def test_weekdays_of_a_rhythm_keep_the_gap(least, more):
    gap = Gap(least, (least, least + more), least + more, 0)
    for weekdays in (days for group in _weeks(gap) for days in group):
        there = [date(2025, 11, 17) + timedelta(days=step) for step in range(21) if step % 7 in weekdays]
        gaps = [(after - before).days for before, after in pairwise(there)]
        assert all(gap.least <= each <= gap.most for each in gaps)

"""Many waiting courses planned in one go, apart from the pages; nothing is booked before somebody accepts it."""

import os
import subprocess
import sys
from datetime import timedelta
from itertools import count, pairwise

import pytest
import sqlalchemy as sa

from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.scheduling import operations_plans, plan_work, queries_plans
from clinic.scheduling.models import Appointment, MonthPlan
from clinic.scheduling.plan_rules import SILENT_AFTER, PlanStatus, status_now
from clinic.scheduling.planning import waiting_courses
from tests.concurrency.test_booking import Room
from tests.factories.scheduling import DAY, DESK_OPENS
from tests.structure.tree import ROOT

UNTIL = (DESK_OPENS + 27 * DAY).date()


@pytest.fixture(autouse=True)
def _morning():
    with clock.standing_at(DESK_OPENS):
        yield


@pytest.fixture
def two_waiting(make_course, make_protocol_version, make_draft, make_patient, make_chair):
    """Two courses of six sessions, 2 to 7 days apart, and one chair."""
    make_chair()
    lengths = {"precheck_slot_min": 30, "recovery_slot_min": 40, "turnaround_min": 10}
    version = make_protocol_version(draft=make_draft(sessions_planned=6, **lengths))
    people = [make_patient(family_name=name, allergies=()) for name in ("Abel", "Brandt")]
    return [make_course(patient, protocol_version=version) for patient in people]


@pytest.fixture
def ask(scheduler):
    def go(seconds=60, at=DESK_OPENS, until=UNTIL):
        with db.unit_of_work():
            return operations_plans.ask(
                waiting_courses(), first=at.date(), last=until, seconds=seconds, by=scheduler, at=at
            )

    return go


def after(rounds):
    """The process is told to end after so many looks."""
    looks = count()
    return lambda: next(looks) > rounds


def planned(plan):
    with db.unit_of_work(write=False):
        return queries_plans.planned(plan.id)


@pytest.fixture
def made(two_waiting, ask, clinic):
    plan = ask()
    assert plan_work.make_plans(clinic, is_over=after(40)) == 1
    return plan


def booked():
    return db.session.scalar(sa.select(sa.func.count()).select_from(Appointment))


def test_every_course_gets_places_that_do_not_collide_and_nothing_is_booked(database, made):
    rows = planned(made)
    spans = sorted((row.starts_at, row.starts_at + timedelta(minutes=row.minutes)) for row in rows if row.starts_at)
    assert len({row.course_id for row in rows if row.starts_at}) == 2
    assert all(until <= start for (_, until), (start, _) in pairwise(spans))
    assert booked() == 0


def test_what_has_no_place_says_what_is_in_the_way(database, two_waiting, ask, clinic):
    plan = ask(until=(DESK_OPENS + 6 * DAY).date())
    plan_work.make_plans(clinic, is_over=after(40))
    left = [row.in_the_way for row in planned(plan) if row.starts_at is None]
    assert any("after the days that can be booked" in words for words in left)
    assert "Waits for the one before." in left


def test_a_plan_whose_process_was_told_to_end_keeps_the_best_so_far(database, made):
    db.session.refresh(made)
    assert made.status is PlanStatus.BROKEN
    assert any(row.starts_at for row in planned(made))


def test_a_plan_is_finished_when_its_time_is_over(database, two_waiting, ask, clinic):
    plan = ask(seconds=1)
    plan_work.make_plans(clinic, is_over=lambda: False)
    db.session.refresh(plan)
    assert (plan.status, plan.percent) == (PlanStatus.FINISHED, 100)


def test_a_stopped_search_ends_at_its_next_word(database, two_waiting, ask, scheduler):
    plan = ask()
    assert operations_plans.begin(plan, at=DESK_OPENS)
    assert operations_plans.go_on(plan.id, 10, None, at=DESK_OPENS)
    operations_plans.stop(plan, by=scheduler, at=DESK_OPENS)
    assert not operations_plans.go_on(plan.id, 20, None, at=DESK_OPENS)


def test_a_clinic_has_one_plan_at_work(database, two_waiting, ask):
    ask()
    with pytest.raises(RuleBroken, match="at work already"):
        ask()


def test_a_plan_that_went_silent_makes_room_and_changes_nothing_any_more(database, two_waiting, ask):
    lost = ask()
    operations_plans.begin(lost, at=DESK_OPENS)
    ask(at=DESK_OPENS + SILENT_AFTER + timedelta(seconds=1))
    assert not operations_plans.go_on(lost.id, 50, None, at=DESK_OPENS)
    db.session.refresh(lost)
    assert lost.status is PlanStatus.BROKEN


def test_a_silent_plan_is_shown_as_broken_before_anybody_wrote_that_down():
    assert status_now(PlanStatus.RUNNING, DESK_OPENS, DESK_OPENS + SILENT_AFTER) is PlanStatus.RUNNING
    assert status_now(PlanStatus.RUNNING, DESK_OPENS, DESK_OPENS + 2 * SILENT_AFTER) is PlanStatus.BROKEN
    assert status_now(PlanStatus.FINISHED, DESK_OPENS, DESK_OPENS + DAY) is PlanStatus.FINISHED


def test_accepting_books_the_chosen_sessions_alone(database, made, scheduler):
    chosen = [row for row in planned(made) if row.starts_at][:1]
    done, refused = operations_plans.accept(made, chosen, by=scheduler, at=DESK_OPENS)
    assert (len(done), refused, booked()) == (1, [], 1)
    assert chosen[0].appointment_id


def test_what_collides_is_told_and_keeps_no_other_away(database, made, make_booked, scheduler, chair_of):
    rows = [row for row in planned(made) if row.starts_at]
    taken = min(rows, key=lambda row: row.starts_at)
    make_booked(chair=chair_of(taken), starts_at=taken.starts_at, hours=1)
    done, (refused,) = operations_plans.accept(made, rows, by=scheduler, at=DESK_OPENS)
    assert refused.row is taken
    assert refused.clash.constraint == "no_overlap_for_chair"
    assert len(done) == len(rows) - 1


@pytest.fixture
def chair_of():
    return lambda row: queries_plans.chairs_of([row])[row.chair_id]


def test_nothing_is_accepted_while_the_search_goes_on(database, two_waiting, ask, scheduler):
    plan = ask()
    with pytest.raises(RuleBroken, match="still at work"):
        operations_plans.accept(plan, planned(plan), by=scheduler, at=DESK_OPENS)


@pytest.fixture
def asked_for_real(committed_db, request, ask):
    with Room(request):
        request.getfixturevalue("two_waiting")
    return ask(seconds=1)


def test_no_transaction_is_open_while_it_searches(asked_for_real, clinic):
    looks = []

    def is_over():
        with pytest.raises(RuntimeError, match="unit_of_work"):
            db.session.scalar(sa.select(1))
        looks.append(1)
        return len(looks) > 20

    assert plan_work.make_plans(clinic, is_over=is_over) == 1


def test_a_process_of_its_own_makes_what_was_asked(committed_db, asked_for_real, tmp_path):
    plan = asked_for_real
    own = {"PYTHONPATH": str(ROOT), "DATABASE_URL": committed_db, "SECRET_FILE": str(tmp_path / "secret")}
    line = [sys.executable, "-m", "clinic.cli", "plans", "work"]
    done = subprocess.run(line, check=False, cwd=ROOT, env=os.environ | own, capture_output=True, text=True)
    assert done.stdout.strip() == "1 made.", done.stderr
    with db.unit_of_work(write=False):
        assert db.session.scalar(sa.select(MonthPlan.status).where(MonthPlan.id == plan.id)) is PlanStatus.FINISHED


# --- the page --------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(client, scheduler):
    client.sign_in(scheduler)
    return client


def test_a_plan_is_asked_for_watched_and_accepted_without_script(desk, two_waiting, clinic):
    assert desk.get("/calendar/month-plan").status_code == 200
    keys = [str(course.id) for course in two_waiting]
    sent = {"course": keys, "last": "15-Dec-2025", "seconds": "30"}
    assert desk.post("/calendar/month-plan/start", data=sent).status_code == 303
    assert (
        "At work" in desk.get("/calendar/month-plan").text
        or "waits to be begun" in desk.get("/calendar/month-plan").text
    )
    plan_work.make_plans(clinic, is_over=after(40))
    plan = queries_plans.last_plan()
    rows = [row for row in planned(plan) if row.starts_at]
    answer = desk.post(f"/calendar/month-plan/{plan.id}/accept", data={"session": [str(row.id) for row in rows]})
    assert answer.status_code == 303
    assert booked() == len(rows)


def test_the_progress_is_sent_again_only_when_it_changed(desk, two_waiting, ask):
    page = f"/calendar/month-plan/{ask().id}/progress"
    first = desk.get(page)
    again = desk.get(page, headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)


def test_a_plan_without_a_last_day_is_refused_and_keeps_what_was_ticked(desk, two_waiting):
    answer = desk.post("/calendar/month-plan/start", data={"course": [str(two_waiting[0].id)], "seconds": "60"})
    assert answer.status_code == 422
    assert answer.text.count(" checked") == 1


def test_a_plan_too_large_for_ticks_is_accepted_by_course(desk, made, monkeypatch):
    monkeypatch.setattr("clinic.scheduling.plan_pages.MOST_TICKS", 3)
    rows = [row for row in planned(made) if row.starts_at]
    one = str(rows[0].course_id)
    text = desk.get("/calendar/month-plan").text
    assert f'name="course" value="{one}" checked' in text
    assert 'name="session"' not in text
    assert desk.post(f"/calendar/month-plan/{made.id}/accept", data={"course": one}).status_code == 303
    assert booked() == sum(str(row.course_id) == one for row in rows)

"""What the board and the flowsheet show, and what they cost."""

from datetime import timedelta
from decimal import Decimal

import pytest

from clinic.core import db
from clinic.protocols.rules import Anchor
from clinic.protocols.terms import PhaseDraft
from clinic.sessions import operations, queries
from clinic.sessions.due_rules import DueState
from clinic.sessions.rules import SessionStatus
from tests.factories.sessions import ARRIVED, minute

DAY = timedelta(days=1)


@pytest.fixture
def chart_an_hour(nurse):
    def act(infusion):
        for minutes in range(5, 60, 5):
            operations.record_observation(
                infusion, {"sbp": 170, "dbp": 80}, observed_at=minute(minutes), by=nurse, at=minute(minutes)
            )
        operations.pause(infusion, happened_at=minute(60), by=nurse, at=minute(60))

    return act


def todays_board(**values):
    db.session.expire_all()
    return queries.board(ARRIVED - DAY / 2, ARRIVED + DAY / 2, now=minute(62), **values)


def test_the_board_has_a_row_for_every_appointment(make_running, make_appointment):
    booked = make_appointment(number=2, starts_at=ARRIVED + timedelta(hours=4))
    infusion = make_running()
    rows = {row.appointment.id: row for row in todays_board()}
    assert rows[booked.id].infusion is None
    assert rows[infusion.appointment_id].infusion is infusion
    assert rows[infusion.appointment_id].progress.rate_ml_h == Decimal("13.6")


def test_the_desks_board_has_no_progress(make_running):
    make_running()
    (row,) = todays_board(is_clinical=False)
    assert row.progress is None


def test_appointments_of_another_day_stay_away(make_appointment):
    make_appointment(starts_at=ARRIVED + 2 * DAY)
    assert todays_board() == []


def test_the_board_costs_the_same_for_few_and_many(make_running, make_infusion, chart_an_hour, count_queries):
    make_running()
    with count_queries() as few:
        todays_board()
    for infusion in [make_running() for _ in range(3)]:
        chart_an_hour(infusion)
    make_infusion()
    with count_queries() as many:
        todays_board()
    assert len(many) == len(few)
    assert len(few) < 30


def test_the_flowsheet_costs_the_same_for_few_and_many(make_running, chart_an_hour, count_queries):
    infusion = make_running()
    infusion_id = infusion.id
    db.session.expunge_all()
    with count_queries() as few:
        queries.progress(queries.flowsheet(infusion_id), minute(62))
    chart_an_hour(queries.flowsheet(infusion_id))
    db.session.expunge_all()
    with count_queries() as many:
        queries.progress(queries.flowsheet(infusion_id), minute(62))
    assert len(many) == len(few)
    assert len(few) < 45


def test_the_flowsheet_brings_everything_its_page_shows(make_running, chart_an_hour, count_queries):
    infusion = make_running()
    chart_an_hour(infusion)
    db.session.expire_all()
    sheet = queries.flowsheet(infusion.id)
    with count_queries() as sent:
        queries.progress(sheet, minute(62))
        shown = [row.recorded_by.name for row in (*sheet.observation_sets, *sheet.administrations, *sheet.gate_answers)]
        shown += [sheet.patient.name, sheet.chair.name, sheet.nurse.name, sheet.course.physician.name]
        shown += [check.checker.name for proposal in sheet.rate_proposals for check in proposal.double_checks]
        shown += [item.text for item in sheet.order_version.terms.checks]
    assert shown
    assert sent == []


def test_another_clinics_session_is_not_found(make_running, make_clinic):
    infusion_id = make_running().id
    with db.in_clinic(make_clinic().id):
        db.session.expunge_all()
        assert queries.flowsheet(infusion_id) is None


def test_progress_stands_still_once_the_session_is_closed(make_infusion, nurse):
    infusion = make_infusion(phases=(PhaseDraft(anchor=Anchor.PRECHECK, every_min=15),))
    operations.not_done(infusion, "No escort", by=nurse, at=minute(0))
    later = queries.progress(infusion, minute(600))
    assert later.at == minute(0)
    assert {line.state for line in later.dues} == {DueState.MISSED}
    assert later.next_due is None


def test_progress_has_one_due_time_beyond_the_planned_stop(make_running):
    dues = queries.progress(make_running(), minute(0)).dues
    assert [line.due.at for line in dues][-2:] == [minute(120), minute(135)]
    assert all(line.state in {DueState.UPCOMING, DueState.DUE} for line in dues)


def test_progress_says_every_rate_beside_the_others(make_running):
    now = queries.progress(make_running(), minute(60))
    assert (now.rate_ml_h, now.rate_mg_h, now.rate_mg_kg_h) == (Decimal("13.6"), Decimal("13.6"), Decimal("0.2"))
    assert now.delivered_mg_kg == Decimal("0.2")
    assert now.projected_total_mg == Decimal("27.2")
    assert (now.status, now.planned_stop) == (SessionStatus.INFUSING, minute(120))


def test_a_nurse_finds_the_open_sessions_she_runs(make_running, make_infusion, nurse):
    running, arrived = make_running(), make_infusion()
    operations.not_done(arrived, "No escort", by=nurse, at=minute(0))
    assert queries.of_nurse_now(nurse.id) == [running]

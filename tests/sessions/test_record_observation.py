"""Vitals: what is refused, what is kept and flagged, how they are corrected, when they fall due."""

from datetime import timedelta
from decimal import Decimal

import pytest

from clinic.core.errors import RuleBroken
from clinic.protocols.rules import LimitLevel, SedationScale
from clinic.sessions import operations
from clinic.sessions.due_rules import DueState
from clinic.sessions.event_rules import DischargeExit, NotDoneReason
from clinic.sessions.progress import current, progress
from tests.factories.sessions import START, minute

SECOND = timedelta(seconds=1)


@pytest.fixture
def record(nurse):
    def act(infusion, minutes, *, at=None, note=None, **reading):
        when = minute(minutes)
        return operations.record_observation(
            infusion, reading, observed_at=when, note=note, by=nurse, at=minute(at or minutes)
        )

    return act


def test_keeps_what_was_seen_and_when_it_reached_us(make_running, record):
    row = record(make_running(), 15, at=40, sbp=126, dbp=78, hr=78, temp=Decimal("36.6"))
    assert (row.sbp, row.dbp, row.hr, row.temp) == (126, 78, 78, Decimal("36.6"))
    assert (row.observed_at, row.recorded_at) == (minute(15), minute(40))
    assert row.spo2 is None


def test_refuses_a_time_in_the_future(make_running, nurse):
    with pytest.raises(RuleBroken, match="future"):
        operations.record_observation(make_running(), {"spo2": 97}, observed_at=START + SECOND, by=nurse, at=START)


@pytest.mark.parametrize(
    ("reading", "field"),
    [
        ({"spo2": 101}, "spo2"),
        ({"hr": 9}, "hr"),
        ({"sbp": 120}, "dbp"),
        ({"sbp": 80, "dbp": 120}, "dbp"),
        ({"pain": 11}, "pain"),
        ({"hr": Decimal("72.5")}, "hr"),
        ({"temp": Decimal("36.66")}, "temp"),
        ({"mood": 3}, "mood"),
    ],
)
def test_an_impossible_value_is_refused_at_its_field(make_running, record, reading, field):
    with pytest.raises(RuleBroken) as refusal:
        record(make_running(), 15, **reading)
    assert refusal.value.field == field


def test_nothing_at_all_is_no_observation(make_running, record):
    with pytest.raises(RuleBroken, match="at least one"):
        record(make_running(), 15)


def test_sedation_needs_the_orders_scale(make_running, record, make_stopped):
    with pytest.raises(RuleBroken, match="no sedation scale"):
        record(make_running(), 15, sedation=-1)


def test_sedation_is_kept_with_its_scale(make_running, record):
    row = record(make_running(sedation_scale=SedationScale.RASS), 15, sedation=-1)
    assert (row.sedation, row.sedation_scale) == (-1, SedationScale.RASS)


def test_a_value_outside_its_limit_is_kept_and_flagged(make_running, record):
    row = record(make_running(), 15, sbp=172, dbp=98, spo2=91)
    assert [(b.limit.level, b.limit.vital.value) for b in operations.breaches_of(row)] == [
        (LimitLevel.NOTIFY, "sbp"),
        (LimitLevel.HOLD, "spo2"),
    ]


def test_a_value_outside_its_limit_sets_a_recheck(make_running, record):
    infusion = make_running()
    record(infusion, 15, sbp=172, dbp=98)
    following = progress(infusion, minute(16)).next_due
    assert following.due.at == minute(20)


def test_a_correction_keeps_the_first_readable(make_running, record, nurse):
    infusion = make_running()
    wrong = record(infusion, 30, hr=27, spo2=98)
    right = operations.correct_observation(wrong, {"hr": 72}, "Digits transposed", by=nurse, at=minute(33))
    assert (right.hr, right.spo2, right.supersedes_id) == (72, 98, wrong.id)
    assert current(infusion.observation_sets) == [right]
    assert right.observed_at == minute(30)


@pytest.mark.parametrize(("changes", "words"), [({"hr": 27}, "Nothing"), ({"hr": 5}, "from 10"), ({"who": 1}, "part")])
def test_a_correction_changes_something_possible(make_running, record, nurse, changes, words):
    wrong = record(make_running(), 30, hr=27)
    with pytest.raises(RuleBroken, match=words):
        operations.correct_observation(wrong, changes, "Typo", by=nurse, at=minute(33))


def test_a_correction_says_why(make_running, record, nurse):
    wrong = record(make_running(), 30, hr=27)
    with pytest.raises(RuleBroken, match="what was wrong"):
        operations.correct_observation(wrong, {"hr": 72}, " ", by=nurse, at=minute(33))


def test_another_nurse_writes_a_note_instead(make_running, record, second_nurse):
    wrong = record(make_running(), 30, hr=27)
    with pytest.raises(RuleBroken, match="note instead"):
        operations.correct_observation(wrong, {"hr": 72}, "Typo", by=second_nurse, at=minute(33))


def test_a_withdrawn_set_counts_no_more(make_running, record, nurse):
    infusion = make_running()
    wrong = record(infusion, 15, hr=88)
    operations.void_observation(wrong, "Other patient", by=nurse, at=minute(16))
    assert current(infusion.observation_sets) == []
    assert progress(infusion, minute(16)).dues[0].state is DueState.OVERDUE


def test_vitals_answer_what_was_due(make_running, record):
    infusion = make_running(grace_min=3)
    record(infusion, 16, hr=80)
    states = [line.state for line in progress(infusion, minute(31)).dues[:3]]
    assert states == [DueState.DONE, DueState.DUE, DueState.UPCOMING]


def test_a_note_alone_answers_nothing_that_was_due(make_running, record):
    infusion = make_running()
    record(infusion, 14, hr=80)
    record(infusion, 16, note="Asks for a blanket")
    going = progress(infusion, minute(17))
    assert going.dues[0].state is not DueState.DONE
    assert going.last_observation.hr == 80


def test_a_value_outside_its_limit_stays_so_until_that_vital_is_taken_again(make_running, record):
    infusion = make_running()
    wide = record(infusion, 15, sbp=172, dbp=98)
    record(infusion, 17, hr=80)
    assert [(row, breach.value) for row, breach in progress(infusion, minute(18)).outside] == [(wide, 172)]
    record(infusion, 20, sbp=150, dbp=90)
    assert progress(infusion, minute(21)).outside == ()


def test_vitals_that_could_not_be_taken_are_no_longer_due(make_running, nurse):
    infusion = make_running()
    operations.mark_not_done(infusion, minute(15), NotDoneReason.DECLINED, detail="Asleep", by=nurse, at=minute(20))
    assert progress(infusion, minute(20)).dues[0].state is DueState.NOT_DONE
    with pytest.raises(RuleBroken, match="settled already"):
        operations.mark_not_done(infusion, minute(15), NotDoneReason.DECLINED, by=nurse, at=minute(21))


@pytest.mark.parametrize(("minutes", "words"), [(17, "No vitals were due"), (45, "not due yet")])
def test_only_what_was_due_is_marked_not_done(make_running, nurse, minutes, words):
    with pytest.raises(RuleBroken, match=words):
        operations.mark_not_done(make_running(), minute(minutes), NotDoneReason.DECLINED, by=nurse, at=minute(20))


def test_a_closed_session_takes_late_entries_alone(make_stopped, record, nurse):
    infusion = make_stopped()
    operations.discharge(
        infusion,
        discharged_at=minute(100),
        exit=DischargeExit.AGAINST_ADVICE,
        is_cannula_removed=True,
        is_escort_present=False,
        reason="Would not wait",
        by=nurse,
        at=minute(100),
    )
    assert record(infusion, 45, at=110, hr=76)
    with pytest.raises(RuleBroken, match="addendum"):
        record(infusion, 105, at=110, hr=76)

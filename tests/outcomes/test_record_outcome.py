"""Answers and calls: what is kept, refused, corrected and withdrawn."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DatabaseError

from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.outcomes import operations, queries
from clinic.outcomes.models import OutcomeResult
from clinic.outcomes.rules import (
    BOUNDS,
    FollowUp,
    Instrument,
    Occasion,
    follow_up_state,
    score,
    why_not_answers,
)
from clinic.outcomes.wording import QUESTIONNAIRES, score_lines
from tests.factories.sessions import ARRIVED, minute

NOW = minute(300)


@pytest.fixture
def record(make_course, nurse):
    made = []

    def make(instrument=Instrument.PEG, items=(8, 7, 8), *, occasion=Occasion.BASELINE, at=NOW, **values):
        if not made:
            made.append(make_course())
        return operations.record_outcome(
            made[0], instrument, items, occasion=occasion, answered_at=at, by=nurse, at=NOW, **values
        )

    return make


@given(st.sampled_from(Instrument), st.data())
def test_complete_answers_within_their_bounds_are_taken_and_have_a_score(instrument, data):
    bounds = BOUNDS[instrument]
    answer = st.integers(bounds.lowest, bounds.highest)
    items = data.draw(st.lists(answer, min_size=bounds.count, max_size=bounds.count))
    assert why_not_answers(instrument, items) is None
    assert score(instrument, items) is not None


@given(st.sampled_from(Instrument), st.integers(-20, 40))
def test_an_answer_outside_its_bounds_is_refused(instrument, answer):
    bounds = BOUNDS[instrument]
    is_inside = bounds.lowest <= answer <= bounds.highest
    assert (why_not_answers(instrument, [answer] * bounds.count) is None) is is_inside


@pytest.mark.parametrize("instrument", Instrument)
def test_a_questionnaire_asks_as_often_as_its_score_counts(instrument):
    asked, bounds = QUESTIONNAIRES[instrument], BOUNDS[instrument]
    values = [value for value, _ in asked.answers]
    assert len(asked.questions) == bounds.count
    assert values == list(range(bounds.lowest, bounds.highest + 1))


def test_no_answer_at_all_is_refused():
    assert why_not_answers(Instrument.PHQ9, [None] * 9) == "Enter at least one answer."


def test_a_missing_answer_leaves_the_score_out():
    assert QUESTIONNAIRES[Instrument.PEG].text([4, None, 5]) == "not complete"


@given(st.lists(st.booleans(), max_size=6))
def test_a_follow_up_ends_when_somebody_was_reached_or_after_three_attempts(calls):
    state = follow_up_state(calls)
    assert (state is FollowUp.REACHED) is any(calls)
    assert (state is FollowUp.GIVEN_UP) is (not any(calls) and len(calls) >= 3)


def test_a_course_shows_the_change_since_its_baseline(record):
    record(Instrument.NRS, [8])
    record(Instrument.NRS, [4], occasion=Occasion.FOLLOW_UP, at=NOW)
    (line,) = score_lines(queries.results_of_course(record().course_id))[:1]
    assert (line.baseline, line.latest, line.change) == ("8 of 10", "4 of 10", "\N{MINUS SIGN}4 (\N{MINUS SIGN}50%)")


def test_a_thought_of_self_harm_is_flagged(record):
    record(Instrument.PHQ9, [0, 0, 0, 0, 0, 0, 0, 0, 1])
    assert score_lines(queries.results_of_course(record().course_id))[-1].is_flagged


def test_the_future_and_another_courses_session_are_refused(record, make_infusion):
    with pytest.raises(RuleBroken, match="future"):
        record(at=NOW + timedelta(minutes=1))
    with pytest.raises(RuleBroken, match="another course"):
        record(infusion=make_infusion())


def test_a_correction_takes_the_place_of_the_row(record, nurse):
    wrong = record()
    right = operations.correct_outcome(wrong, [7, 7, 7], reason="Misread.", by=nurse, at=NOW)
    assert queries.results_of_course(wrong.course_id) == [right]
    assert wrong.items == [8, 7, 8]


def test_withdrawn_answers_are_left_out(record, nurse):
    wrong = record()
    operations.withdraw_outcome(wrong, reason="Another patient.", by=nurse, at=NOW)
    assert not queries.results_of_course(wrong.course_id)


def test_a_row_is_corrected_once_and_with_a_reason(record, nurse):
    wrong = record()
    with pytest.raises(RuleBroken, match="Say why"):
        operations.correct_outcome(wrong, [7, 7, 7], reason=" ", by=nurse, at=NOW)
    operations.correct_outcome(wrong, [7, 7, 7], reason="Misread.", by=nurse, at=NOW)
    with pytest.raises(Conflict):
        operations.correct_outcome(wrong, [6, 6, 6], reason="Again.", by=nurse, at=NOW)


def test_the_database_refuses_to_change_answers(record):
    kept = record()
    db.session.flush()
    change = sa.update(OutcomeResult).where(OutcomeResult.id == kept.id).values(items=[0, 0, 0])
    with pytest.raises(DatabaseError), db.session.begin_nested():
        db.session.execute(change.execution_options(synchronize_session=False))


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"is_reached": True, "text": " "}, "what was said"),
        ({"called_at": NOW + timedelta(minutes=1)}, "future"),
        ({"called_at": ARRIVED - timedelta(minutes=1)}, "before the session"),
    ],
)
def test_a_call_that_cannot_be_is_refused(make_infusion, nurse, values, match):
    chosen = {"called_at": NOW, "is_reached": False, "text": None} | values
    with pytest.raises(RuleBroken, match=match):
        operations.record_follow_up_call(make_infusion(), by=nurse, at=NOW, **chosen)

"""What counts as a response is what the clinic typed; what is not known is counted as not known."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.core import clock, db
from clinic.outcomes import operations, operations_forms
from clinic.outcomes.response_rules import Answered, Benefit, Definition, Response, Tally, benefit, meets, response
from clinic.outcomes.rules import Better, Instrument, Occasion
from tests.factories.notes import LATER

THIRTY = Definition(Better.LOWER, least_percent=30)
DAY = timedelta(days=1)


def answered(*scores, from_day=1):
    return [Answered(LATER + (from_day + number) * DAY, score) for number, score in enumerate(scores)]


@given(st.integers(1, 100), st.integers(0, 100), st.integers(1, 100))
def test_a_change_counts_from_exactly_the_percentage_on(before, now, percent):
    found = meets(Definition(Better.LOWER, least_percent=percent), before, now)
    assert found is (Decimal(before - now) * 100 / before >= percent)


@pytest.mark.parametrize(
    ("definition", "before", "now", "found"),
    [
        (THIRTY, 10, 7, True),
        (THIRTY, 10, Decimal("7.1"), False),
        (THIRTY, 0, 0, False),
        (THIRTY, None, 1, None),
        (Definition(Better.HIGHER, least_percent=50), 4, 6, True),
        (Definition(Better.LOWER, reaches=Decimal(2)), None, 2, True),
        (Definition(Better.HIGHER, reaches=Decimal(8)), None, 7, False),
        (Definition(Better.LOWER, least_percent=30, reaches=Decimal(4)), 10, 6, False),
    ],
)
def test_both_parts_of_a_definition_count(definition, before, now, found):
    assert meets(definition, before, now) is found


def test_the_last_answer_within_the_time_decides():
    before, later = Answered(LATER, 10), answered(5, 9)
    assert response(THIRTY, before, later, LATER) is Response.NOT
    soon = Definition(Better.LOWER, least_percent=30, within=DAY)
    assert response(soon, before, later, LATER) is Response.RESPONDED


def test_what_is_missing_is_not_a_no():
    assert response(THIRTY, None, answered(1), LATER) is Response.NO_BASELINE
    assert response(THIRTY, Answered(LATER, 10), answered(None), LATER) is Response.NO_ANSWER


def test_a_benefit_lasts_until_the_answer_that_ends_it():
    assert benefit(THIRTY, 10, answered(5, 6, 9), LATER) == Benefit(2, 3)
    assert benefit(THIRTY, 10, answered(5, None, 6), LATER) == Benefit(3, None)
    assert benefit(THIRTY, 10, answered(9, 5), LATER) is None


def test_the_share_is_of_the_courses_that_are_known():
    tally = Tally()
    for found in (Response.RESPONDED, Response.NOT, Response.NOT, Response.NO_BASELINE, Response.NO_ANSWER):
        tally.add(found)
    assert (tally.total, tally.judged, tally.missing, str(tally.share_pct)) == (5, 3, 2, "33.3")
    assert Tally().share_pct is None


# --- on the pages ----------------------------------------------------------------------------------------------------


@pytest.fixture
def record(nurse):
    def make(infusion, score, occasion, at):
        with db.unit_of_work():
            operations.record_outcome(
                infusion.course, Instrument.NRS, [score], occasion=occasion, answered_at=at, by=nurse, at=at
            )

    return make


@pytest.fixture
def read(client, nurse):
    client.sign_in(nurse)

    def get(address):
        with clock.standing_at(LATER + 9 * DAY):
            return client.get(address).text

    return get


@pytest.fixture
def treated(make_closed, record):
    """A course with pain 8 before it and 4 after its session."""
    infusion = make_closed()
    record(infusion, 8, Occasion.BASELINE, infusion.arrived_at - DAY)
    record(infusion, 4, Occasion.FOLLOW_UP, LATER + DAY)
    return infusion


def define(physician, percent):
    with db.unit_of_work():
        operations_forms.define_response(
            "nrs", least_percent=percent, reaches=None, within_days=None, reason="Agreed.", by=physician, at=LATER
        )


def test_without_a_definition_nothing_is_counted(read, treated):
    assert "The clinic has not said what a response is" in read("/responses")
    assert "responded" not in read(f"/courses/{treated.course_id}/outcomes").lower()


def test_responders_are_counted_by_drug_and_protocol(read, treated, make_closed, physician):
    make_closed(patient=None)
    define(physician, 50)
    text = read("/responses")
    assert "better by at least 50%" in text
    assert "100%" in text
    assert "Responded" in read(f"/courses/{treated.course_id}/outcomes")


@pytest.mark.parametrize(("period", "word"), [("since=01-Jan-2027", "No course in this time"), ("since=x", "Error: ")])
def test_a_time_can_be_chosen(read, treated, physician, period, word):
    define(physician, 50)
    assert word in read(f"/responses?{period}")


def test_the_course_and_the_patient_show_the_scores_drawn(read, treated):
    for address in (f"/courses/{treated.course_id}/outcomes", f"/patients/{treated.patient_id}"):
        text = read(address)
        assert "before the course; 4 on" in text
        assert "\N{MINUS SIGN}4 (\N{MINUS SIGN}50%)" in text

"""The ninth answer of PHQ-9 above zero stands in the physicians' inbox at once, until one of them has signed for it."""

import pytest

from clinic.core import clock, db
from clinic.notes.inbox import inbox_count
from clinic.outcomes import operations
from clinic.outcomes.rules import Instrument, Occasion
from tests.factories.accounts import PASSWORD
from tests.factories.notes import LATER


@pytest.fixture
def answer(make_closed, nurse):
    """Answers PHQ-9 in a course; the ninth as said."""
    course = make_closed().course

    def make(ninth, **values):
        with db.unit_of_work():
            return operations.record_outcome(
                course, Instrument.PHQ9, [0, None, *[0] * 6, ninth], occasion=Occasion.DIARY, answered_at=LATER,
                by=nurse, at=LATER, **values,
            )  # fmt: skip

    return make


@pytest.fixture
def reader(client, signing_physician):
    with clock.standing_at(LATER):
        client.sign_in(signing_physician)
        yield client


@pytest.mark.parametrize(("ninth", "more"), [(0, 0), (None, 0), (1, 1), (3, 1)])
def test_only_an_answer_above_zero_waits(answer, physician, ninth, more):
    before = inbox_count(physician, LATER)
    answer(ninth)
    assert inbox_count(physician, LATER) == before + more


def test_the_answer_is_read_as_it_was_chosen(answer, reader):
    result = answer(2)
    page = reader.get(f"/inbox/{result.id}").text
    assert "2, more than half the days" in page
    assert "stands in the physicians" in reader.get(f"/courses/{result.course_id}/outcomes").text


def test_a_signature_takes_it_out_of_the_list(answer, reader):
    result = answer(1)
    assert reader.sign_as_read(f"/inbox/{result.id}", password="wrong").status_code == 422
    assert reader.sign_as_read(f"/inbox/{result.id}", password=PASSWORD).status_code == 303
    assert "Reviewed by" in reader.get(f"/courses/{result.course_id}/outcomes").text
    assert str(result.id) not in reader.get("/inbox").text


def test_a_corrected_answer_waits_in_its_new_version(answer, reader, nurse):
    wrong = answer(1)
    with db.unit_of_work():
        right = operations.correct_outcome(wrong, [0] * 8 + [2], reason="Misread.", by=nurse, at=LATER)
    page = reader.get("/inbox").text
    assert str(right.id) in page
    assert str(wrong.id) not in page

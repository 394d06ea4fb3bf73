"""The clinic's own measures: written by a physician, versioned, scored as the clinic says, and results alone."""

from decimal import Decimal

import pytest

from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.outcomes import operations, operations_forms, queries
from clinic.outcomes.rules import Occasion, Scoring, Wording, form_score
from clinic.outcomes.wording import result_text
from tests.factories.notes import LATER

SLEEP = {
    "name": "Sleep and mood",
    "scoring": "mean",
    "lead": "Over the past week.",
    "questions": "How did you sleep?\nHow was your mood?\nHow tired were you?",
    "answers": "0 = well\n1 = fairly\n2 = badly",
    "least_answers": "2",
    "better": "lower",
}


@pytest.fixture
def physicians_client(client, physician):
    client.sign_in(physician)
    return client


@pytest.fixture
def make_form(clinic, physician):
    """Makes a form of the clinic's: three questions, a mean of at least two answers."""

    def make(series_id=None, **values):
        wording = {
            "name": "Sleep",
            "scoring": Scoring.MEAN,
            "questions": ("Sleep?", "Mood?", "Tired?"),
            "answers": ((0, "well"), (1, "fairly"), (2, "badly")),
            "least_answers": 2,
        } | values
        with db.unit_of_work():
            return operations_forms.write_form(Wording(**wording), series_id=series_id, by=physician, at=LATER)

    return make


@pytest.fixture
def make_result(make_course, nurse):
    course = None

    def make(form, items=(), **values):
        nonlocal course
        course = course or make_course()
        return operations.record_outcome(
            course, form, items, occasion=Occasion.DIARY, answered_at=LATER, by=nurse, at=LATER, **values
        )

    return make


def test_a_physician_writes_a_form_and_its_next_version(physicians_client):
    assert physicians_client.post("/measures/new", data=SLEEP).status_code == 303
    (first,) = queries.newest_forms()
    address = f"/measures/{first.series_id}"
    assert physicians_client.post(address, data=SLEEP | {"lead": "Today.", "version": "1"}).status_code == 303
    assert [form.number for form in queries.form_versions(first.series_id)] == [2, 1]
    assert "Today." in physicians_client.get(address).text


def test_who_wrote_from_an_old_version_is_told(physicians_client, make_form):
    form = make_form()
    make_form(series_id=form.series_id)
    answer = physicians_client.post(f"/measures/{form.series_id}", data=SLEEP | {"version": "1"})
    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": ""}, "Enter the name"),
        ({"scoring": ""}, "Choose how it is scored"),
        ({"questions": ""}, "Write at least one question."),
        ({"answers": "0 = well"}, "Write at least two answers."),
        ({"answers": "well\nbadly"}, "Begin each line with its number"),
        ({"answers": "0 = well\n0 = badly"}, "Two answers have the same number."),
        ({"least_answers": "4"}, "There are not so many questions."),
        ({"scoring": "total"}, "A sum needs every answer."),
        ({"scoring": "result"}, "leave questions and answers empty"),
    ],
)
def test_a_form_that_cannot_be_scored_is_refused(physicians_client, change, complaint):
    answer = physicians_client.post("/measures/new", data=SLEEP | change)
    assert answer.status_code == 422
    assert complaint in answer.text
    assert not queries.forms()


def test_an_answer_keeps_the_version_that_was_asked(make_form, make_result):
    form = make_form()
    result = make_result(form, [0, 1, 2])
    make_form(series_id=form.series_id, answers=((1, "well"), (5, "badly")))
    (kept,) = queries.results_of_course(result.course_id)
    assert kept.form.number == 1
    assert result_text(kept) == "1 of 2"


@pytest.mark.parametrize(
    ("scoring", "items", "least", "score"),
    [
        (Scoring.TOTAL, [1, 2, 2], None, 5),
        (Scoring.TOTAL, [1, None, 2], None, None),
        (Scoring.MEAN, [1, None, 2], 2, Decimal("1.5")),
        (Scoring.MEAN, [None, None, 2], 2, None),
        (Scoring.MEAN, [1, None, 2], None, None),
    ],
)
def test_a_missing_answer_is_never_guessed(scoring, items, least, score):
    assert form_score(scoring, items, least) == score


def test_an_answer_that_was_not_offered_is_refused(make_form, make_result):
    with pytest.raises(RuleBroken, match="answers offered"):
        make_result(make_form(), [0, 1, 7])


def test_of_some_measures_the_result_alone_is_kept(make_form, make_result):
    bpi = make_form(
        name="BPI interference",
        scoring=Scoring.RESULT,
        questions=(),
        answers=(),
        least_answers=None,
        lowest=Decimal(0),
        highest=Decimal(10),
    )
    assert result_text(make_result(bpi, value=Decimal("4.5"))) == "4.5 of 10"
    assert result_text(make_result(bpi, text="not done, tired")) == "not done, tired"
    with pytest.raises(RuleBroken, match="from 0 to 10"):
        make_result(bpi, value=Decimal(11))
    with pytest.raises(RuleBroken, match="Enter the result"):
        make_result(bpi, text=" ")


def test_a_result_is_typed_on_the_page_of_the_course(client, nurse, make_form, make_closed):
    form = make_form(name="C-SSRS", scoring=Scoring.RESULT, questions=(), answers=(), least_answers=None)
    course_id = make_closed().course_id
    client.sign_in(nurse)
    data = {"text": "Screen done, negative.", "occasion": "baseline", "day": "19-Nov-2025", "clock": "10:00"}
    assert client.post(f"/courses/{course_id}/outcomes/{form.series_id}", data=data).status_code == 303
    assert "Screen done, negative." in client.get(f"/courses/{course_id}/outcomes").text


def test_a_retired_form_is_asked_no_more(physicians_client, make_form):
    form = make_form()
    assert physicians_client.post(f"/measures/{form.series_id}/retire").status_code == 303
    assert not queries.newest_forms()
    assert physicians_client.post(f"/measures/{form.series_id}/retire").status_code == 409


def test_a_response_is_what_the_clinic_typed(physicians_client):
    nothing = {"measure": "peg", "least_percent": "", "reaches": "", "within_days": "", "reason": "Meeting of May."}
    refused = physicians_client.post("/measures/response", data=nothing)
    assert "Enter the change or the score" in refused.text
    assert physicians_client.post("/measures/response", data=nothing | {"least_percent": "30"}).status_code == 303
    assert "PEG better by at least 30% than before the course" in physicians_client.get("/measures").text


def test_another_clinic_finds_no_form(make_form, refuses_strangers):
    refuses_strangers(f"/measures/{make_form().series_id}")

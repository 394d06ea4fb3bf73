"""What a plan says about the sessions that it moves, and about those that it does not place."""

from datetime import date

import pytest

from clinic.scheduling.optimiser import files, search
from clinic.scheduling.optimiser.problem import Place
from clinic.scheduling.optimiser.reasons import reasons
from tests.factories.schedules import make_clinic, make_course, make_day, make_problem, make_session, on

BOOKED = {"clinic": "C", "date": on(1), "start": 33, "chair": "1", "nurse": "A", "fixed": False}
TUESDAY = f"{date.fromisoformat(on(1)):%A %d %B}"
MONDAY = (Place(0, 0, 33, 1, 0),)
OTHERS = make_course("L", [make_session("L", 1)])


def said(days, *, booked=BOOKED, plan=MONDAY, others=(), **course):
    """The lines about a plan of one course, booked on Tuesday, and of another that needs its place."""
    mine = make_course("K", [make_session("K", 1, booked=booked)], **course)
    problem = files.problem_of(make_problem([make_clinic(days)], [mine, OTHERS], days=2))
    return [line for line in reasons(problem, [tuple(plan), tuple(others)]) if "K-1" in line]


@pytest.mark.parametrize(
    ("tuesday", "words"),
    [
        (make_day(1, nurses=("B",)), f"A is off on {TUESDAY}"),
        (make_day(1, closed_chairs=[{"id": "1", "from": 32, "to": 40}]), f"1 is closed on {TUESDAY}"),
        (make_day(1, physicians=((40, 52),)), f"no physician is there throughout on {TUESDAY}"),
        (make_day(1), "it suits the patient or the clinic better"),
    ],
)
def test_a_move_says_what_is_in_the_way(tuesday, words):
    assert said([make_day(0), tuesday]) == [f"moved: K-1: {words}"]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (Place(0, 1, 34, 0, 1), f"1 is needed for another patient on {TUESDAY}"),
        (Place(0, 1, 33, 1, 0), f"A is needed for another patient on {TUESDAY}"),
    ],
)
def test_a_move_names_what_another_patient_needs(other, words):
    tuesday = make_day(1, physicians=((32, 52), (32, 52)))
    assert said([make_day(0), tuesday], others=[other]) == [f"moved: K-1: {words}"]


def test_a_session_that_stays_needs_no_reason():
    assert said([make_day(0), make_day(1)], plan=[Place(0, 1, 33, 0, 0)]) == []


def test_a_patient_who_has_no_time_is_the_reason():
    assert said([make_day(0), make_day(1)], weekly=[[[32, 52]], [], *[[[32, 52]]] * 5]) == [
        f"moved: K-1: the patient has no time on {TUESDAY}"
    ]


def test_a_session_without_a_place_says_what_is_in_the_way_of_each_day():
    (line,) = said([make_day(0, nurses=()), make_day(1, closed_chairs=[{"id": "1", "from": 32, "to": 52}])], plan=())
    assert line == f"not placed: K-1: {date.fromisoformat(on(0)):%A %d %B} no nurse is free for so long"


def test_each_session_that_a_search_leaves_is_explained():
    long = make_course("M", [make_session("M", 1, length=(9, 9, 9)), make_session("M", 2)])
    problem = files.problem_of(make_problem([make_clinic([make_day(0)])], [long], days=1))
    found = search.solve(problem, lambda rounds: search.OVER * rounds // 3)
    first, second = reasons(problem, found.places)
    assert "M-1: " in first
    assert "the clinic is closed" in first
    assert second == "not placed: M-2: waits for the one before"

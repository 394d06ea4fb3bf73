"""Plans keep every hard rule, cost what they say, and are as good as an exhaustive search where one can be made."""

import gc
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.scheduling.optimiser import files, search
from clinic.scheduling.optimiser.course_offers import Whim
from clinic.scheduling.optimiser.masks import slots, starts
from clinic.scheduling.optimiser.plan import Plan
from clinic.scheduling.optimiser.proposals import Booking, answer
from tests.factories.schedules import (
    courses,
    make_clinic,
    make_course,
    make_day,
    make_problem,
    make_session,
    on,
    problems,
)
from tests.scheduling.judge import judge


def rounds(count):
    return lambda done: search.OVER * done // count


def planned(document, count=30, seed=0):
    problem = files.problem_of(document)
    return files.plan_of(problem, found := search.solve(problem, rounds(count), seed)), found


@given(st.integers(0, 2**30 - 1), st.integers(1, 12))
def test_a_session_fits_where_all_its_slots_are_free(free, length):
    fits = [slot for slot in range(30) if all(free >> (slot + more) & 1 for more in range(length))]
    assert list(slots(starts(free, length))) == fits


@settings(max_examples=40)
@given(problems())
def test_a_plan_keeps_every_rule_and_costs_what_it_says(document):
    plan, found = planned(document)
    broken, cost = judge(document, plan)
    assert not broken
    assert cost == found.cost


def exhaustive(document, course):
    """The cost of the cheapest way to place a course alone, by trying every one."""
    clinic = document["clinics"][0]
    offered = []
    for session in course["sessions"]:
        length = session["prep"] + session["infusion"] + session["recovery"]
        offered.append(
            [
                {
                    "session": session["id"],
                    "clinic": "C",
                    "date": day["date"],
                    "start": start,
                    "nurse": nurse["id"],
                    "chair": "1",
                }
                for day in clinic["days"]
                for start in range(32, 53 - length)
                for nurse in day["nurses"]
            ]
        )
    names = [session["id"] for session in course["sessions"]]
    best = judge(document, {"assignments": [], "unplaced": names})[1]
    for count in range(1, len(offered) + 1):
        for places in product(*offered[:count]):
            broken, cost = judge(document, {"assignments": list(places), "unplaced": names[count:]})
            best = best if broken else min(best, cost)
    return best


@settings(max_examples=8)
@given(courses("K", most=2))
def test_the_first_proposal_is_the_cheapest_there_is(course):
    days = [make_day(0), make_day(1, nurses=("B",))]
    document = make_problem([make_clinic(days)], [course], days=2)
    document["weights"] = {**document["weights"], "fairness": 0}
    problem = files.problem_of(document)
    found = Booking(problem).propose(problem.courses[0], 3)
    nothing = 1000 * course["priority"] * len(course["sessions"])
    assert (found[0].cost if found else nothing) == exhaustive(document, course)


@settings(max_examples=25)
@given(problems(most_courses=5), courses("R"))
def test_each_proposal_stands_beside_the_calendar(document, request):
    plan, _ = planned(document)
    problem = files.problem_of({**document, "courses": [], "calendar": held(document, plan), "requests": [request]})
    found = Booking(problem).propose(problem.requests[0], 3)
    both = {**document, "courses": [*document["courses"], request]}
    names = [session["id"] for session in request["sessions"]]
    firsts = [(one.places[0].day, one.places[0].start < 48) for one in found]
    assert len(set(firsts)) == len(firsts)
    assert [one.cost for one in found] == sorted(one.cost for one in found)
    for places in answer(problem, problem.requests[0], found)["proposals"]:
        more = {"assignments": [*plan["assignments"], *places], "unplaced": [*plan["unplaced"], *names[len(places) :]]}
        assert not judge(both, more)[0]


def held(document, plan):
    sessions = {s["id"]: (course, s) for course in document["courses"] for s in course["sessions"]}
    fields = ("prep", "infusion", "recovery", "load", "first")
    return [
        {
            **place,
            "patient": sessions[place["session"]][0]["patient"],
            **{f: sessions[place["session"]][1][f] for f in fields},
        }
        for place in plan["assignments"]
    ]


def booked(document, plan, fixed=()):
    """The problem with its plan in force."""
    places = {place["session"]: place for place in plan["assignments"]}
    return {
        **document,
        "courses": [
            {
                **course,
                "sessions": [
                    {**s, "booked": {**places[s["id"]], "fixed": s["id"] in fixed} if s["id"] in places else None}
                    for s in course["sessions"]
                ],
            }
            for course in document["courses"]
        ],
    }


FOUR = [
    make_course(f"K{number}", [make_session(f"K{number}", 1), make_session(f"K{number}", 2)]) for number in range(4)
]


def test_a_plan_in_force_stays_when_nothing_stands_in_its_way():
    document = make_problem([make_clinic([make_day(number) for number in (0, 1, 2, 3, 4)])], FOUR)
    before, _ = planned(document, 200)
    after, _ = planned(booked(document, before), 50)
    assert sorted(map(str, after["assignments"])) == sorted(map(str, before["assignments"]))


def test_only_what_a_sick_nurse_had_is_moved():
    document = make_problem([make_clinic([make_day(number) for number in (0, 1, 2, 3, 4)])], FOUR)
    before, _ = planned(document, 200)
    hers = before["assignments"][-1]["date"], before["assignments"][-1]["nurse"]
    for day in document["clinics"][0]["days"]:
        day["nurses"] = [nurse for nurse in day["nurses"] if (day["date"], nurse["id"]) != hers]
    after, _ = planned(booked(document, before), 100)
    assert not judge(document, after)[0]
    was = {place["session"]: place for place in before["assignments"]}
    moved = [was[place["session"]] for place in after["assignments"] if place != was[place["session"]]]
    assert {(place["date"], place["nurse"]) for place in moved} == {hers}


def test_a_fixed_session_stays_whatever_it_costs():
    there = {"clinic": "C", "date": on(1), "start": 45, "chair": "1", "nurse": "A", "fixed": True}
    course = make_course("K", [make_session("K", 1, booked=there)], priority=3)
    document = make_problem([make_clinic([make_day(0), make_day(1)])], [course, *FOUR])
    plan, _ = planned(document)
    assert [(one["date"], one["start"]) for one in plan["assignments"] if one["session"] == "K-1"] == [(on(1), 45)]


def test_the_same_seed_gives_the_same_plan():
    document = make_problem([make_clinic([make_day(number) for number in (0, 1, 2)])], FOUR)
    assert planned(document, 40, seed=5) == planned(document, 40, seed=5)


def test_a_round_knows_who_stands_where_a_course_would_be_alone():
    document = make_problem([make_clinic([make_day(0), make_day(1)], chairs=[("1", [])])], FOUR[:2], days=2)
    plan = Plan(files.problem_of(document))
    alone = plan.wished(0)
    plan.insert(1)
    assert plan.wished(0) == alone
    assert plan.meets(alone[0], 5) == {1}
    assert plan.meets(alone[0]._replace(start=alone[0].start + 5), 5) == set()


def test_a_search_leaves_nothing_that_refers_to_itself():
    problem = files.problem_of(make_problem([make_clinic([make_day(number) for number in (0, 1, 2)])], FOUR))
    gc.collect()
    with search.uncollected():
        assert not gc.isenabled()
        search.solve(problem, rounds(40))
        assert gc.collect() == 0
    assert gc.isenabled()


def alone():
    course = make_course("K", [make_session("K", 1)], preferred=(32, 52))
    document = make_problem([make_clinic([make_day(0)])], [course], days=1)
    return Plan(files.problem_of({**document, "weights": {**document["weights"], "fairness": 0}}))


def test_a_course_stays_nowhere_where_it_would_cost_too_much():
    plan = alone()
    plan.insert(0, most=plan.least(0) - 1)
    assert plan.places == [()]
    plan.insert(0, most=plan.least(0))
    assert len(plan.places[0]) == 1


def test_of_slots_that_cost_the_same_the_last_is_taken_on_a_whim():
    early, late = alone(), alone()
    early.insert(0)
    late.insert(0, Whim(is_late=True))
    assert early.cost == late.cost
    assert early.places[0][0].start < late.places[0][0].start


def test_no_two_patients_times_are_taken_for_the_same():
    """As numbers these times of a day have one hash, for they lie 61 slots apart."""
    windows = ([20, 30], [81, 91])
    assert hash((1 << 30) - (1 << 20)) == hash((1 << 91) - (1 << 81))
    wanted = [make_course(str(at), [make_session(str(at), 1)], weekly=[[each]] * 7) for at, each in enumerate(windows)]
    day = make_day(0, physicians=((16, 95),)) | {"open": 16, "close": 95}
    for nurse in day["nurses"]:
        nurse |= {"from": 16, "to": 95, "breaks": []}
    plan = Plan(files.problem_of(make_problem([make_clinic([day])], wanted, days=1)))
    for number, (begin, end) in enumerate(windows):
        (place,) = plan.wished(number)
        assert begin <= place.start < end


@pytest.mark.parametrize("courses", [[], [make_course("K", [make_session("K", 1, length=(9, 9, 9))])]])
def test_a_problem_without_an_answer_has_an_empty_plan(courses):
    plan, _ = planned(make_problem([make_clinic([make_day(0)])], courses))
    assert plan["assignments"] == []

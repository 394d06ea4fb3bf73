"""Nurses are booked with patients whose drug they are written down for, once anybody is."""

import re
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from clinic.core import clock, formats
from clinic.scheduling import operations_policy, operations_skills, queries, queries_skills
from clinic.scheduling.booking import plan_of
from clinic.scheduling.course_request import Ask
from clinic.scheduling.moving import mover_of
from clinic.scheduling.operations import Override, SlotsTaken, book
from clinic.scheduling.operations_breaking import WouldBreak
from clinic.scheduling.proposals import Desk
from clinic.scheduling.rules import BookingRule
from clinic.scheduling.skills_rules import able_on
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE

WEDNESDAY = date(2025, 11, 19)


@pytest.fixture(autouse=True)
def _wall():
    token = formats.zone.set(ZoneInfo("America/New_York"))
    yield
    formats.zone.reset(token)


@pytest.fixture
def learn(scheduler):
    def go(nurse, drug="ketamine", *, valid_from=WEDNESDAY, valid_until=None):
        how = {"valid_from": valid_from, "valid_until": valid_until, "by": scheduler, "at": DESK_OPENS}
        try:
            return operations_skills.add_skills([nurse], drug, **how)[0]
        except WouldBreak as shown:
            return operations_skills.add_skills([nurse], drug, **how, seen=shown.key)[0]

    return go


@pytest.fixture
def on_duty(database, limit_nurses, make_shift, nurse, second_nurse):
    """Two nurses for three days, each with two patients at once."""
    limit_nurses(2)
    for day in range(3):
        for each in (nurse, second_nurse):
            make_shift(each, starts_at=NINE + day * DAY - HOUR, ends_at=NINE + day * DAY + 8 * HOUR)
    return nurse, second_nurse


@pytest.fixture
def attempt(database, make_course, make_slot, scheduler):
    """Books a patient of ketamine with a nurse; gives the rule that refused."""

    def go(nurse, *, by=scheduler, **more):
        try:
            book(make_course(), [make_slot(nurse=nurse)], by=by, at=DESK_OPENS, **more)
        except SlotsTaken as refusal:
            return refusal.clashes[0].constraint
        return None

    return go


def test_a_drug_asks_for_a_skill_from_the_first_who_has_it(attempt, learn, nurse, second_nurse):
    assert attempt(second_nurse) is None
    learn(nurse)
    assert attempt(second_nurse) == "nurse_has_skill"
    learn(second_nurse)
    assert attempt(second_nurse) is None


@pytest.mark.parametrize(
    ("first", "last", "refused"),
    [(20, None, None), (1, 18, None), (1, 19, "nurse_has_skill")],
)
def test_it_counts_between_its_dates(attempt, learn, nurse, second_nurse, first, last, refused):  # noqa: PLR0917 fixtures
    last = last and date(2025, 11, last)
    attempt(nurse)
    learn(nurse, valid_from=date(2025, 11, first), valid_until=last)
    assert attempt(second_nurse) == refused


def test_another_drug_asks_for_nothing(attempt, learn, nurse, second_nurse, make_drug):
    make_drug("lidocaine")
    learn(nurse, "lidocaine")
    assert attempt(second_nurse) is None


def test_what_was_taken_back_is_asked_no_more(attempt, learn, nurse, second_nurse, scheduler):
    attempt(nurse)
    operations_skills.take_back_skill(learn(nurse), reason="Left the team.", by=scheduler, at=DESK_OPENS)
    assert queries_skills.skills() == []
    assert attempt(second_nurse) is None


def test_a_physician_sets_it_aside_where_the_clinic_allows_it(attempt, learn, nurse, second_nurse, physician, admin):  # noqa: PLR0917 fixtures
    attempt(nurse)
    learn(nurse)
    rule = BookingRule.NURSE_HAS_SKILL
    override = Override(frozenset({rule}), "Beside her teacher")
    operations_policy.set_policy(rule, is_allowed=True, reason="Teaching", by=admin, at=DESK_OPENS)
    assert attempt(second_nurse, by=physician, override=override) is None


def test_the_rule_names_who_knows_a_drug_then():
    class Row:
        staff_id, drug_name, valid_from, valid_until = 1, "ketamine", WEDNESDAY, None

    assert able_on([Row()], "ketamine", WEDNESDAY) == {1}
    assert able_on([Row()], "ketamine", date(2025, 11, 18)) is None
    assert able_on([Row()], "lidocaine", WEDNESDAY) is None


def test_proposals_name_who_knows_the_drug(on_duty, make_course, make_chair, learn):
    plan, knows = plan_of(queries.course_to_book(make_course().id)), on_duty[1]
    learn(knows)
    make_chair()
    found = Desk(plan, Ask(plan.terms, 60), at=DESK_OPENS).proposals([1])
    placed = [slot.nurse for each in found for slot in each.slots if slot.starts_at.date() == WEDNESDAY]
    assert placed
    assert set(placed) == {knows}


def test_places_for_a_move_name_who_knows_the_drug(on_duty, make_booked, learn):
    other, knows = on_duty
    appointment = make_booked(nurse=other, hours=1)
    learn(knows)
    offers = [slot for slot in mover_of(appointment, at=DESK_OPENS).offers() if slot.nurse]
    assert offers
    assert {slot.nurse for slot in offers} == {knows}


def test_whose_nurse_would_not_know_the_drug_is_shown_first(make_booked, second_nurse, nurse, scheduler):
    mine = make_booked(nurse=second_nurse)
    how = {"valid_from": WEDNESDAY, "by": scheduler, "at": DESK_OPENS}
    with pytest.raises(WouldBreak) as refusal:
        operations_skills.add_skills([nurse], "ketamine", **how)
    assert refusal.value.standing == [mine]
    later = how | {"valid_from": date(2025, 11, 20)}
    assert operations_skills.add_skills([nurse], "ketamine", **later)
    _first, second = operations_skills.add_skills([nurse, second_nurse], "ketamine", **how)
    with pytest.raises(WouldBreak) as refusal:
        operations_skills.take_back_skill(second, reason="Left", by=scheduler, at=DESK_OPENS)
    assert refusal.value.standing == [mine]


def test_the_page_shows_who_would_stand_outside_and_asks_again(client, physician, nurse, second_nurse, make_booked):
    mine = make_booked(nurse=second_nurse)
    sent = {"nurses": [str(nurse.id), str(second_nurse.id)], "drug_name": "ketamine", "valid_from": "19-Nov-2025"}
    with clock.standing_at(DESK_OPENS):
        client.sign_in(physician)
        assert client.post("/calendar/skills/add", data=sent).status_code == 303
        (row,) = [each for each in queries_skills.skills() if each.staff_id == second_nurse.id]
        page = client.post(f"/calendar/skills/{row.id}/take-back", data={"reason": "Left"})
        assert page.status_code == 422
        assert mine.patient.name in page.text
        asked = dict(re.findall(r'name="(seen|reason)" value="([^"]+)"', page.text))
        assert client.post(f"/calendar/skills/{row.id}/take-back", data=asked).status_code == 303


def test_a_physician_writes_a_skill_down_and_takes_it_back(client, physician, nurse, make_course):
    make_course()
    with clock.standing_at(DESK_OPENS):
        client.sign_in(physician)
        sent = {"nurses": [str(nurse.id)], "drug_name": "ketamine", "valid_from": "19-Nov-2025"}
        assert client.post("/calendar/skills/add", data=sent | {"drug_name": ""}).status_code == 422
        assert client.post("/calendar/skills/add", data=sent).status_code == 303
        assert nurse.name in client.get("/calendar/skills").text
        (row,) = queries_skills.skills()
        assert client.post(f"/calendar/skills/{row.id}/take-back", data={"reason": "Left"}).status_code == 303
    assert queries_skills.skills() == []

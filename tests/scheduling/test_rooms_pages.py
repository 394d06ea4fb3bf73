"""The pages of chairs and shifts."""

import html
import re

import pytest
import sqlalchemy as sa

from clinic.core import clock, db
from clinic.scheduling import operations, queries
from clinic.scheduling.models import Shift
from tests.factories.scheduling import DESK_OPENS, HOUR, NINE


@pytest.fixture
def desk(client, scheduler):
    with clock.standing_at(DESK_OPENS):
        client.sign_in(scheduler)
        yield client


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.get_data(as_text=True)))


def closing(where, **more):
    typed = {"chair": str(where.id), "from_day": "19-Nov-2025", "from_time": "08:00"}
    typed |= {"until_day": "19-Nov-2025", "until_time": "12:00", "reason": "service"}
    return {f"close-{name}": value for name, value in (typed | more).items()}


def test_a_chair_is_added(desk):
    (site,) = queries.sites()
    typed = {"name": "Window", "kind": "bed", "site": str(site.id)}
    assert desk.post("/calendar/chairs/add", data=typed).status_code == 303
    assert "Window bed" in words(desk.get("/calendar/chairs"))


@pytest.mark.parametrize("typed", [{"name": ""}, {"kind": ""}, {"kind": "sofa"}, {"name": "x" * 13}])
def test_a_chair_needs_a_name_and_a_kind(desk, typed):
    (site,) = queries.sites()
    answer = desk.post("/calendar/chairs/add", data={"name": "A", "kind": "bed", "site": str(site.id)} | typed)
    assert answer.status_code == 422
    assert queries.chairs() == []


def test_a_name_is_given_once(desk, make_chair):
    chair = make_chair("Window")
    typed = {"name": "Window", "kind": "bed", "site": str(chair.site_id)}
    assert "A chair named Window stands here already." in words(desk.post("/calendar/chairs/add", data=typed))


def test_a_chair_is_closed_and_opened_again(desk, make_chair):
    chair = make_chair()
    assert desk.post("/calendar/chairs/close", data=closing(chair)).status_code == 303
    (closure,) = queries.closures_between(NINE, NINE + HOUR)
    assert "Wed 19-Nov-2025 08:00 Wed 19-Nov-2025 12:00 service S. Reed" in words(desk.get("/calendar/chairs"))
    desk.post(f"/calendar/closures/{closure.id}/reopen", data={"reason": "Done early"})
    assert queries.closures_between(NINE, NINE + HOUR) == []


def test_what_stands_in_the_way_is_shown(desk, make_booked):
    standing = make_booked()
    answer = desk.post("/calendar/chairs/close", data=closing(standing.chair))
    assert answer.status_code == 422
    assert "Wed 19-Nov-2025 09:00 to 12:00, chair 1: ALMEIDA, Rosa" in words(answer)
    assert 'value="service"' in answer.get_data(as_text=True)


def test_a_chair_that_cannot_close_leads_to_a_new_plan(desk, make_booked, make_chair):
    standing = make_booked()
    make_chair()
    answer = desk.post("/calendar/chairs/close", data=closing(standing.chair, reason="Leak & smell"))
    (href,) = re.findall(r'href="([^"]+what=chair[^"]+)"', answer.get_data(as_text=True))
    assert "chair 1 is closed: Leak & smell" in html.unescape(words(desk.get(html.unescape(href))))


@pytest.mark.parametrize("typed", [{"until_time": "07:00"}, {"reason": " "}, {"from_day": "soon"}, {"chair": ""}])
def test_a_closure_that_cannot_be_is_refused(desk, make_chair, typed):
    assert desk.post("/calendar/chairs/close", data=closing(make_chair(), **typed)).status_code == 422


def test_opening_a_chair_says_why(desk, make_chair, scheduler):
    closure = operations.close_chair(
        make_chair(), starts_at=NINE, ends_at=NINE + HOUR, reason="service", by=scheduler, at=DESK_OPENS
    )
    desk.post(f"/calendar/closures/{closure.id}/reopen", data={"reason": ""})
    assert "say why the chair is open again" in words(desk.get("/calendar/chairs"))
    assert queries.closures_between(NINE, NINE + HOUR) == [closure]


def test_shifts_are_added_for_several_days_and_removed(desk, nurse):
    typed = {
        "staff_id": str(nurse.id),
        "days": ["2025-11-19", "2025-11-20"],
        "from_time": "08:00",
        "until_time": "1630",
    }
    assert desk.post("/calendar/shifts/add?week=2025-11-18", data=typed).status_code == 303
    assert words(desk.get("/calendar/shifts?week=2025-11-18")).count("08:00 to 16:30") == 2
    first = db.session.scalars(sa.select(Shift).order_by(Shift.starts_at)).first()
    desk.post(f"/calendar/shifts/{first.id}/remove")
    assert words(desk.get("/calendar/shifts?week=2025-11-18")).count("08:00 to 16:30") == 1


@pytest.mark.parametrize(
    "typed", [{"days": []}, {"staff_id": ""}, {"from_time": "17:00"}, {"days": ["2025-12-24"]}, {"until_time": "x"}]
)
def test_a_shift_that_cannot_be_is_refused(desk, nurse, typed):
    usual = {"staff_id": str(nurse.id), "days": ["2025-11-19"], "from_time": "08:00", "until_time": "16:30"}
    assert desk.post("/calendar/shifts/add?week=2025-11-18", data=usual | typed).status_code == 422
    assert db.session.scalars(sa.select(Shift)).all() == []


def test_a_shift_until_midnight_lasts_to_the_end_of_the_day(desk, nurse):
    typed = {"staff_id": str(nurse.id), "days": ["2025-11-19"], "from_time": "14:00", "until_time": "00:00"}
    assert desk.post("/calendar/shifts/add?week=2025-11-18", data=typed).status_code == 303
    assert "14:00 to 24:00" in words(desk.get("/calendar/shifts?week=2025-11-18"))


def test_one_taken_day_adds_none(desk, nurse, make_shift):
    make_shift(nurse)
    typed = {
        "staff_id": str(nurse.id),
        "days": ["2025-11-18", "2025-11-19"],
        "from_time": "09:00",
        "until_time": "10:00",
    }
    assert "on duty at that time already" in words(desk.post("/calendar/shifts/add?week=2025-11-18", data=typed))
    assert db.session.scalar(sa.select(sa.func.count(Shift.id))) == 1

"""A new plan after something happened: few moves, each with its reason, done only when somebody accepts them."""

import html
import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from clinic.core import clock, formats
from clinic.core.permissions import Role
from clinic.scheduling import operations, operations_shifts, queries, queries_rooms
from clinic.scheduling.happening import ChairOut, NurseOff, RunsLate
from clinic.scheduling.moving import mover_of
from clinic.scheduling.operations_replan import carry_out
from clinic.scheduling.replanning import Replan
from clinic.scheduling.rules import AppointmentStatus
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE

MIDNIGHT = NINE - 9 * HOUR
TODAY = "what=nurse&day=19-Nov-2025"


@pytest.fixture(autouse=True)
def _wall():
    token = formats.zone.set(ZoneInfo("America/New_York"))
    yield
    formats.zone.reset(token)


@pytest.fixture
def desk(client, scheduler):
    with clock.standing_at(DESK_OPENS):
        client.sign_in(scheduler)
        yield client


@pytest.fixture
def two_nurses(limit_nurses, make_shift, nurse, second_nurse):
    """Two nurses on duty for some weeks, each with two patients at once at most."""
    limit_nurses(2)
    for day in (0, 1, 2, 5, 6, 7):
        for each in (nurse, second_nurse):
            make_shift(each, starts_at=NINE + day * DAY - HOUR, ends_at=NINE + day * DAY + 8 * HOUR)
    return nurse, second_nurse


@pytest.fixture
def make_other(make_booked, make_course, make_patient):
    """Books session 1 of somebody else."""

    def make(name, **slot):
        return make_booked(make_course(make_patient(family_name=name, given_name="Ada", allergies=())), **slot)

    return make


def off(nurse, days=1):
    return NurseOff(nurse, MIDNIGHT, MIDNIGHT + days * DAY)


def changes(happening, *, at=DESK_OPENS):
    return Replan(happening, at=at).changes()


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.get_data(as_text=True)))


def test_another_nurse_takes_over_and_nobody_else_is_touched(two_nurses, make_other):
    ill, well = two_nurses
    mine, _other = make_other("Kim", nurse=ill), make_other("Osei", nurse=well)
    (change,) = changes(off(ill))
    assert (change.appointment.id, change.slot.nurse.id, change.is_nurse_alone) == (mine.id, well.id, True)
    assert change.reason == f"{ill.name} is off on Wed 19-Nov-2025"


def test_who_finds_nobody_at_that_time_moves_the_least(two_nurses, make_other):
    ill, well = two_nurses
    for name in ("Osei", "Rossi"):
        make_other(name, nurse=well)
    mine = make_other("Kim", nurse=ill)
    (change,) = changes(off(ill))
    assert change.slot.starts_at == NINE + 3 * HOUR
    assert change.slot.chair.id == mine.chair_id


def test_a_closed_chair_moves_to_another_at_the_same_time(two_nurses, make_other, make_chair):
    mine, free = make_other("Kim", nurse=two_nurses[0]), make_chair()
    (change,) = changes(ChairOut(mine.chair, MIDNIGHT, MIDNIGHT + DAY, "service"))
    assert (change.slot.chair.id, change.slot.starts_at) == (free.id, NINE)
    assert change.reason == f"chair {mine.chair.name} is closed: service"


@pytest.fixture
def between(two_nurses, make_course, make_slot, scheduler):
    """Session 2 of Almeida, 8 hours with the first nurse, which the order's spacing ties to Wednesday."""
    course = make_course()
    slots = [make_slot(number, starts_at=NINE + day * DAY) for number, day in ((1, -2), (3, 2))]
    slots.append(make_slot(2, nurse=two_nurses[0], hours=8))
    return operations.book(course, slots, by=scheduler, at=NINE - 5 * DAY)[1]


def test_another_chair_is_the_nearest_that_is_free(two_nurses, make_other, make_chair):
    """Chair 1 is in another room and comes first in every list."""
    first, mine, second = (make_chair() for _ in range(3))
    first.room, mine.room, second.room = "Garden", "Harbour", "Harbour"
    appointment = make_other("Kim", nurse=two_nurses[0], chair=mine)
    (change,) = changes(ChairOut(mine, NINE, NINE + DAY, "leak"))
    assert change.slot.chair.id == second.id
    offers = mover_of(appointment, at=DESK_OPENS).offers()
    assert first.id not in {slot.chair.id for slot in offers}


def test_others_make_room_where_nothing_else_is_left(two_nurses, between, make_other):
    ill, well = two_nurses
    for name in ("Osei", "Rossi"):
        make_other(name, nurse=well, hours=1, starts_at=NINE + 6.5 * HOUR)
    found = changes(off(ill))
    assert between.id in {change.appointment.id for change in found}
    moved = [change for change in found if change.appointment.id != between.id]
    assert [change.reason for change in moved] == ["makes room for Almeida"]


@pytest.mark.usefixtures("between")
def test_who_finds_no_place_is_named(desk, two_nurses, make_other):
    ill, well = two_nurses
    for name in ("Osei", "Rossi"):
        make_other(name, nurse=well, hours=8)
    said = words(desk.get(f"/calendar/replan?{TODAY}&who={ill.id}&until="))
    assert "ALMEIDA, Rosa" in said
    assert "No place is left." in said


def test_two_sessions_that_both_move_keep_the_days_between_them(make_shift, nurse, make_course, make_slot, scheduler):
    first = make_slot(1)
    slots = [first, make_slot(2, chair=first.chair, starts_at=NINE + 2 * DAY)]
    operations.book(make_course(), slots, by=scheduler, at=DESK_OPENS)
    for day in (-1, 7):
        make_shift(nurse, starts_at=NINE + day * DAY - HOUR, ends_at=NINE + day * DAY + 8 * HOUR)
    earlier, later = changes(ChairOut(first.chair, MIDNIGHT, MIDNIGHT + 7 * DAY, "service"))
    assert earlier.slot.starts_at == NINE - DAY
    assert later.slot is None  # the order has 7 days at most, and the next free day is 8 days later


@pytest.fixture
def pair(make_course, make_slot, scheduler):
    """Two sessions of a course, two days apart, where the order has 2 to 7."""
    slots = [make_slot(1), make_slot(2, starts_at=NINE + 2 * DAY)]
    return operations.book(make_course(), slots, by=scheduler, at=DESK_OPENS)


def test_a_part_of_a_plan_that_breaks_the_spacing_is_asked_first(desk, pair):
    _first, second = pair
    page = "/calendar/replan?what=late&chair_id=&minutes=30"
    plain = {f"why-{second.id}": "x"}
    far = f"{second.id}|{second.version}|27-Nov-2025|09:00|{second.chair_id}|"
    refused = desk.post(page, data={"move": far} | plain)
    assert refused.status_code == 422
    assert "ALMEIDA, Rosa: session 2 would stand 8 days after session 1." in words(refused)
    (shown,) = re.findall(r'name="spaced" value="([^"]+)"', refused.get_data(as_text=True))
    assert desk.post(page, data={"move": far, "spaced": shown} | plain).status_code == 303
    assert queries.of_course(second.course_id)[-1].starts_at == NINE + 8 * DAY


def test_a_late_day_pushes_who_comes_next_in_that_chair(two_nurses, make_other, scheduler):
    ill, well = two_nurses
    running = make_other("Kim", nurse=ill)
    operations.change_status(running, AppointmentStatus.ARRIVED, by=scheduler, at=NINE)
    following = make_other("Osei", chair=running.chair, starts_at=NINE + 3 * HOUR, nurse=well)
    late = RunsLate(NINE + 2 * HOUR, 40, {running.chair_id})
    (change,) = changes(late, at=NINE + 2 * HOUR)
    assert change.appointment.id == following.id
    assert change.reason == "the chair is taken until 12:40"
    assert change.slot.starts_at == NINE + 3 * HOUR + timedelta(minutes=45)


def test_whoever_has_to_wait_waits_no_longer_to_keep_the_chair(two_nurses, make_other, scheduler):
    """The own chair is free again at 13:00, another one at noon."""
    ill, well = two_nurses
    running = [make_other(name, nurse=ill, hours=hours) for name, hours in (("Kim", 1), ("Rossi", 3))]
    for each in running:
        operations.change_status(each, AppointmentStatus.ARRIVED, by=scheduler, at=NINE)
    own, other = (each.chair for each in running)
    make_other("Gray", nurse=well, chair=own, starts_at=NINE + HOUR, hours=1)
    make_other("Novak", nurse=well, chair=own, starts_at=NINE + 2 * HOUR, hours=2)
    (change,) = changes(RunsLate(NINE + HOUR / 2, 60, {own.id}), at=NINE + HOUR / 2)
    assert change.appointment.patient.family_name == "Gray"
    assert (change.slot.chair.id, change.slot.starts_at) == (other.id, NINE + 3 * HOUR)


def test_of_two_who_could_take_over_it_is_who_has_less_to_do(two_nurses, make_staff, make_shift, make_other):
    ill, busy = two_nurses
    idle = make_staff(Role.NURSE, given_name="Zoe", family_name="Zander", credentials="RN")
    make_shift(idle)
    make_other("Osei", nurse=busy)
    make_other("Kim", nurse=ill)
    (change,) = changes(off(ill))
    assert change.slot.nurse.id == idle.id


def test_a_patient_who_is_there_is_never_moved(two_nurses, make_other, scheduler):
    mine = make_other("Kim", nurse=two_nurses[0])
    operations.change_status(mine, AppointmentStatus.ARRIVED, by=scheduler, at=NINE)
    assert changes(off(two_nurses[0]), at=NINE + HOUR) == []


def accepted(desk, text):
    return {
        "move": re.findall(r'name="move" value="([^"]+)"', text),
        **dict(re.findall(r'name="(why-[^"]+)" value="([^"]*)"', text)),
    }


def test_the_page_lists_the_moves_and_does_what_is_ticked(desk, two_nurses, make_other):
    ill, well = two_nurses
    mine = [make_other(name, nurse=ill) for name in ("Kim", "Osei")]
    page = f"/calendar/replan?{TODAY}&who={ill.id}&until="
    answer = desk.get(page)
    assert f"{ill.name} is off on Wed 19-Nov-2025" in words(answer)
    assert {each.nurse_id for each in mine} == {ill.id}
    form = accepted(desk, answer.get_data(as_text=True))
    assert desk.post(page, data=form | {"move": form["move"][:1]}).status_code == 303
    assert {each.nurse_id for each in mine} == {ill.id, well.id}
    assert desk.post(page, data=form | {"move": form["move"][1:], "fact": "yes"}).status_code == 303
    assert {each.nurse_id for each in mine} == {well.id}
    assert not queries.on_duty(ill.id, NINE, NINE + HOUR)


def test_who_stays_with_a_nurse_who_is_off_is_shown_and_then_left_with_her(desk, two_nurses, make_other):
    ill = two_nurses[0]
    mine = [make_other(name, nurse=ill) for name in ("Kim", "Osei")]
    page = f"/calendar/replan?{TODAY}&who={ill.id}&until="
    form = accepted(desk, desk.get(page).get_data(as_text=True))
    form |= {"move": form["move"][:1], "fact": "yes"}
    refused = desk.post(page, data=form)
    assert (refused.status_code, {each.nurse_id for each in mine}) == (422, {ill.id})
    assert "1 appointment would stand outside" in words(refused)
    again = form | {"seen": re.search(r'name="seen" value="([^"]+)"', refused.get_data(as_text=True))[1]}
    assert again["move"][0] in re.findall(r'value="([^"]+)" checked', refused.get_data(as_text=True))
    assert desk.post(page, data=again).status_code == 303
    assert not queries.on_duty(ill.id, NINE, NINE + HOUR)
    assert sorted(each.nurse_id == ill.id for each in mine) == [False, True]


def test_off_duty_for_a_part_of_a_day_keeps_the_rest_of_the_shift(two_nurses, scheduler):
    ill, _well = two_nurses
    (shift,) = queries_rooms.shifts_of(ill.id, NINE, NINE + HOUR)
    rest = {"starts_at": NINE + HOUR, "ends_at": NINE + 3 * HOUR}
    operations_shifts.add_break(shift, **rest, by=scheduler, at=DESK_OPENS)
    shift.patients_at_once = 1
    away = NurseOff(ill, NINE + 2 * HOUR, NINE + 4 * HOUR)
    carry_out([], away, by=scheduler, at=DESK_OPENS)
    found = queries_rooms.shifts_of(ill.id, MIDNIGHT, MIDNIGHT + DAY)
    hours = [((each.starts_at - NINE) / HOUR, (each.ends_at - NINE) / HOUR, each.patients_at_once) for each in found]
    assert hours == [(-1, 2, 1), (4, 8, 1)]
    assert [(each.starts_at, each.ends_at) for each in found[0].breaks] == [(NINE + HOUR, NINE + 2 * HOUR)]
    assert found[1].breaks == []


def test_a_nurse_is_off_for_some_hours(desk, two_nurses, make_other):
    ill = two_nurses[0]
    make_other("Kim", nurse=ill), make_other("Osei", nurse=ill, starts_at=NINE + 4 * HOUR)
    answer = desk.get(f"/calendar/replan?{TODAY}&who={ill.id}&off_from=13:00&until=&off_until=")
    assert "OSEI, Ada" in words(answer)
    assert len(accepted(desk, answer.get_data(as_text=True))["move"]) == 1
    assert "Enter a time after the first" in words(
        desk.get(f"/calendar/replan?{TODAY}&who={ill.id}&off_from=13:00&off_until=12:00")
    )


def test_the_strip_counts_a_patient_once(desk, two_nurses, make_other, make_chair):
    mine, _free = make_other("Kim", nurse=two_nurses[0]), make_chair()
    page = f"/calendar/replan?what=chair&chair={mine.chair_id}&from_day=19-Nov-2025&from_time=08:00"
    said = desk.get(f"{page}&until_day=19-Nov-2025&until_time=17:00&reason=service").get_data(as_text=True)
    assert 'class="ev ghost"' in said
    assert "Wed 19: at most 1 patient at once" in said


def test_a_plan_that_is_out_of_date_does_nothing(desk, two_nurses, make_other, scheduler):
    ill = two_nurses[0]
    mine, other = make_other("Kim", nurse=ill), make_other("Osei", nurse=ill)
    page = f"/calendar/replan?{TODAY}&who={ill.id}&until="
    form = accepted(desk, desk.get(page).get_data(as_text=True))
    operations.cancel(other, reason="ill", by=scheduler, at=DESK_OPENS)
    answer = desk.post(page, data=form)
    assert answer.status_code == 422
    assert "has changed since this plan was made" in words(answer)
    assert mine.nurse_id == ill.id


def take_back(desk, done):
    """Press Undo on the page that an answer leads to."""
    (undo,) = re.findall(r'action="([^"]+/undo\?[^"]+)"', desk.get(done.location).get_data(as_text=True))
    return words(desk.get(desk.post(html.unescape(undo)).location))


@pytest.fixture
def gone_home(desk, two_nurses, make_other, scheduler):
    """A nurse with a break and limits of her own goes home at noon; her patients of the day are given to the other."""
    ill = two_nurses[0]
    (shift,) = queries_rooms.shifts_of(ill.id, NINE, NINE + HOUR)
    operations_shifts.add_break(shift, starts_at=NINE + 4 * HOUR, ends_at=NINE + 5 * HOUR, by=scheduler, at=DESK_OPENS)
    operations_shifts.set_shift_limits(shift, patients_at_once=3, starts_per_quarter=None, by=scheduler, at=DESK_OPENS)
    mine = make_other("Kim", nurse=ill, starts_at=NINE + HOUR)
    page = f"/calendar/replan?{TODAY}&who={ill.id}&off_from=12:00&off_until=17:00"
    form = accepted(desk, desk.get(page).get_data(as_text=True))
    with clock.standing_at(DESK_OPENS + timedelta(minutes=1)):
        done = desk.post(page, data=form | {"fact": "yes"})
    assert mine.nurse_id == two_nurses[1].id
    return mine, ill, done


def duty(nurse):
    return [
        (each.starts_at, each.ends_at, each.patients_at_once, [rest.starts_at for rest in each.breaks])
        for each in queries_rooms.shifts_of(nurse.id, MIDNIGHT, MIDNIGHT + DAY)
    ]


def test_nurses_and_duty_are_taken_back_together(desk, gone_home):
    mine, ill, done = gone_home
    assert duty(ill) == [(NINE - HOUR, NINE + 3 * HOUR, 3, [])]
    assert "1 appointment is as before again" in take_back(desk, done)
    assert mine.nurse_id == ill.id
    assert duty(ill) == [(NINE - HOUR, NINE + 8 * HOUR, 3, [NINE + 4 * HOUR])]


def test_nothing_is_taken_back_where_somebody_changed_it_since(desk, gone_home, scheduler):
    mine, ill, done = gone_home
    operations.assign_nurse(mine, None, by=scheduler, at=DESK_OPENS + 2 * HOUR)
    assert "Not undone. KIM, Ada was given to another nurse since." in take_back(desk, done)
    assert duty(ill) == [(NINE - HOUR, NINE + 3 * HOUR, 3, [])]


def test_moves_keep_their_reason_and_are_taken_back_with_the_closed_chair(desk, two_nurses, make_other, make_chair):
    mine, _free = make_other("Kim", nurse=two_nurses[0]), make_chair()
    page = f"/calendar/replan?what=chair&chair={mine.chair_id}&from_day=19-Nov-2025&from_time=08:00"
    page += "&until_day=19-Nov-2025&until_time=17:00&reason=service"
    form = accepted(desk, desk.get(page).get_data(as_text=True))
    done = desk.post(page, data=form | {"fact": "yes"})
    assert mine.status_reason == f"chair {mine.chair.name} is closed: service"
    assert len(queries.closures_between(NINE, NINE + HOUR)) == 1
    take_back(desk, done)
    (back,) = [each for each in queries.of_course(mine.course_id) if each.status is AppointmentStatus.BOOKED]
    assert back.chair_id == mine.chair_id
    assert queries.closures_between(NINE, NINE + HOUR) == []


@pytest.mark.parametrize("question", ["what=nurse", "what=chair&chair=x", "what=late&minutes=0", "what=nurse&day=1"])
def test_a_question_that_cannot_be_read_says_so(desk, question):
    assert "Not planned yet." in words(desk.get(f"/calendar/replan?{question}"))

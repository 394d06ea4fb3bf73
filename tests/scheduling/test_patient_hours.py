"""When a patient can come: said with dates, kept by the database, and honoured wherever a time is looked for."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.core import clock, db, formats
from clinic.core.errors import RuleBroken
from clinic.scheduling import operations_availability, queries, queries_availability
from clinic.scheduling.availability_rules import can_come, free_spans, time_words
from clinic.scheduling.booking import plan_of
from clinic.scheduling.course_request import Ask
from clinic.scheduling.moving import mover_of
from clinic.scheduling.operations import SlotsTaken, book
from clinic.scheduling.operations_availability import Said
from clinic.scheduling.proposals import Desk
from tests.factories.scheduling import DESK_OPENS, HOUR, NINE

FROM = date(2025, 11, 1)
WEDNESDAY = date(2025, 11, 19)


@pytest.fixture(autouse=True)
def _wall():
    token = formats.zone.set(ZoneInfo("America/New_York"))
    yield
    formats.zone.reset(token)


def cannot(**values):
    return Said(is_free=False, **{"from_on": FROM, **values})


def can(**values):
    return Said(is_free=True, **{"from_on": FROM, **values})


@pytest.fixture
def say(scheduler):
    def go(patient, *said):
        return [operations_availability.say(patient, each, by=scheduler, at=DESK_OPENS) for each in said]

    return go


# --- a day -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "spans"),
    [
        ([], None),
        ([cannot(from_on=date(2025, 11, 20))], None),
        ([cannot(until_on=date(2025, 11, 18))], None),
        ([cannot(weekdays=(1, 2))], None),
        ([cannot(weekdays=(3,))], []),
        ([cannot(from_min=600, until_min=720)], [(0, 600), (720, 1440)]),
        ([can(weekdays=(1,))], []),
        ([can(from_min=480, until_min=720), can(weekdays=(3,), from_min=840, until_min=900)], [(480, 720), (840, 900)]),
        ([can(from_min=480, until_min=720), cannot(from_min=600, until_min=660)], [(480, 600), (660, 720)]),
    ],
)
def test_what_a_wednesday_leaves(said, spans):
    assert free_spans(said, WEDNESDAY) == spans


def test_it_is_said_in_words():
    each = cannot(weekdays=(1, 3), from_min=480, until_min=720, until_on=date(2025, 12, 31))
    assert time_words(each) == "Cannot come: Mon, Wed, 08:00 to 12:00, from 01-Nov-2025, until 31-Dec-2025"


# --- the database ----------------------------------------------------------------------------------------------------

MINUTES = st.one_of(st.none(), st.tuples(st.integers(8, 12), st.integers(1, 4)))
SAID = st.builds(
    lambda is_free, weekdays, minutes, first, days: Said(
        is_free=is_free,
        weekdays=tuple(sorted(weekdays)) or None,
        from_min=minutes and minutes[0] * 60,
        until_min=minutes and (minutes[0] + minutes[1]) * 60,
        from_on=WEDNESDAY + timedelta(days=first),
        until_on=None if days is None else WEDNESDAY + timedelta(days=first + days),
    ),
    st.booleans(),
    st.sets(st.sampled_from([3, 4])),
    MINUTES,
    st.integers(-2, 1),
    st.one_of(st.none(), st.integers(0, 2)),
)


def test_the_database_refuses_what_the_rule_refuses(database, make_course, make_slot, say, scheduler):
    course, chair = make_course(), make_slot().chair

    @given(st.lists(SAID, min_size=1, max_size=3), st.integers(8, 13))
    def agree(said, hour):
        start = NINE + (hour - 9) * HOUR
        with db.session.begin_nested() as savepoint:
            say(course.patient, *said)
            slot = make_slot(chair=chair, starts_at=start, hours=2)
            refused = []
            try:
                book(course, [slot], by=scheduler, at=DESK_OPENS)
            except SlotsTaken as refusal:
                refused = [each.constraint for each in refusal.clashes]
            savepoint.rollback()
        fits = can_come(said, WEDNESDAY, hour * 60, hour * 60 + 120)
        assert refused == ([] if fits else ["patient_can_come"])

    agree()


def test_what_was_taken_back_refuses_nobody(database, make_course, make_slot, say, scheduler):
    course = make_course()
    (row,) = say(course.patient, cannot())
    operations_availability.take_back(row, reason="Moved house.", by=scheduler, at=DESK_OPENS)
    assert queries_availability.hours_of([course.patient_id]) == {}
    with pytest.raises(RuleBroken, match="already"):
        operations_availability.take_back(row, reason="Moved house.", by=scheduler, at=DESK_OPENS)
    assert book(course, [make_slot()], by=scheduler, at=DESK_OPENS)


def test_what_is_booked_already_stays_and_may_arrive(database, make_booked, say, site, make_hours):
    appointment = make_booked()
    say(appointment.patient, cannot())
    appointment.status = "arrived"
    db.session.flush()
    db.session.refresh(appointment)
    assert appointment.status == "arrived"


# --- who looks for a time --------------------------------------------------------------------------------------------


@pytest.fixture
def timed(database, make_course, make_protocol_version, make_draft, make_chair):
    make_chair()
    lengths = {"precheck_slot_min": 30, "recovery_slot_min": 40, "turnaround_min": 10}
    return make_course(protocol_version=make_protocol_version(draft=make_draft(sessions_planned=3, **lengths)))


def test_proposals_keep_to_the_patients_time(timed, say):
    say(timed.patient, can(weekdays=(2, 4), from_min=12 * 60, until_min=17 * 60))
    plan = plan_of(queries.course_to_book(timed.id))
    said = queries_availability.hours_of([timed.patient_id])[timed.patient_id]
    found = Desk(plan, Ask(plan.terms, plan.length_min, said=said), at=DESK_OPENS).proposals()
    walls = [slot.starts_at.astimezone(formats.zone.get()) for each in found for slot in each.slots]
    assert walls
    assert {wall.isoweekday() for wall in walls} <= {2, 4}
    assert all(wall.hour >= 12 for wall in walls)


def test_other_places_for_a_move_keep_to_it(make_booked, say, database):
    appointment = make_booked()
    say(appointment.patient, cannot(weekdays=(4, 5)), cannot(from_min=0, until_min=12 * 60))
    offers = mover_of(appointment, at=DESK_OPENS).offers()
    walls = [slot.starts_at.astimezone(formats.zone.get()) for slot in offers]
    assert walls
    assert all(wall.isoweekday() not in {4, 5} and wall.hour >= 12 for wall in walls)


# --- the page --------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(client, scheduler):
    with clock.standing_at(DESK_OPENS):
        client.sign_in(scheduler)
        yield client


def test_the_desk_writes_it_down_and_sees_what_is_booked_outside(desk, make_booked):
    appointment = make_booked()
    page = f"/calendar/patients/{appointment.patient_id}/hours"
    assert "any time is offered" in desk.get(page).text
    sent = {"kind": "cannot", "weekdays": "3", "from_on": "01-Nov-2025", "from_time": "08:00", "until_time": "12:00"}
    assert desk.post(f"{page}/add", data=sent | {"patient_id": appointment.patient_id}).status_code == 303
    text = desk.get(page).text
    assert "Cannot come: Wed, 08:00 to 12:00, from 01-Nov-2025" in text
    assert "booked outside" in text


def test_half_a_time_is_refused_and_what_was_typed_stays(desk, make_booked):
    patient_id = make_booked().patient_id
    sent = {"kind": "can", "from_on": "01-Nov-2025", "from_time": "08:00", "patient_id": patient_id}
    answer = desk.post(f"/calendar/patients/{patient_id}/hours/add", data=sent)
    assert answer.status_code == 422
    assert "Enter both times" in answer.text
    assert 'value="08:00"' in answer.text


def test_it_is_taken_back_with_a_reason(desk, make_booked, say):
    (row,) = say(make_booked().patient, cannot(from_on=date(2025, 11, 20)))
    address = f"/calendar/patient-hours/{row.id}/take-back"
    assert desk.post(address, data={"reason": ""}).status_code == 303
    assert queries_availability.row(row.id)
    assert desk.post(address, data={"reason": "Works elsewhere now."}).status_code == 303
    assert queries_availability.row(row.id) is None

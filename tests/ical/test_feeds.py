"""A calendar program reads an address: what it finds, what it never finds, and that it asks twice for nothing."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from clinic.accounts.models import Clinic
from clinic.accounts.rules import StaffStatus
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.core.sharing import TellsNames
from clinic.ical.models import CalendarFeed
from clinic.ical.rules import FeedKind
from clinic.scheduling import operations
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE


@pytest.fixture(autouse=True)
def now():
    with clock.standing_at(DESK_OPENS):
        yield


@pytest.fixture
def moves(scheduler, make_slot):
    def move(appointment, **slot):
        with db.unit_of_work():
            return operations.move(
                appointment, make_slot(appointment.session_number, **slot), reason="asked", by=scheduler, at=DESK_OPENS
            )

    return move


def test_a_nurse_reads_her_patients_as_instants(client, nurse, make_booked, make_address, read_calendar):
    booked = make_booked(nurse=nurse)
    events, calendar = read_calendar(client.get(make_address(FeedKind.NURSE, nurse)))
    uid = f"{booked.id}@chairtime"
    assert events == [(uid, 0, "CONFIRMED", NINE, NINE + 3 * HOUR, f"Session 1, chair {booked.chair.name}")]
    assert "vtimezone" not in calendar.contents


def test_nothing_is_told_of_the_patient(client, nurse, make_booked, make_address):
    booked = make_booked(nurse=nurse)
    owners = {FeedKind.NURSE: nurse, FeedKind.CHAIR: booked.chair, FeedKind.PATIENT: booked.patient}
    owners[FeedKind.PHYSICIAN] = booked.course.physician
    secrets = (booked.patient.family_name, booked.patient.given_name, booked.patient.mrn, "Neuropathic", "ketamine")
    for kind, owner in owners.items():
        text = client.get(make_address(kind, owner)).get_data(as_text=True)
        assert text.count("BEGIN:VEVENT") == 1, kind
        assert not [secret for secret in secrets if secret.casefold() in text.casefold()]


def test_the_clinic_may_say_more(client, nurse, make_booked, make_address, read_calendar):
    booked = make_booked(nurse=nurse)
    with db.unit_of_work():
        clinic = db.session.get(Clinic, booked.clinic_id)
        clinic.calendars_tell, clinic.calendars_tell_drug = TellsNames.NAMES, True
        clinic.calendars_tell_place = True
    events, calendar = read_calendar(client.get(make_address(FeedKind.NURSE, nurse)))
    assert events[0][-1].endswith(booked.patient.name)
    assert "course 1" in calendar.vevent.description.value
    _, chairs = read_calendar(client.get(make_address(FeedKind.CHAIR, booked.chair)))
    assert "description" not in chairs.vevent.contents  # the desk makes it, and the desk knows no drug
    patients, own = read_calendar(client.get(make_address(FeedKind.PATIENT, booked.patient)))
    assert (patients[0][-1], own.vevent.location.value) == ("Appointment", booked.chair.site.name)


def test_a_moved_appointment_stays_the_same_event(client, make_booked, make_address, moves, read_calendar):
    booked = make_booked()
    address = make_address(FeedKind.PATIENT, booked.patient)
    (before,), _ = read_calendar(client.get(address))
    moved = moves(booked, starts_at=NINE + DAY)
    (after,), _ = read_calendar(client.get(address))
    assert (after[0], after[2], after[3]) == (before[0], "CONFIRMED", moved.starts_at)
    assert after[1] > before[1]


def test_the_chair_that_it_left_is_told_that_it_is_gone(client, make_booked, make_address, moves, read_calendar):
    booked = make_booked()
    left = booked.chair
    moved = moves(booked, starts_at=NINE)  # at the same time in another chair
    (gone,), _ = read_calendar(client.get(make_address(FeedKind.CHAIR, left)))
    (here,), _ = read_calendar(client.get(make_address(FeedKind.CHAIR, moved.chair)))
    assert (gone[0], gone[1]) == (here[0], here[1])
    assert (gone[2], here[2]) == ("CANCELLED", "CONFIRMED")


def test_a_cancelled_appointment_is_said_to_be(client, scheduler, make_booked, make_address, read_calendar):
    booked = make_booked()
    address = make_address(FeedKind.PATIENT, booked.patient)
    (before,), _ = read_calendar(client.get(address))
    with db.unit_of_work():
        operations.cancel(booked, reason="ill", by=scheduler, at=DESK_OPENS)
    (after,), calendar = read_calendar(client.get(address))
    assert (after[0], after[2]) == (before[0], "CANCELLED")
    assert after[1] > before[1]
    assert "ill" not in calendar.serialize()


def test_a_calendar_holds_a_window_and_not_the_history(client, make_booked, make_address, read_calendar):
    booked = make_booked()
    address = make_address(FeedKind.PATIENT, booked.patient)
    for later, events in ((DAY * 30, 1), (DAY * 32, 0)):
        with clock.standing_at(NINE + later):
            assert len(read_calendar(client.get(address))[0]) == events


def test_what_is_unchanged_is_not_sent_again(client, make_booked, make_address, moves):
    booked = make_booked()
    address = make_address(FeedKind.PATIENT, booked.patient)
    first = client.get(address)
    with clock.standing_at(DESK_OPENS + HOUR):
        tagged = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
        dated = client.get(address, headers={"If-Modified-Since": first.headers["Last-Modified"]})
    assert (tagged.status_code, dated.status_code, tagged.data) == (304, 304, b"")
    moves(booked, starts_at=NINE + DAY)
    with clock.standing_at(DESK_OPENS + 2 * HOUR):
        assert client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200
        assert client.get(address, headers={"If-Modified-Since": first.headers["Last-Modified"]}).status_code == 200


def test_no_cookie_is_given_and_none_asked_for(client, nurse, make_booked, make_address):
    address = make_address(FeedKind.NURSE, nurse)
    alone = client.get(address)
    assert "Set-Cookie" not in alone.headers
    assert alone.headers["Cache-Control"] == "private, no-cache"
    client.sign_in(nurse)
    assert "Set-Cookie" not in client.get(address).headers


def test_the_database_keeps_no_address(client, nurse, make_address):
    address = make_address(FeedKind.NURSE, nurse)
    token = address.split("/")[-1].removesuffix(".ics")
    (row,) = db.session.execute(sa.text("SELECT * FROM calendar_feed")).all()
    assert token not in str(row)
    entries = db.session.scalars(sa.select(AuditEntry.body))
    assert not [body for body in entries if token in body]


def test_a_renewed_or_revoked_address_is_dead(client, nurse, make_address):
    first = make_address(FeedKind.NURSE, nurse)
    second = make_address(FeedKind.NURSE, nurse)
    assert [client.get(each).status_code for each in (first, second)] == [404, 200]
    client.sign_in(nurse)
    feed = db.session.scalar(sa.select(CalendarFeed).where(CalendarFeed.revoked_at.is_(None)))
    assert client.post(f"/calendar-addresses/{feed.id}/revoke").status_code == 303
    assert client.get(second).status_code == 404


def test_the_address_of_somebody_who_left_is_dead(client, nurse, make_address):
    address = make_address(FeedKind.NURSE, nurse)
    with db.unit_of_work():
        nurse.status = StaffStatus.DISABLED
    assert client.get(address).status_code == 404


def test_the_last_reading_is_noted_and_a_day_of_them_is_one_line(client, nurse, make_address):
    address = make_address(FeedKind.NURSE, nurse)
    for minutes in (0, 5, 30):
        with clock.standing_at(DESK_OPENS + timedelta(minutes=minutes)):
            client.get(address)
    feed = db.session.scalar(sa.select(CalendarFeed).execution_options(populate_existing=True))
    assert feed.fetched_at == DESK_OPENS + timedelta(minutes=30)
    lines = sa.select(sa.func.count()).where(AuditEntry.action == AuditAction.CALENDAR_FETCHED)
    assert db.session.scalar(lines) == 1


@pytest.fixture
def books_one_more(make_patient, make_active_course, make_booked):
    return lambda number, nurse: make_booked(
        make_active_course(make_patient()), nurse=nurse, starts_at=NINE + number * DAY
    )


def test_more_appointments_cost_no_more_reads(client, nurse, books_one_more, make_address, count_queries):
    address = make_address(FeedKind.NURSE, nurse)
    counts = []
    for number in range(3):
        books_one_more(number, nurse)
        client.get(address)
        db.session.expire_all()
        with count_queries() as sent:
            client.get(address)
        counts.append(len(sent))
    assert counts[2] == counts[1] <= 12


def test_a_session_keeps_its_clock_time_across_a_clock_change(client, make_booked, make_address, read_calendar):
    before, after = datetime(2026, 3, 6, 14, 0, tzinfo=UTC), datetime(2026, 3, 9, 13, 0, tzinfo=UTC)  # 09:00 both
    booked = make_booked(starts_at=before)
    make_booked(booked.course, 2, starts_at=after)
    events, calendar = read_calendar(client.get(make_address(FeedKind.PATIENT, booked.patient)))
    assert [event[3] for event in events] == [before, after]
    assert calendar.contents["x-wr-timezone"][0].value == "America/New_York"

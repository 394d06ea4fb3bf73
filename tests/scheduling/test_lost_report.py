"""Why appointments were lost, in the clinic's own words, counted for a period; as a page and as a file."""

import re

import pytest

from clinic.core import clock
from clinic.scheduling import operations, operations_policy, queries_lost
from clinic.scheduling.rules import LossKind
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.get_data(as_text=True)))


@pytest.fixture
def no_ride(admin):
    return operations_policy.add_lost_reason(LossKind.CANCELLED, "=No ride", by=admin, at=DESK_OPENS)


@pytest.fixture
def lost(make_booked, no_ride, scheduler, make_slot):
    """Two cancelled for a reason of the list, one for own words, one moved."""
    first = make_booked()
    more = [make_booked(first.course, number, starts_at=NINE + number * DAY) for number in (2, 3, 4)]
    for each in (first, more[0]):
        operations.cancel(each, reason="", listed=no_ride, by=scheduler, at=DESK_OPENS)
    operations.cancel(more[1], reason="Rosa has a cold", by=scheduler, at=DESK_OPENS)
    operations.move(more[2], make_slot(4, starts_at=NINE + 9 * DAY), reason="x", by=scheduler, at=DESK_OPENS)
    return first


def test_what_was_lost_is_counted_by_reason_and_what_moved_is_not(lost):
    rows = queries_lost.lost_counts(NINE - DAY, NINE + 10 * DAY)
    assert [(row.reason, row.count) for row in rows] == [("=No ride", 2), (None, 1)]
    counts = queries_lost.appointment_counts(NINE - DAY, NINE + 10 * DAY)
    assert counts == {"cancelled": 3, "moved": 1, "booked": 1}
    assert queries_lost.lost_counts(NINE + HOUR, NINE + DAY) == []


def test_own_words_are_for_who_reads_the_calendar(client, lost, scheduler, admin):
    page = "/clinic/lost?from=1-Nov-2025&until=30-Nov-2025"
    with clock.standing_at(DESK_OPENS):
        client.sign_in(scheduler)
        assert "Rosa has a cold" in words(client.get(page))
        client.sign_in(admin)
        answer = words(client.get(page))
    assert "Rosa" not in answer
    assert "Cancelled in own words 1" in answer


def test_the_file_holds_no_formula(client, lost, admin):
    with clock.standing_at(DESK_OPENS):
        client.sign_in(admin)
        answer = client.get("/clinic/lost/table?from=1-Nov-2025&until=30-Nov-2025")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.get_data(as_text=True) == (
        "State,Reason,Appointments\r\ncancelled,'=No ride,2\r\ncancelled,in own words,1\r\n"
    )


def test_the_desk_chooses_from_the_list(client, make_booked, no_ride, scheduler):
    booked = make_booked()
    keys = {"patient_id": str(booked.patient_id), "version": str(booked.version)}
    with clock.standing_at(DESK_OPENS):
        client.sign_in(scheduler)
        page = f"/calendar/appointments/{booked.id}/cancel"
        assert "Say why" in words(client.post(page, data=keys))
        client.post(page, data={**keys, "cancel-listed": str(no_ride.id)})
    assert (booked.status, booked.status_reason, booked.lost_reason_id) == ("cancelled", "=No ride", no_ride.id)


def test_a_retired_reason_is_offered_again_when_it_is_added(no_ride, admin):
    operations_policy.retire_lost_reason(no_ride, by=admin, at=DESK_OPENS)
    assert operations_policy.add_lost_reason(LossKind.CANCELLED, "=No ride ", by=admin, at=DESK_OPENS) is no_ride
    assert not no_ride.is_retired

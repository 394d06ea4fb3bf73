"""The desk looks into the outbox."""

import re

import pytest

from clinic.core import clock, db
from clinic.notifications import operations
from clinic.notifications.rules import MessageKind, Outcome
from tests.factories.scheduling import DESK_OPENS


@pytest.fixture
def given_up(make_booked):
    """A message about an appointment, refused by the server for good."""
    booked = make_booked()
    with db.unit_of_work():
        message = operations.put(MessageKind.REMINDER, booked.id, at=DESK_OPENS)
        claimed = operations.claim(at=DESK_OPENS)
        operations.keep_words(message, to_address="rosa@patient.example", subject="Tomorrow", body="Come. Fasting.")
        operations.finish(claimed, Outcome.REFUSED, "550", at=DESK_OPENS)
    return message, booked


@pytest.fixture
def desk(client, scheduler):
    with clock.standing_at(DESK_OPENS):
        client.sign_in(scheduler)
        yield client


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.get_data(as_text=True)))


def test_what_was_given_up_is_seen_and_tried_again(given_up, desk):
    message, booked = given_up
    page = words(desk.get("/messages"))
    assert booked.patient.name in page
    assert "refused by the mail server (550)" in page
    assert "Fasting" not in page
    desk.post(f"/messages/{message.id}/try-again")
    assert "next try 18-Nov-2025" in words(desk.get("/messages"))


def test_a_message_is_called_off(given_up, desk, scheduler):
    message, _ = given_up
    desk.post(f"/messages/{message.id}/cancel")
    assert "No message" in words(desk.get("/messages"))
    assert f"cancelled by {scheduler.name}" in words(desk.get("/messages?show=cancelled"))
    assert "cannot be cancelled" in words(desk.get(desk.post(f"/messages/{message.id}/cancel").location))


def test_another_clinic_has_an_outbox_of_its_own(given_up, refuses_strangers):
    message, _ = given_up
    refuses_strangers(f"/messages/{message.id}/cancel", method="POST")

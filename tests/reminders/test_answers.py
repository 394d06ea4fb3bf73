"""A patient answers by the link in the mail: only by pressing a button, only about this appointment."""

import re

import pytest
import sqlalchemy as sa
from itsdangerous import URLSafeSerializer

from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.reminders import links
from clinic.scheduling import operations as scheduling
from clinic.scheduling.models import Appointment, AppointmentAnswer
from clinic.scheduling.rules import AppointmentStatus
from clinic.scheduling.rules_answers import AnswerKind
from tests.factories.scheduling import DAY, DESK_OPENS, NINE


@pytest.fixture(autouse=True)
def now():
    with clock.standing_at(DESK_OPENS):
        yield


@pytest.fixture
def link_to(app):
    def make(appointment):
        with app.app_context():
            return f"/answer/{links.token_for(appointment.id)}"

    return make


def state_of(appointment):
    chosen = sa.select(Appointment.status).where(Appointment.id == appointment.id)
    return db.session.scalar(chosen)


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.get_data(as_text=True)))


def test_following_the_link_changes_nothing(client, make_booked, link_to):
    booked = make_booked()
    page = client.get(link_to(booked))
    assert "Wed 19-Nov-2025, 09:00" in words(page)
    assert booked.patient.family_name not in page.get_data(as_text=True)
    assert client.get(link_to(booked) + "/cancel").status_code == 405
    assert state_of(booked) is AppointmentStatus.BOOKED
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AppointmentAnswer)) == 0


def test_the_address_of_the_page_stays_a_secret(client, make_booked, link_to):
    answer = client.get(link_to(make_booked()))
    assert answer.headers["Referrer-Policy"] == "strict-origin"
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_button_of_a_browser_is_heard_over_https(app, database, make_booked, link_to, monkeypatch):
    """The test client checks no token; a browser over HTTPS sends where it came from, and is asked for it."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    booked, browser = make_booked(), app.test_client()
    address = link_to(booked)
    page = browser.get(address, base_url="https://localhost")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.get_data(as_text=True))[1]
    came = {"Origin": "https://localhost", "Referer": "https://localhost/"}  # what strict-origin leaves of the address
    sent = browser.post(f"{address}/confirm", data={"csrf_token": token}, headers=came, base_url="https://localhost")
    assert sent.status_code == 303


def test_a_confirmation_is_seen_on_the_appointment_and_on_today(client, make_booked, link_to, nurse):
    booked = make_booked()
    assert client.post(link_to(booked) + "/confirm").status_code == 303
    assert "knows that you come" in words(client.get(link_to(booked)))
    client.sign_in(nurse)
    assert "The patient confirmed by the link" in words(client.get(f"/calendar/appointments/{booked.id}"))
    with clock.standing_at(NINE - DAY / 48):
        client.sign_in(nurse)
        assert "confirmed" in words(client.get("/today"))


def test_cancelling_frees_the_place_and_the_trail_names_nobody_of_the_staff(client, make_booked, link_to, nurse):
    booked = make_booked()
    make_booked(booked.course, 2, starts_at=NINE + DAY / 4)
    client.post(link_to(booked) + "/cancel")
    assert state_of(booked) is AppointmentStatus.CANCELLED
    assert "Cancelled." in words(client.get(link_to(booked)))
    wanted = sa.select(AuditEntry.actor_id).where(AuditEntry.action == AuditAction.APPOINTMENT_ANSWERED)
    assert list(db.session.scalars(wanted)) == [None]
    client.sign_in(nurse)
    assert "1 cancelled by mail" in words(client.get("/today?day=2025-11-19"))


def test_a_cancelled_appointment_is_not_answered_again(client, make_booked, link_to):
    booked = make_booked()
    client.post(link_to(booked) + "/cancel")
    assert "Cancelled." in words(client.get(client.post(link_to(booked) + "/confirm").location))
    kinds = list(db.session.scalars(sa.select(AppointmentAnswer.answer)))
    assert kinds == [AnswerKind.CANCELLED]


def test_a_link_ends_with_the_time_and_with_a_move(client, make_booked, make_slot, link_to, scheduler):
    booked = make_booked()
    link = link_to(booked)
    with clock.standing_at(NINE):
        assert client.get(link).status_code == 404
        client.post(link + "/cancel")
    with db.unit_of_work():
        scheduling.move(booked, make_slot(starts_at=NINE + DAY), reason="asked", by=scheduler, at=DESK_OPENS)
    assert client.get(link).status_code == 404
    client.post(link + "/cancel")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AppointmentAnswer)) == 0


@pytest.mark.parametrize("change", ["cut", "other purpose", "other secret", "nonsense"])
def test_a_link_that_we_did_not_make_for_this_leads_nowhere(app, client, make_booked, link_to, change):
    booked = make_booked()
    secret = app.config["SECRET_KEY"]
    tokens = {
        "cut": link_to(booked).removeprefix("/answer/")[:-1],
        "other purpose": URLSafeSerializer(secret, salt="invitation").dumps(booked.id.hex),
        "other secret": URLSafeSerializer("x" * 40, salt="appointment-answer").dumps(booked.id.hex),
        "nonsense": "nonsense",
    }
    assert client.get(f"/answer/{tokens[change]}").status_code == 404
    assert client.post(f"/answer/{tokens[change]}/cancel").status_code == 404
    assert state_of(booked) is AppointmentStatus.BOOKED


def test_a_link_signed_before_a_change_of_the_secret_still_works(app, client, make_booked, link_to, monkeypatch):
    link = link_to(make_booked())
    monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", [app.config["SECRET_KEY"]])
    monkeypatch.setitem(app.config, "SECRET_KEY", "another-secret-that-is-long-enough-0123456789")
    assert client.get(link).status_code == 200

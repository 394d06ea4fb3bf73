"""The pages where calendar addresses are issued and where the clinic says what leaves."""

import re

import pytest
import sqlalchemy as sa

from clinic.accounts.models import Clinic
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.core.sharing import TellsNames
from clinic.ical.rules import FeedKind
from tests.factories.scheduling import DESK_OPENS

LINK = re.compile(r"http://localhost(/calendar-feed/[\w-]{43}\.ics)")


@pytest.fixture(autouse=True)
def now():
    with clock.standing_at(DESK_OPENS):
        yield


def test_an_address_is_shown_once(client, nurse):
    client.sign_in(nurse)
    answer = client.post("/calendar-addresses/own/nurse/issue")
    page = client.get(answer.location).get_data(as_text=True)
    assert client.get(LINK.search(page)[1]).mimetype == "text/calendar"
    assert not LINK.search(client.get(answer.location).get_data(as_text=True))
    actions = list(db.session.scalars(sa.select(AuditEntry.action).where(AuditEntry.actor_id == nurse.id)))
    assert AuditAction.CALENDAR_ADDRESS_ISSUED in actions


def test_a_patients_address_is_shown_on_the_patients_page_alone(client, scheduler, make_patient):
    client.sign_in(scheduler)
    patient, other = make_patient(), make_patient()
    answer = client.post(f"/patients/{patient.id}/calendar-address/issue", data={"patient_id": str(patient.id)})
    for elsewhere in ("/calendar-addresses", f"/patients/{other.id}/calendar-address"):
        assert not LINK.search(client.get(elsewhere).get_data(as_text=True))
    assert LINK.search(client.get(answer.location).get_data(as_text=True))


def test_nobody_has_a_calendar_of_a_role_not_held(client, nurse, scheduler):
    client.sign_in(scheduler)
    assert client.post("/calendar-addresses/own/nurse/issue").status_code == 404
    client.sign_in(nurse)
    assert client.post("/calendar-addresses/own/physician/issue").status_code == 404


def test_nobody_revokes_the_address_of_another_person(client, second_nurse, nurse, make_address):
    address = make_address(FeedKind.NURSE, nurse)
    client.sign_in(second_nurse)
    feed_id = db.session.scalar(sa.text("SELECT id FROM calendar_feed"))
    assert client.post(f"/calendar-addresses/{feed_id}/revoke").status_code == 404
    assert client.get(address).status_code == 200


def test_other_clinics_find_nothing(make_patient, make_chair, refuses_strangers):
    patient, chair = make_patient(), make_chair()
    refuses_strangers(f"/patients/{patient.id}/calendar-address")
    refuses_strangers(f"/patients/{patient.id}/calendar-address/issue", method="POST")
    refuses_strangers(f"/calendar-addresses/chairs/{chair.id}/issue", method="POST")


def test_the_admin_says_what_leaves_the_clinic_and_why(client, admin, clinic):
    client.sign_in(admin)
    chosen = {"calendars_tell": "initials", "reason": "Agreed with the nurses"}
    assert client.post("/clinic/sharing", data={**chosen, "reason": " "}).status_code == 422
    assert client.post("/clinic/sharing", data=chosen).status_code == 303
    saved = db.session.get(Clinic, clinic.id)
    assert (saved.calendars_tell, saved.calendars_tell_drug) == (TellsNames.INITIALS, False)
    page = client.get("/clinic/sharing").get_data(as_text=True)
    assert "by initials" in page
    assert "Agreed with the nurses" in page


def test_a_fault_does_not_write_the_secret_into_the_log(app, client, caplog, monkeypatch):
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr("clinic.ical.queries.feed_by_hash", lambda _hash: 1 / 0)
    assert client.get("/calendar-feed/a-very-secret-token.ics").status_code == 500
    assert "calendar-feed" in caplog.text
    assert "very-secret" not in caplog.text.partition("Traceback")[0]

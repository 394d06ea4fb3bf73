"""The nurse's path through the pages, from the door to the way out."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.core import clock, db
from clinic.protocols.rules import CheckKind
from clinic.sessions import queries
from clinic.sessions.models import InfusionSession
from clinic.sessions.rules import SessionStatus
from tests.factories.accounts import PASSWORD
from tests.factories.sessions import ARRIVED, minute


@pytest.fixture
def at():
    """Moves the clock to so many minutes after the planned start."""
    standing = []

    def move(minutes):
        if standing:
            standing.pop().__exit__(None, None, None)
        standing.append(clock.standing_at(minute(minutes)))
        standing[-1].__enter__()

    yield move
    standing.pop().__exit__(None, None, None)


def the_session():
    infusion_id = db.session.scalar(sa.select(InfusionSession.id))
    return queries.flowsheet(infusion_id)


def test_a_nurse_runs_a_session_through_the_pages(client, make_appointment, nurse, make_staff, at):
    from clinic.core.permissions import Role

    second = make_staff(Role.NURSE, given_name="Tia", family_name="Duarte", password=PASSWORD)
    appointment = make_appointment()
    at(-25)
    client.sign_in(nurse)
    assert client.get("/today").status_code == 200
    answer = client.post(f"/appointments/{appointment.id}/arrive")
    assert answer.status_code == 303
    assert client.get(answer.location).status_code == 200
    infusion = the_session()
    base = f"/sessions/{infusion.id}"
    checks = {item.kind: item for item in infusion.order_version.terms.checks}
    identity = checks[CheckKind.IDENTITY]
    assert client.post(f"{base}/checks/{identity.id}/identity", data={"year_of_birth": "1968"}).status_code == 303
    assert client.post(f"{base}/weight", data={"kg": "68"}).status_code == 303
    assert client.post(f"{base}/proposal", data={"rate_ml_h": "13.6"}).status_code == 303
    proposal = the_session().rate_proposals[-1]
    page = client.get(f"{base}/double-check/{proposal.id}").get_data(as_text=True)
    assert "13.6" not in page
    second_person = {"checker": str(second.id), "password": PASSWORD, "computed_rate_ml_h": "13.6"}
    assert client.post(f"{base}/double-check/{proposal.id}", data=second_person).status_code == 303
    assert client.get(f"{base}/checklist").status_code == 200
    at(0)
    assert client.post(f"{base}/start").status_code == 303
    assert client.get(base).status_code == 200
    at(15)
    assert client.post(f"{base}/vitals", data={"line": "128/76 84 14 98"}).status_code == 303
    assert client.post(f"{base}/vitals", data={"sbp": "130", "dbp_typed": "80", "hr": "70"}).status_code == 303
    at(31)
    assert client.get(f"{base}/rate").status_code == 200
    assert client.post(f"{base}/rate", data={"step": "17.0"}).status_code == 303
    item = infusion.order_version.terms.prn_items[0]
    assert client.get(f"{base}/prn?item={item.id}").status_code == 200
    assert client.post(f"{base}/prn", data={"item": str(item.id)}).status_code == 303
    assert client.get(f"{base}/event").status_code == 200
    assert client.post(f"{base}/event", data={"term": "Nausea", "grade": "1", "done": "Watched"}).status_code == 303
    at(40)
    assert client.get(f"{base}/pause").status_code == 200
    assert client.post(f"{base}/pause", data={"why": "Toilet"}).status_code == 303
    at(45)
    assert client.get(f"{base}/resume").status_code == 200
    assert client.post(f"{base}/resume").status_code == 303
    at(60)
    assert client.get(f"{base}/stop").status_code == 200
    assert client.post(f"{base}/stop").status_code == 303
    for page in ("", "/recovery", "/bolus", "/bag", "/iv", "/notify", "/note-row", "/hand-over", "/drug", "/discharge", "/print"):
        assert client.get(f"{base}{page}").status_code == 200, page
    at(120)
    answers = {f"item_{number}": "2" for number in range(1, 6)}
    answers |= {"line_removed": "yes", "sheet_given": "yes", "no_driving": "yes", "escort_here": "yes"}
    answers |= {"exit": "home-with-escort", "escort_name": "Ivan"}
    refused = client.post(f"{base}/discharge", data=answers)
    print(refused.get_data(as_text=True)[:100], refused.status_code)
    assert the_session().status in {SessionStatus.CLOSED_HOME, SessionStatus.RECOVERING}

"""The nurse's path through the pages, from the door to the way out, each page looked at and each form sent."""

import pytest
import sqlalchemy as sa

from clinic.core import db
from clinic.protocols.rules import CheckKind
from clinic.sessions.models import InfusionSession
from clinic.sessions.rules import SessionStatus
from tests.factories.accounts import PASSWORD
from tests.factories.pages import fresh
from tests.factories.sessions import check_of


@pytest.fixture
def walk(client, nurse, at_minute):
    """Goes through steps: a minute to wait for, then pages to open and forms to send."""

    def go(base, steps):
        for step in steps:
            if isinstance(step, int):
                at_minute(step)
                client.sign_in(nurse)  # a long wait ends a sign-in
                continue
            part, fields = step if isinstance(step, tuple) else (step, None)
            address = f"{base}{part}"
            answer = client.get(address) if fields is None else client.post(address, data=fields)
            assert answer.status_code == (200 if fields is None else 303), (part, answer.get_data(as_text=True)[-3000:])

    return go


def test_a_nurse_runs_a_session_through_the_pages(walk, make_appointment, checker):
    appointment = make_appointment()
    walk(
        "", [-25, "/today", f"/calendar/appointments/{appointment.id}", (f"/appointments/{appointment.id}/arrive", {})]
    )
    infusion = db.session.scalar(sa.select(InfusionSession))
    base, identity = f"/sessions/{infusion.id}", check_of(infusion, CheckKind.IDENTITY)
    walk(
        base,
        [
            "/checklist",
            (f"/checks/{identity.id}/identity", {"year_of_birth": "1968"}),
            ("/weight", {"kg": "68"}),
            ("/proposal", {"rate_ml_h": "13.6"}),
        ],
    )
    second = f"/double-check/{fresh(infusion).rate_proposals[-1].id}"
    signed = {"checker": str(checker.id), "password": PASSWORD, "computed_rate_ml_h": "13.6"}
    item = infusion.order_version.terms.prn_items[0]
    walk(base, [second, (second, signed), "/checklist", 0, ("/start", {}), ""])
    walk(
        base, [10, "/vitals", ("/vitals", {"line": "128/76 84 14 98"}), ("/vitals", {"sbp": "130", "dbp_typed": "80"})]
    )
    walk(
        base,
        [20, "/rate", 31, "/rate", ("/rate", {"step": "17"}), f"/prn?item={item.id}", ("/prn", {"item": str(item.id)})],
    )
    walk(
        base, ["/event", ("/event", {"term": "Nausea", "grade": "1", "done": "Watched"}), 33, "/pause", ("/pause", {})]
    )
    walk(
        base, [40, "/resume", ("/resume", {}), "/stop", 50, ("/stop", {}), "/recovery", "/discharge", "/drug", "/print"]
    )
    assert fresh(infusion).status is SessionStatus.RECOVERING

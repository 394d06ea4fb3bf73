"""The demonstration clinic and its people, each with what they reach. Whatever a test does is forgotten after it."""

import os
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from clinic.accounts.models import Clinic, Staff
from clinic.core import clock, db
from clinic.sessions.models import InfusionSession
from tests.factories.demo import DEMO_MOMENT
from tests.sweep.crawling import Crawl, undone

# How each signs in with the demonstration.
PEOPLE = {
    "nurse": "amara.quill@clinic.example",
    "physician": "ines.okafor@clinic.example",
    "desk": "tessa.lowe@clinic.example",
    "admin": "petra.lund@clinic.example",
    "auditor": "mina.sorel@clinic.example",
}


@pytest.fixture(scope="session")
def effort():
    """How much is tried: 1 in the suite; `make sweep` asks for more."""
    return int(os.environ.get("SWEEP_EFFORT", "1"))


@pytest.fixture(scope="module")
def demo(demo_copy):
    """One transaction over the demonstration clinic, which the whole module shares and which is rolled back."""
    engine = db.init(demo_copy)
    with clock.standing_at(DEMO_MOMENT), engine.execution_options(write=True).connect() as connection:
        transaction = connection.begin()
        with undone(connection) as session:
            clinic = session.scalars(sa.select(Clinic)).one()
            with db.in_clinic(clinic.id):
                staff = {staff.email: staff for staff in session.scalars(sa.select(Staff))}
                people = {role: staff[email] for role, email in PEOPLE.items()}
                infusions = session.scalars(sa.select(InfusionSession).order_by(InfusionSession.arrived_at.desc()))
                states = {str(infusion.id): infusion.status.value for infusion in infusions}
                yield SimpleNamespace(connection=connection, clinic=clinic, people=people, states=states)
        transaction.rollback()


@pytest.fixture
def database(demo):
    """The same fixture as everywhere, in the demonstration clinic: factories make their clinic beside it."""
    with undone(demo.connection), db.in_clinic(demo.clinic.id):
        yield


@pytest.fixture(scope="module")
def crawl(demo, app, effort):
    """What a person reaches, walked once in a module: `crawl("nurse")`."""
    states = demo.states if effort > 1 else {}
    roles = (*PEOPLE, "nobody")
    made = {role: Crawl(app, demo.people.get(role), each=effort, states=states).run() for role in roles}
    return made.__getitem__


@pytest.fixture
def nobody(app):
    """A browser without a sign-in."""
    return app.test_client()

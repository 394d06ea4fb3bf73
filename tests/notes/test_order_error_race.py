"""Something is given under an order at the moment when the order is entered in error: one of the two is refused."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from zoneinfo import ZoneInfo

import pytest

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.notes.order_error import enter_in_error
from clinic.sessions import operations as sessions
from clinic.sessions import operations_bedside
from clinic.sessions.models import DoubleCheck, InfusionSession
from tests.factories.accounts import PASSWORD
from tests.factories.sessions import START


@pytest.fixture
def one_after_the_other(committed_db, clinic):
    """Runs two acts, the second while the first has not committed yet; gives what came of each."""

    def run(first, second):
        acted, over = Event(), Event()

        def begin():
            with db.in_clinic(clinic.id), db.unit_of_work():
                first()
                acted.set()
                over.wait(timeout=0.5)
            return "done"

        def follow():
            assert acted.wait(timeout=10)
            try:
                with db.in_clinic(clinic.id), db.unit_of_work():
                    second()
            except RuleBroken:
                return "refused"
            finally:
                over.set()
            return "done"

        with ThreadPoolExecutor(2) as threads:
            return [future.result() for future in [threads.submit(begin), threads.submit(follow)]]

    return run


@pytest.fixture
def people(clinic, nurse, second_nurse, physician, signing_physician):
    """Those who were made in an earlier piece of work and take part in this one."""
    return [clinic, nurse, second_nurse, physician, signing_physician]


@pytest.fixture
def acts(people, make_ready, make_double_check):
    """A session that waits for its start: the start, and the order's end as an error."""
    nurse, signing_physician = people[1], people[-1]
    with db.unit_of_work():
        db.session.add_all(people)
        infusion = make_ready()
        check_id = make_double_check(infusion, at=START).id

    def found(person):
        return db.session.get_one(InfusionSession, infusion.id), db.session.get_one(Staff, person.id)

    def start():
        session, by = found(nurse)
        check = db.session.get_one(DoubleCheck, check_id)
        sessions.start(session, happened_at=START, double_check=check, by=by, at=START)

    def regret():
        session, by = found(signing_physician)
        version, zone = session.order_version, ZoneInfo("UTC")
        enter_in_error(session.course, version, "Wrong.", by=by, password=PASSWORD, at=START, zone=zone)

    def give():
        session, by = found(nurse)
        sessions.give_prn(session, session.order_version.terms.prn_items[0], given_at=START, by=by, at=START)

    return {"start": start, "give": give, "regret": regret}


@pytest.fixture
def both(acts, request):
    """The two acts in their order."""
    first, second = request.param
    return acts[first], acts[second]


EITHER_WAY = [("start", "regret"), ("regret", "start"), ("give", "regret"), ("regret", "give")]


@pytest.mark.parametrize("both", EITHER_WAY, indirect=True)
def test_nothing_is_given_under_an_order_that_is_an_error(one_after_the_other, both):
    assert one_after_the_other(*both) == ["done", "refused"]


@pytest.mark.parametrize("both", [("give", "regret")], indirect=True)
def test_without_holding_the_order_both_would_be_kept(one_after_the_other, both, monkeypatch):
    """What holding it is for: on SQLite the queue of writers already keeps the second one waiting."""
    monkeypatch.setattr(operations_bedside, "hold_order", lambda _infusion: None)
    is_queue = db.engine().dialect.name == "sqlite"
    assert one_after_the_other(*both) == ["done", "refused" if is_queue else "done"]

"""Two people act on one session at the same moment: one wins, the other is told."""

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from decimal import Decimal
from threading import Barrier

import pytest
from sqlalchemy.orm.exc import StaleDataError

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.druglog import operations as druglog
from clinic.druglog.models import Container, DrugAccount
from clinic.sessions import operations, operations_bedside, queries
from clinic.sessions.models import DoubleCheck, InfusionSession
from clinic.sessions.progress import current
from tests.factories.sessions import ARRIVED, START, minute


@pytest.fixture
def race(committed_db, clinic):
    """Runs `act` twice at the same moment, each in a transaction of its own; gives what came of each."""

    def run(act):
        barrier = Barrier(2)

        def once():
            with db.in_clinic(clinic.id):
                barrier.wait(timeout=10)
                try:
                    with db.unit_of_work():
                        act()
                except (RuleBroken, StaleDataError) as refusal:
                    return type(refusal)
            return "done"

        with ThreadPoolExecutor(2) as threads:
            return [future.result() for future in [threads.submit(once), threads.submit(once)]]

    return run


@pytest.fixture
def committed(clinic, nurse, second_nurse, physician, signing_physician):
    """`with committed():` makes rows that stay, by people who were made in an earlier piece of work."""

    @contextmanager
    def work():
        with db.unit_of_work():
            db.session.add_all([clinic, nurse, second_nurse, physician, signing_physician])
            yield

    return work


def test_an_arrival_with_vitals_on_their_way_is_not_taken_back(committed, committed_db, clinic, make_infusion, nurse):
    with committed():
        infusion_id = make_infusion().id

    def take_back():
        with db.in_clinic(clinic.id), db.unit_of_work():
            infusion = db.session.get_one(InfusionSession, infusion_id)
            operations.undo_arrival(infusion, by=db.session.get_one(Staff, nurse.id), at=minute(2))

    with ThreadPoolExecutor(1) as other:
        with db.unit_of_work():
            infusion, by = db.session.get_one(InfusionSession, infusion_id), db.session.get_one(Staff, nurse.id)
            operations.record_observation(infusion, {"hr": 70}, observed_at=minute(1), by=by, at=minute(1))
            taking = other.submit(take_back)
            wait([taking], timeout=0.5)  # it would be over by then, if it did not wait
        with pytest.raises(RuleBroken, match="Something was recorded"):
            taking.result()


def test_a_session_is_stopped_once(race, committed, make_running, nurse):
    with committed():
        infusion_id = make_running().id

    def stop():
        infusion = queries.flowsheet(infusion_id)  # loaded as a page loads it, joins and all
        operations.stop(infusion, happened_at=minute(60), by=db.session.get_one(Staff, nurse.id), at=minute(60))

    assert sorted(race(stop), key=str) == [RuleBroken, "done"]
    with db.unit_of_work():
        infusion = queries.flowsheet(infusion_id)
        assert [row.kind.value for row in current(infusion.administrations)] == ["start", "stop"]


def test_a_session_is_started_once(race, committed, make_ready, make_double_check, nurse):
    with committed():
        infusion = make_ready()
        infusion_id, check_id = infusion.id, make_double_check(infusion, at=START).id

    def start():
        operations.start(
            db.session.get_one(InfusionSession, infusion_id),
            happened_at=START,
            double_check=db.session.get_one(DoubleCheck, check_id),
            by=db.session.get_one(Staff, nurse.id),
            at=START,
        )

    assert sorted(race(start), key=str) == [RuleBroken, "done"]


def give_the_only_dose(infusion_id, nurse):
    def act():
        infusion = db.session.get_one(InfusionSession, infusion_id)
        item = infusion.order_version.terms.prn_items[0]
        operations.give_prn(infusion, item, given_at=minute(20), by=db.session.get_one(Staff, nurse.id), at=minute(20))

    return act


def test_the_only_dose_is_given_once(race, committed, make_running, nurse):
    with committed():
        infusion_id = make_running().id
    assert sorted(race(give_the_only_dose(infusion_id, nurse)), key=str) == [RuleBroken, "done"]


def test_without_the_lock_both_would_give_it(race, committed, make_running, nurse, monkeypatch):
    """What the lock is for: on SQLite the queue of writers already keeps the second one waiting."""
    both_have_read = Barrier(2)

    def unlocked(infusion):
        assert not infusion.prn_doses or db.engine().dialect.name == "sqlite"
        if db.engine().dialect.name == "postgresql":
            both_have_read.wait(timeout=30)
        return infusion

    monkeypatch.setattr(operations_bedside, "locked", unlocked)
    with committed():
        infusion_id = make_running().id
    outcomes = race(give_the_only_dose(infusion_id, nurse))
    assert outcomes.count("done") == (1 if db.engine().dialect.name == "sqlite" else 2)


def test_two_withdrawals_never_count_on_the_same_drug(race, committed, make_patient, nurse):
    with committed():
        account_id = druglog.open_account(make_patient(), by=nurse, at=ARRIVED).id
        container_id = druglog.add_container(
            "ketamine", quantity_mg=Decimal(80), description="vial", received_at=ARRIVED, by=nurse, at=ARRIVED
        ).id

    def withdraw():
        druglog.withdraw(
            db.session.get_one(DrugAccount, account_id),
            db.session.get_one(Container, container_id),
            Decimal(50),
            happened_at=START,
            by=db.session.get_one(Staff, nurse.id),
            at=START,
        )

    assert sorted(race(withdraw), key=str) == [RuleBroken, "done"]

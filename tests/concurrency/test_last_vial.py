"""Nurses in several processes want the last vial: one gets it. With the guards taken away more would."""

import json
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.druglog import operations, queries
from clinic.druglog.models import Cabinet, Container, DrugAccount, RegisterEntry
from tests.concurrency.test_booking import one_of
from tests.concurrency.test_booking import race as at_once
from tests.factories.sessions import START
from tests.structure.tree import ROOT

NURSES = 3


@pytest.fixture
def race(committed_db, request):
    """Lets each nurse take out the only vial at the same moment; gives the outcomes and what is left."""
    make = request.getfixturevalue
    clinic, nurse = make("clinic"), make("nurse")
    with db.unit_of_work():
        db.session.add_all([clinic, nurse])
        vial = make("make_vials")(1)[0].id
        accounts = [make("make_account")().id for _ in range(NURSES)]

    def run(*, is_locked=True):
        told = {"url": committed_db, "clinic": str(clinic.id), "by": str(nurse.id), "vial": str(vial)}
        told |= {"at": START.isoformat(), "is_locked": is_locked}
        program = [sys.executable, str(Path(__file__).with_name("nurse_process.py"))]
        nurses = [
            subprocess.Popen(program, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in accounts
        ]
        for each, account in zip(nurses, accounts, strict=True):
            each.stdin.write(json.dumps(told | {"account": str(account)}) + "\n")
            each.stdin.flush()
        for each in nurses:
            assert each.stdout.readline() == "ready\n"
        for each in nurses:
            each.stdin.write("go\n")
            each.stdin.flush()
        if not is_locked and db.engine().dialect.name == "postgresql":
            for each in nurses:  # on SQLite the others wait for their turn and cannot read before
                assert each.stdout.readline() == "read\n"
        outcomes = Counter(each.communicate("write\n", timeout=120)[0].split()[-1] for each in nurses)
        with db.in_clinic(clinic.id), db.unit_of_work(write=False):
            return outcomes, queries.balance_mg(db.session.get_one(Container, vial))

    return run


def test_one_nurse_gets_the_last_vial(race):
    assert race() == ({"done": 1, "RuleBroken": NURSES - 1}, 0)


def test_without_the_lock_the_order_of_lines_still_refuses_the_second(race):
    outcomes, left = race(is_locked=False)
    assert (outcomes["done"], outcomes.total(), left) == (1, NURSES, 0)


def test_without_lock_order_and_count_everybody_would_take_it(race):
    """What the guards are for; on SQLite the queue of writers alone keeps the others waiting."""
    is_sqlite = db.engine().dialect.name == "sqlite"
    with db.engine().begin() as connection:
        connection.execute(sa.text("DROP INDEX uq_register_entry_register_id_line"))
        for guard in ("register_line_follows", "container_follows_its_register"):
            connection.execute(
                sa.text(f"DROP TRIGGER {guard}" if is_sqlite else f"DROP TRIGGER {guard} ON register_entry")
            )
    outcomes, _ = race(is_locked=False)
    assert outcomes["done"] == (1 if is_sqlite else NURSES)


def test_one_of_two_people_accepts_a_transfer(committed_db, clinic, request):
    make = request.getfixturevalue
    with db.unit_of_work():
        vial, there, nurse = make("make_vials")(1)[0], make("make_cabinet")("B"), make("nurse")
        people = [make("second_nurse").id, make("checker").id]
        sent = operations.send(vial, to=there, happened_at=START, by=nurse, at=START).id

    def accept(person):
        by, there_now = db.session.get_one(Staff, person), db.session.get_one(Cabinet, there.id)
        line = db.session.get_one(RegisterEntry, sent)
        operations.accept_transfer(line, there_now, happened_at=START, by=by, at=START)

    assert at_once(clinic, [partial(accept, person) for person in people]) == one_of(2)


def test_two_tabs_do_not_waste_the_same_rest_twice(committed_db, clinic, request):
    make = request.getfixturevalue
    with db.unit_of_work():
        account, _ = make("make_drawn")(given=50)
        nurse, second = make("nurse").id, make("second_nurse").id

    def waste():
        by, witness = db.session.get_one(Staff, nurse), db.session.get_one(Staff, second)
        when = {"happened_at": START, "by": by, "at": START}
        operations.waste(db.session.get_one(DrugAccount, account.id), "ketamine", Decimal(150), witness, **when)

    outcomes = at_once(clinic, [waste, waste])
    with db.in_clinic(clinic.id), db.unit_of_work(write=False):
        (line,) = queries.account_lines(db.session.get_one(DrugAccount, account.id))
    assert (outcomes, line.wasted_mg) == (one_of(2), 150)

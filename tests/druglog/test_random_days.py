"""Whatever people do in whatever order: balances, accounts and the order of lines hold, line by line.

`RANDOM_DAYS=200` plays so many days (six in the suite).
"""

import os
import random
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest

from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.druglog import operations, queries, stock_queries
from clinic.druglog.rules import RegisterKind
from tests.factories.sessions import START

DAYS = int(os.environ.get("RANDOM_DAYS", "6"))
ACTS = 40


class Day:
    """A day of random acts, and what a plain sum of the accepted ones says."""

    def __init__(self, lot, vials, cabinets, accounts, people):
        self.lot, self.vials, self.cabinets, self.accounts, self.people = lot, vials, cabinets, accounts, people
        self.clock = START
        self.held = {vial.id: Decimal(200) for vial in vials}
        self.most = dict(self.held)
        self.left = Counter()
        self.done = Counter()

    def act(self):
        self.clock += timedelta(seconds=1)
        vial, account = self.lot.choice(self.vials), self.lot.choice(self.accounts)
        mg = Decimal(self.lot.choice([1, 25, 200, 2000, 333333])) / self.lot.choice([1, 10, 10000])
        by, other = self.lot.sample(self.people, 2)
        name = self.lot.choice(["take", "take", "give", "waste", "back", "keep", "adjust", "send", "accept", "strike"])
        with suppress(RuleBroken), db.session.begin_nested():
            getattr(self, name)(vial, account, mg.quantize(Decimal("0.0001")), by, other)
            self.done[name] += 1

    def when(self, by):
        return {"happened_at": self.clock, "by": by, "at": self.clock}

    def take(self, vial, account, mg, by, _other):
        operations.withdraw(account, vial, mg, **self.when(by))
        self.held[vial.id] -= mg
        self.left[account.id] += mg

    def give(self, _vial, account, mg, by, _other):
        operations.record_given(account, "ketamine", mg, **self.when(by))
        self.left[account.id] -= mg

    def waste(self, _vial, account, mg, by, other):
        operations.waste(account, "ketamine", mg, self.lot.choice([by, other]), **self.when(by))
        self.left[account.id] -= mg

    def keep(self, _vial, account, mg, by, other):
        operations.prime(account, "ketamine", mg, other, **self.when(by))
        self.left[account.id] -= mg

    def back(self, vial, account, mg, by, _other):
        operations.return_to_stock(account, vial, mg, **self.when(by))
        self.held[vial.id] += mg
        self.left[account.id] -= mg

    def adjust(self, vial, _account, mg, by, other):
        change = mg * self.lot.choice([1, -1])
        operations.adjust(change, "found", other, container=vial, **self.when(by))
        self.held[vial.id] += change
        self.most[vial.id] = max(self.most[vial.id], self.held[vial.id])

    def send(self, vial, _account, _mg, by, _other):
        operations.send(vial, to=self.lot.choice(self.cabinets), **self.when(by))
        self.held[vial.id] = Decimal(0)

    def accept(self, _vial, _account, _mg, by, _other):
        for sent in stock_queries.underway():
            operations.accept_transfer(sent, self.lot.choice(self.cabinets), **self.when(by))
            self.held[sent.container_id] += sent.quantity_mg
            return

    def strike(self, vial, _account, _mg, by, other):
        line = self.lot.choice(stock_queries.lines_of(vial.register_id))
        operations.strike(line, "wrong", other, by=by, at=self.clock)
        change = line.register_after_mg - line.register_before_mg
        if line.container_id:
            self.held[line.container_id] -= change
        if line.account_id:
            sign = 1 if line.kind is RegisterKind.WITHDRAW else -1
            self.left[line.account_id] -= sign * line.quantity_mg


@pytest.fixture
def make_day(make_vials, make_cabinet, make_account, nurse, second_nurse):
    def make(seed):
        cabinets = [make_cabinet("A"), make_cabinet("B")]
        vials = [*make_vials(2, cabinet=cabinets[0]), *make_vials(1, cabinet=cabinets[1])]
        return Day(random.Random(seed), vials, cabinets, [make_account(), make_account()], [nurse, second_nurse])

    return make


@pytest.mark.parametrize("seed", range(DAYS))
def test_every_line_follows_the_one_before(make_day, seed):
    day = make_day(seed)
    for _ in range(ACTS):
        day.act()
    db.session.expire_all()
    assert day.done.total() > ACTS // 4
    assert {vial.id: queries.balance_mg(vial) for vial in day.vials} == day.held
    assert all(day.held[vial.id] <= day.most[vial.id] for vial in day.vials)
    for account in day.accounts:
        lines = queries.account_lines(account)
        assert sum(line.unaccounted_mg for line in lines) == day.left[account.id]
    for page in stock_queries.registers():
        lines = list(reversed(stock_queries.lines_of(page.register.id, limit=1000)))
        assert [line.line for line in lines] == list(range(1, len(lines) + 1))
        ends = [Decimal(0), *(line.register_after_mg for line in lines)]
        assert [line.register_before_mg for line in lines] == ends[:-1]
        assert min(ends) >= 0
        assert page.balance_mg == sum(
            queries.balance_mg(vial) for vial in day.vials if vial.register_id == page.register.id
        )

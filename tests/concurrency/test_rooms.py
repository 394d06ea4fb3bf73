"""Desks in several processes: whatever they book at once, no rule of the clinic is broken.

`make race` lets each desk try a thousand (twenty in the suite).
"""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from clinic.accounts.models import Site
from clinic.core import db
from clinic.scheduling import (
    operations_hours,
    operations_people,
    operations_pumps,
    operations_rooms,
    operations_shifts,
    queries_rooms,
)
from clinic.scheduling.models import Appointment
from clinic.scheduling.room_rules import is_covered, is_within_hours
from clinic.scheduling.rules import HOLDING, Stretch, most_at_once
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE
from tests.structure.tree import ROOT

DESKS, TRIES = 2, int(os.environ.get("RACE_BOOKINGS", "20"))
QUARTER = timedelta(minutes=15)
CLEANING = timedelta(minutes=15)
ZONE = ZoneInfo("America/New_York")
BREAK = (NINE + HOUR, NINE + 2 * HOUR)


class Clinic:
    """A small clinic with everything typed in: all that is raced for, by keys."""

    def __init__(self, url, request):
        self.url = url
        make = request.getfixturevalue
        with db.unit_of_work():
            self.clinic, self.scheduler = make("clinic"), make("scheduler")
            self.nurses = [make("nurse"), make("second_nurse")]
            people = [self.clinic, self.scheduler, *self.nurses, make("physician"), make("signing_physician")]
            db.session.add_all(people)
            make("limit_nurses")(2, 1)
            self.site = db.session.scalars(sa.select(Site)).one()
            self._type_in(make("make_chair"), make("make_shift"), make("physician"))
            patients = [make("make_patient")(allergies=()) for _ in range(8)]
            self.courses = [make("make_active_course")(patient).id for patient in patients]

    def _type_in(self, make_chair, make_shift, physician):
        by = {"by": self.scheduler, "at": DESK_OPENS}
        self.chairs = [make_chair() for _ in range(4)]
        for chair in self.chairs:
            operations_rooms.change_chair(chair, operations_rooms.Features(cleaning_min=15), **by)
        self.pumps = [operations_pumps.add_pump(f"P{n}", f"SN{n}", **by).id for n in (1, 2)]
        for nurse in self.nurses:
            shift = make_shift(nurse, NINE - HOUR, NINE + 4 * HOUR)
            operations_shifts.add_break(shift, starts_at=BREAK[0], ends_at=BREAK[1], **by)
        operations_people.add_presence(self.site, physician, starts_at=NINE - HOUR, ends_at=NINE + 4 * HOUR, **by)
        hours = [(8 * 60, 12 * 60 + 30)]
        operations_hours.set_hours(self.site, [3], hours, valid_from=date(2025, 11, 1), **by)
        operations_hours.set_hours(self.site, [4], [(0, 24 * 60)], valid_from=date(2025, 11, 1), **by)

    def wish(self, lot, start=None, minutes=60):
        start = start or NINE + (lot.randrange(-5, 16) * QUARTER)
        return {
            "course": str(lot.choice(self.courses)),
            "number": lot.randrange(1, 10_000),
            "chair": str(lot.choice(self.chairs).id),
            "nurse": str(lot.choice(self.nurses).id),
            "pump": lot.choice([None, None, *map(str, self.pumps)]),
            "start": start.isoformat(),
            "end": (start + timedelta(minutes=minutes)).isoformat(),
        }

    def race(self, lists):
        """Let a process work through each list, all at once; gives how often each outcome came."""
        program = [sys.executable, str(Path(__file__).with_name("desk_process.py"))]
        desks = [
            subprocess.Popen(program, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in lists
        ]
        orders = {"url": self.url, "clinic": str(self.clinic.id), "by": str(self.scheduler.id)}
        for desk, acts in zip(desks, lists, strict=True):
            desk.stdin.write(json.dumps({**orders, "at": DESK_OPENS.isoformat(), "acts": acts}) + "\n")
            desk.stdin.flush()
        for desk in desks:
            assert desk.stdout.readline() == "ready\n"
        for desk in desks:
            desk.stdin.write("go\n")
            desk.stdin.flush()
        return Counter(line for desk in desks for line in desk.communicate(timeout=600)[0].split("\n") if line)

    def held(self):
        with db.in_clinic(self.clinic.id), db.unit_of_work(write=False):
            return list(db.session.scalars(sa.select(Appointment).where(Appointment.status.in_(HOLDING))))

    def broken(self):
        """The rules that the appointments break, found by looking at all of them."""
        held = self.held()
        with db.in_clinic(self.clinic.id), db.unit_of_work(write=False):
            hours = queries_rooms.opening_hours(self.site.id)
        return {name for name, is_broken in RULES.items() if is_broken(held)} | (
            {"hours"} if not all(is_within_hours(each, hours, ZONE) for each in held) else set()
        )


def pairs(held, column):
    return [(a, b) for a in held for b in held if a is not b and getattr(a, column) == getattr(b, column) is not None]


def overlap(held, column, gap=timedelta()):
    return any(a.starts_at < b.ends_at + gap and b.starts_at < a.ends_at + gap for a, b in pairs(held, column))


def begin_together(held):
    quarter = QUARTER.total_seconds()
    return any(
        a.starts_at.timestamp() // quarter == b.starts_at.timestamp() // quarter for a, b in pairs(held, "nurse_id")
    )


def too_many(held):
    by_nurse = [[each for each in held if each.nurse_id == key] for key in {each.nurse_id for each in held}]
    return any(most_at_once(mine, Stretch(NINE - DAY, NINE + 2 * DAY)) > 2 for mine in by_nurse)


RULES = {
    "chair": lambda held: overlap(held, "chair_id", CLEANING),
    "patient": lambda held: overlap(held, "patient_id"),
    "pump": lambda held: overlap(held, "pump_id"),
    "room": too_many,
    "starts": begin_together,
    "break": lambda held: any(BREAK[0] <= each.starts_at < BREAK[1] for each in held),
    "cover": lambda held: not all(is_covered(each, [Stretch(NINE - HOUR, NINE + 4 * HOUR)]) for each in held),
}


@pytest.fixture
def small_clinic(committed_db, request):
    return Clinic(committed_db, request)


def lists(small_clinic):
    lot = random.Random(7)
    return [[small_clinic.wish(lot) for _ in range(TRIES)] for _ in range(DESKS)]


def test_no_rule_is_broken_by_desks_in_several_processes(small_clinic):
    """Every third act gives a time up again, so that there is always something to race for."""
    acts = [wish if at % 3 else {"cancel": at} for wishes in lists(small_clinic) for at, wish in enumerate(wishes)]
    outcomes = small_clinic.race([acts[:TRIES], acts[TRIES:]])
    assert set(outcomes) == {"done", "refused", "cancelled"}
    assert len(small_clinic.held()) == outcomes["done"] - outcomes["cancelled"]
    assert small_clinic.broken() == set()


def test_without_the_guards_the_same_race_breaks_them(small_clinic):
    """The race can be lost: it is the database that keeps the rules."""
    guards = ("nurse_may_start", "nurse_has_room", "chair_is_clean", "nurse_has_no_break", "nurse_is_on_duty")
    on = " ON appointment" if db.engine().dialect.name == "postgresql" else ""
    with db.unit_of_work():
        for name in (*guards, "clinician_is_present", "site_is_open"):
            db.session.execute(sa.text(f"DROP TRIGGER {name}_insert{on}"))
    small_clinic.race(lists(small_clinic))
    assert small_clinic.broken() >= {"chair", "break", "cover", "hours"}


def test_a_day_is_not_closed_over_a_booking_that_nobody_saw(small_clinic):
    """One desk closes four Wednesdays while another books them: each day has a booking or is closed, never both."""
    weeks = [NINE + 7 * week * DAY for week in range(1, 5)]
    closing = [{"close": f"{start:%Y-%m-%d}", "site": str(small_clinic.site.id)} for start in weeks]
    lot = random.Random(7)
    booking = [small_clinic.wish(lot, start) for start in weeks]
    outcomes = small_clinic.race([closing, booking])
    assert set(outcomes) <= {"done", "refused"}
    with db.in_clinic(small_clinic.clinic.id), db.unit_of_work(write=False):
        closed = {row.from_on for row in queries_rooms.closed_days()}
    booked = {each.starts_at.astimezone(ZONE).date() for each in small_clinic.held()}
    assert not booked & closed
    assert booked | closed == {start.date() for start in weeks}

"""A desk in a process of its own: `python desk_process.py` reads its orders as JSON, waits for a word, and acts.

It prints one line per act: done, cancelled, refused, or the fault.
"""

import json
import sys
import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm.exc import StaleDataError

from clinic.accounts.models import Site, Staff
from clinic.audit import chain
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.courses.models import Course
from clinic.scheduling import operations, operations_hours
from clinic.scheduling.models import Appointment, Chair, Pump
from clinic.scheduling.operations import Slot
from clinic.scheduling.rules import AppointmentStatus
from config import Testing


def say(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def row(table, key):
    return None if key is None else db.session.get_one(table, uuid.UUID(key))


def book(wish, by, at):
    start, end = (datetime.fromisoformat(wish[name]) for name in ("start", "end"))
    slot = Slot(
        wish["number"], row(Chair, wish["chair"]), start, end, row(Staff, wish["nurse"]), row(Pump, wish["pump"])
    )
    operations.book(row(Course, wish["course"]), [slot], by=by, at=at)


def close(day, by, at):
    on = date.fromisoformat(day["close"])
    site = row(Site, day["site"])
    operations_hours.close_days(site, from_on=on, until_on=on, reason="x", by=by, at=at)


def cancel(act, by, at):
    """Give up some booked time, whoever booked it; another desk may be doing the same."""
    booked = list(db.session.scalars(sa.select(Appointment).where(Appointment.status == AppointmentStatus.BOOKED)))
    if not booked:
        raise RuleBroken("Nothing is booked.")
    operations.cancel(booked[act["cancel"] % len(booked)], reason="race", by=by, at=at)


ACTS = {"close": close, "cancel": cancel}


def main():
    orders = json.loads(sys.stdin.readline())
    db.init(orders["url"])
    chain.use_secrets([Testing.SECRET_KEY])
    at = datetime.fromisoformat(orders["at"])
    say("ready")
    sys.stdin.readline()
    for act in orders["acts"]:
        try:
            with db.in_clinic(uuid.UUID(orders["clinic"])), db.unit_of_work():
                kind = next((each for each in ACTS if each in act), None)
                ACTS.get(kind, book)(act, row(Staff, orders["by"]), at)
            say("cancelled" if kind == "cancel" else "done")
        except (RuleBroken, StaleDataError):
            say("refused")
        except Exception as fault:  # noqa: BLE001 the test tells what went wrong
            say(repr(fault).replace("\n", " "))


if __name__ == "__main__":
    main()

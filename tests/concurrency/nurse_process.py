"""One nurse in a process of her own, who takes a whole vial out when she is told to."""

import json
import sys
import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy.exc import IntegrityError, OperationalError

from clinic import areas
from clinic.accounts.models import Staff
from clinic.audit import chain
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.druglog import operations, operations_lines, queries
from clinic.druglog.models import Container, DrugAccount
from config import Testing


def take_out(told):
    with db.in_clinic(uuid.UUID(told["clinic"])), db.unit_of_work():
        operations.withdraw(
            db.session.get_one(DrugAccount, uuid.UUID(told["account"])),
            db.session.get_one(Container, uuid.UUID(told["vial"])),
            Decimal(200),
            happened_at=datetime.fromisoformat(told["at"]),
            by=db.session.get_one(Staff, uuid.UUID(told["by"])),
            at=datetime.fromisoformat(told["at"]),
        )


def say(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def without_the_lock():
    """Nobody is held up: who has read says so, and writes when told to."""
    read = queries.container_end

    def told_when(container):
        end = read(container)
        say("read")
        sys.stdin.readline()
        return end

    operations_lines.hold = lambda _register: None
    queries.container_end = told_when


def main():
    told = json.loads(sys.stdin.readline())
    areas.load_models()
    chain.use_secrets([Testing.SECRET_KEY])
    db.init(told["url"])
    if not told["is_locked"]:
        without_the_lock()
    with db.in_clinic(uuid.UUID(told["clinic"])), db.unit_of_work(write=False):
        db.session.get_one(Container, uuid.UUID(told["vial"]))  # what is slow the first time is over before the race
    say("ready")
    sys.stdin.readline()
    try:
        take_out(told)
    except (RuleBroken, IntegrityError, OperationalError) as refusal:
        say(type(refusal).__name__)
    else:
        say("done")


main()

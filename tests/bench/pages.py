"""What the bedside costs: milliseconds on the server and size of the answer. Run by `make bench`, judged by people.

Each page is asked for in process, with a database of its own, after a first time that fills the caches. No test fails
for being slow: a busy machine would decide it.
"""

import os
import sys
import time
from statistics import median

import pytest

from clinic.core import db
from clinic.protocols.rules import SedationScale
from clinic.sessions import operations
from tests.factories.sessions import minute

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))


@pytest.fixture
def report(capsys):
    """Asks some times and writes down the median."""

    def ask(what, status, call):
        assert call().status_code == status
        taken = []
        for _ in range(ROUNDS):
            began, worked = time.perf_counter(), time.process_time()
            answer = call()
            taken.append(((time.perf_counter() - began) * 1000, (time.process_time() - worked) * 1000))
        waited, work = (median(kind) for kind in zip(*taken, strict=True))
        with capsys.disabled():
            sys.stdout.write(f"\n{what:<40}{waited:6.0f} ms, {work:5.0f} ms at work, {len(answer.data) / 1000:6.1f} kB")

    return ask


@pytest.fixture
def desk(client, nurse, at_minute, monkeypatch):
    """Signs the nurse in at a minute after the start, with a browser that does not look through what it is given."""
    monkeypatch.setattr("tests.client.audit", lambda markup: [])

    def at(minutes):
        at_minute(minutes)
        client.sign_in(nurse)
        return client

    return at


@pytest.fixture
def make_long(make_running, nurse):
    """Makes an infusion with vitals every so many minutes, and a pause and an event each hour."""

    def make(*, hours, every, **terms):
        end = hours * 60
        infusion = make_running(maximum_total_mg=None, sedation_scale=SedationScale.POSS, duration_min=end, **terms)
        for at in range(every, end, every):
            seen = {"sbp": 118 + at % 40, "dbp": 70 + at % 17, "hr": 64 + at % 31, "rr": 12 + at % 5}
            seen |= {"spo2": 94 + at % 5, "pain": at % 8, "sedation": 1}
            with db.unit_of_work():
                operations.record_observation(infusion, seen, observed_at=minute(at), by=nurse, at=minute(at))
        for at in range(35, end, 60):
            with db.unit_of_work():
                operations.pause(infusion, happened_at=minute(at), reason="toilet", by=nurse, at=minute(at))
                operations.resume(infusion, happened_at=minute(at + 3), by=nurse, at=minute(at + 3))
                operations.record_adverse_event(
                    infusion, "nausea", onset_at=minute(at), grade=1, by=nurse, at=minute(at)
                )
        return infusion

    return make


def measure_a_usual_session(desk, make_long, report):
    infusion, page = _of(make_long(hours=2, every=10))
    nurses = desk(118)
    report("flowsheet, 2 h, vitals every 10 min", 200, lambda: nurses.get(page))
    _parts(nurses, page, report)
    report("vitals sent", 303, lambda: _send(nurses, infusion))


def measure_a_day_long_session(desk, make_long, report):
    infusion, page = _of(make_long(hours=24, every=5))
    nurses = desk(24 * 60 - 1)
    report("flowsheet, 24 h, vitals every 5 min", 200, lambda: nurses.get(page))
    report("the same, every entry in its table", 200, lambda: nurses.get(f"{page}?all=1"))
    _parts(nurses, page, report)
    report("vitals sent", 303, lambda: _send(nurses, infusion))


def measure_a_full_board(desk, make_long, report):
    for _ in range(60):
        make_long(hours=1, every=10)
    nurses = desk(59)
    report("today, 60 sessions running", 200, lambda: nurses.get("/today"))
    _unchanged(nurses, "/today/fragment", report)


def _of(infusion):
    return infusion, f"/sessions/{infusion.id}"


def _parts(nurses, page, report):
    report("  its vitals page", 200, lambda: nurses.get(f"{page}/vitals"))
    report("  its print", 200, lambda: nurses.get(f"{page}/print"))
    report("  its fragment", 200, lambda: nurses.get(f"{page}/fragment?part=record"))
    _unchanged(nurses, f"{page}/fragment?part=record", report)


def _unchanged(nurses, address, report):
    tag = {"If-None-Match": nurses.get(address).headers["ETag"]}
    report("  asked again, unchanged", 304, lambda: nurses.get(address, headers=tag))


def _send(nurses, infusion):
    values = {"patient_id": infusion.patient_id, "line": "128/76 78 14 97"}
    return nurses.post(f"/sessions/{infusion.id}/vitals", data=values)

"""One writer at a time on SQLite, in a queue that no stopped process can hold up for ever."""

import fcntl
import threading
import time

import pytest
import sqlalchemy as sa

from clinic.core import db

PATIENCE = 0.3


@pytest.fixture
def gate(tmp_path, monkeypatch):
    monkeypatch.setattr(db, "PATIENCE_SECONDS", PATIENCE)
    return db.WriteGate(tmp_path / "clinic.sqlite")


@pytest.fixture
def other_process(gate, tmp_path):
    """The file as another process holds it."""
    with (tmp_path / "clinic.sqlite.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield held


def is_free(gate):
    try:
        gate.enter()
    except sa.exc.OperationalError:
        return False
    gate.leave()
    return True


def test_nobody_waits_without_end_for_a_process_that_was_stopped(gate, other_process):
    began = time.monotonic()
    assert not is_free(gate)
    assert time.monotonic() - began >= PATIENCE


def test_who_gave_up_leaves_the_gate_to_the_next(gate, other_process, tmp_path):
    assert not is_free(gate)
    assert not is_free(gate)
    fcntl.flock(other_process, fcntl.LOCK_UN)
    assert is_free(gate)
    assert is_free(db.WriteGate(tmp_path / "clinic.sqlite"))  # and nothing of ours holds it


def test_a_turn_that_comes_in_time_is_taken(gate, other_process, monkeypatch):
    monkeypatch.setattr(db, "PATIENCE_SECONDS", 30)
    threading.Timer(PATIENCE, fcntl.flock, (other_process, fcntl.LOCK_UN)).start()
    assert is_free(gate)


def test_a_thread_behind_a_slow_one_gives_up_too(gate):
    gate.enter()
    waits = threading.Thread(target=lambda: found.append(is_free(gate)))
    found = []
    waits.start()
    waits.join()
    gate.leave()
    assert (found, is_free(gate)) == ([False], True)

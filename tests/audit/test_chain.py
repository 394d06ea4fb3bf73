"""The trail is sealed line by line: whatever is done to it by hand is named."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from clinic.audit import chain, verify
from clinic.audit import operations as audit
from clinic.audit.chain_rules import INSTALLATION, Fault
from clinic.audit.models import AuditChain, AuditEntry, AuditLink
from clinic.audit.rules import AuditAction
from clinic.core import db
from config import Testing

AT = datetime(2025, 11, 18, 9, 0, tzinfo=UTC)
LINES = 7


def write(*, times=1, at=AT):
    with db.unit_of_work():
        for number in range(times):
            audit.record(
                AuditAction.SIGN_IN_REFUSED, actor_id=None, at=at + timedelta(seconds=number), name=f"n{number}"
            )


@pytest.fixture
def trail(committed_db):
    """A trail of some lines, each written in a transaction of its own."""
    for number in range(LINES):
        write(at=AT + timedelta(minutes=number))
    return committed_db


def faults(*kept):
    with db.unit_of_work(write=False):
        return verify.faults(db.session, kept)


def kept():
    with db.unit_of_work(write=False):
        return verify.checkpoints(db.session, at=AT)


def by_hand(*statements):
    """Do what only the owner of the database can do: without the guards."""
    triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'"
    with db.engine().connect() as connection:
        if connection.dialect.name == "sqlite":
            made = connection.exec_driver_sql(triggers).all()
            statements = [f"DROP TRIGGER {name}" for name, _ in made] + list(statements) + [sql for _, sql in made]
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("BEGIN")
        else:
            connection.exec_driver_sql("SET session_replication_role TO replica")
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.commit()
        connection.invalidate()


def entry_of(number):
    return f"(SELECT entry_id FROM audit_link WHERE number = {number})"


def test_every_line_is_sealed_when_its_transaction_is_committed(trail):
    assert faults() == []
    with db.unit_of_work(write=False):
        numbers = db.session.scalars(sa.select(AuditLink.number).order_by(AuditLink.number)).all()
    assert numbers == list(range(1, LINES + 1))


DAMAGE = {
    "a digit of a line": ([f"UPDATE audit_entry SET body = '{{}}' WHERE id = {entry_of(4)}"], 4, Fault.ALTERED),
    "the time of a line": (
        [f"UPDATE audit_entry SET at = '2025-11-18 09:03:01' WHERE id = {entry_of(4)}"],
        4,
        Fault.ALTERED,
    ),
    "who did it": ([f"UPDATE audit_entry SET address = '10.0.0.9' WHERE id = {entry_of(1)}"], 1, Fault.ALTERED),
    "a link": (["UPDATE audit_link SET mac = 'x' WHERE number = 2"], 2, Fault.ALTERED),
    "a line in the middle, with its link": (
        [f"DELETE FROM audit_entry WHERE id = {entry_of(3)}", "DELETE FROM audit_link WHERE number = 3"],
        3,
        Fault.GAP,
    ),
    "the first line": ([f"DELETE FROM audit_entry WHERE id = {entry_of(1)}"], 1, Fault.GAP),
    "the last line": ([f"DELETE FROM audit_entry WHERE id = {entry_of(LINES)}"], LINES, Fault.TAIL),
    "the last three links": ([f"DELETE FROM audit_link WHERE number > {LINES - 3}"], LINES - 2, Fault.TAIL),
    "a middle line, with those after it renumbered": (
        [
            f"DELETE FROM audit_entry WHERE id = {entry_of(3)}",
            "DELETE FROM audit_link WHERE number = 3",
            *(f"UPDATE audit_link SET number = {n - 1} WHERE number = {n}" for n in range(4, LINES + 1)),
        ],
        3,
        Fault.ALTERED,
    ),
    "two lines that change places": (
        [
            "UPDATE audit_link SET number = 99 WHERE number = 2",
            "UPDATE audit_link SET number = 2 WHERE number = 3",
            "UPDATE audit_link SET number = 3 WHERE number = 99",
        ],
        2,
        Fault.ALTERED,
    ),
    "the start": ([f"UPDATE audit_chain SET salt = '{'00' * 32}'"], 1, Fault.ALTERED),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_the_first_bad_line_is_named(trail, damage):
    statements, number, fault = damage
    by_hand(*statements)
    (broken, *_) = faults()
    assert (broken.chain_id, broken.number, broken.fault) == (INSTALLATION, number, fault)


def test_a_line_that_was_put_in_by_hand_is_not_sealed(trail):
    columns = "clinic_id, at, actor_id, action, subject_kind, subject_id, patient_id, body, request_id, address"
    by_hand(
        f"INSERT INTO audit_entry (id, {columns}) SELECT chain_id, {columns} FROM audit_entry "
        "JOIN audit_link ON entry_id = audit_entry.id WHERE number = 2"
    )
    assert [broken.fault for broken in faults()] == [Fault.UNSEALED]


def test_a_link_of_a_chain_that_there_is_not_seals_nothing(trail):
    columns = "clinic_id, at, actor_id, action, subject_kind, subject_id, patient_id, body, request_id, address"
    by_hand(
        f"INSERT INTO audit_entry (id, {columns}) SELECT chain_id, {columns} FROM audit_entry "
        "JOIN audit_link ON entry_id = audit_entry.id WHERE number = 2",
        "INSERT INTO audit_link (id, chain_id, number, entry_id, key_id, mac) "
        "SELECT entry_id, entry_id, 1, chain_id, key_id, mac FROM audit_link WHERE number = 3",
    )
    assert [broken.fault for broken in faults()] == [Fault.UNSEALED]


def test_a_chain_that_begins_anew_leaves_the_older_lines_unsealed(trail):
    by_hand("DELETE FROM audit_link", "DELETE FROM audit_chain")
    write()
    assert [broken.fault for broken in faults()] == [Fault.UNSEALED]


def test_the_end_that_was_cut_off_with_its_head_is_seen_by_a_checkpoint(trail):
    checkpoint = kept()
    by_hand(
        f"DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM audit_link WHERE number > {LINES - 2})",
        f"DELETE FROM audit_link WHERE number > {LINES - 2}",
        f"UPDATE audit_chain SET number = {LINES - 2}, mac = (SELECT mac FROM audit_link WHERE number = {LINES - 2})",
    )
    assert faults() == []  # without the checkpoint nobody could know
    assert [(broken.number, broken.fault) for broken in faults(*checkpoint)] == [(LINES - 1, Fault.TAIL)]


def test_a_checkpoint_still_holds_when_the_trail_has_grown(trail):
    checkpoint = kept()
    write(times=3)
    assert faults(*checkpoint) == []


def test_a_chain_that_a_checkpoint_knows_and_the_database_does_not_is_named(trail):
    checkpoint = kept()
    by_hand("DELETE FROM audit_link", "DELETE FROM audit_chain", "DELETE FROM audit_entry")
    assert [broken.fault for broken in faults(*checkpoint)] == [Fault.CHECKPOINT]


def test_what_was_taken_back_leaves_no_link(committed_db):
    with db.unit_of_work():
        audit.record(AuditAction.SIGN_IN_REFUSED, actor_id=None, at=AT, name="kept")
        with db.session.begin_nested() as savepoint:
            audit.record(AuditAction.SIGN_IN_REFUSED, actor_id=None, at=AT, name="taken back")
            db.session.flush()
            savepoint.rollback()
    assert faults() == []
    with db.unit_of_work(write=False):
        assert db.session.scalar(sa.select(sa.func.count(AuditLink.id))) == 1


def test_a_line_that_cannot_be_sealed_is_not_written(trail, monkeypatch):
    monkeypatch.setattr(chain, "_keys", [])
    with pytest.raises(RuntimeError, match="No secret"):
        write()
    with db.unit_of_work(write=False):
        assert db.session.scalar(sa.select(sa.func.count(AuditEntry.id))) == LINES


def test_links_of_an_earlier_secret_still_hold_and_an_unknown_one_is_named(trail):
    chain.use_secrets(["another secret", Testing.SECRET_KEY])
    try:
        write()
        assert faults() == []
        chain.use_secrets([Testing.SECRET_KEY])
        assert [(broken.number, broken.fault) for broken in faults()] == [(LINES + 1, Fault.UNKNOWN_KEY)]
    finally:
        chain.use_secrets([Testing.SECRET_KEY])


def test_lines_from_before_there_were_chains_are_adopted_once(trail):
    by_hand("DELETE FROM audit_link", "DELETE FROM audit_chain")
    with db.unit_of_work():
        assert chain.adopt(db.session) == LINES
    assert faults() == []
    with db.unit_of_work():
        assert chain.adopt(db.session) == 0


def test_writers_side_by_side_make_one_chain_without_a_gap(committed_db):
    threads = [threading.Thread(target=lambda: [write() for _ in range(5)]) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults() == []
    with db.unit_of_work(write=False):
        assert db.session.get_one(AuditChain, INSTALLATION).number == 30


GUARDED = [
    "UPDATE audit_link SET mac = 'x'",
    "DELETE FROM audit_link",
    "DELETE FROM audit_chain",
    "UPDATE audit_chain SET number = 0",
    "UPDATE audit_chain SET salt = ''",
]


@pytest.mark.parametrize("attack", GUARDED)
def test_the_database_keeps_the_seals(trail, attack):
    with pytest.raises(sa.exc.DBAPIError, match="audit_"), db.unit_of_work():
        db.session.execute(sa.text(attack))


def test_a_signed_checkpoint_is_read_again_and_a_changed_one_is_refused(trail, tmp_path):
    file = tmp_path / "checkpoint"
    file.write_text(verify.written(kept(), Testing.SECRET_KEY), encoding="utf-8")
    assert verify.read(file, [Testing.SECRET_KEY]) == kept()
    file.write_text(file.read_text(encoding="utf-8").replace(f",{LINES},", ",1,"), encoding="utf-8")
    with pytest.raises(verify.BadCheckpoint):
        verify.read(file, [Testing.SECRET_KEY])

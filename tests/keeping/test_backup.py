"""A backup of the demonstration clinic, made while it works, comes back row for row, and nothing less is accepted."""

import json
import threading
from datetime import time
from decimal import Decimal

import pyrage
import pytest
import sqlalchemy as sa

from clinic.audit import operations as audit
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.core.types import Amounts, Names, Quantity, UTCDateTime, WholeNumbers
from clinic.keeping import backup, rows
from clinic.keeping.rows import BadBackup

KEY = pyrage.x25519.Identity.generate()


def all_lines():
    """Every row of the database, as a backup writes it, but for the trail, which goes on."""
    with db.unit_of_work(write=False):
        found = list(rows.lines(db.session, revision="0000", made_at=clock.now()))
    starts = [place for place, line in enumerate(found) if line.startswith(b'{"table"')]
    tables = {found[at]: found[at:until] for at, until in zip(starts, [*starts[1:], len(found)], strict=True)}
    return {name: lines for name, lines in tables.items() if b'"table":"audit_' not in name}


@pytest.fixture(scope="module")
def made(demo_copy, tmp_path_factory):
    """A backup of the demonstration clinic, and the rows that it was made of."""
    db.init(demo_copy)
    file = tmp_path_factory.mktemp("backup") / "clinic.age"
    backup.make(file, [KEY.to_public()], at=clock.now())
    return file, all_lines()


@pytest.fixture
def empty(databases):
    url = databases.fresh()
    yield db.init(url)
    databases.discard(url)


def test_everything_comes_back_and_is_proved(made, empty):
    file, before = made
    counts = backup.restore(file, [KEY], empty)
    assert all_lines() == before
    assert counts["observation_set"] > 100
    assert backup.prove(at=clock.now()) == []


def test_every_column_can_be_kept():
    kinds = (bool, int, str, *(kind.type for kind in rows._KINDS.values()))
    columns = [column for table in rows.tables() for column in table.columns if not isinstance(column.type, sa.JSON)]
    special = (Quantity, WholeNumbers, Amounts, Names, UTCDateTime)  # decorators, whose values are among the kinds too
    plain = [column for column in columns if not isinstance(column.type, special)]
    assert not [column for column in plain if not issubclass(column.type.python_type, kinds)]
    for value in (time(8, 30), (Decimal("0.20"), Decimal("0.4")), (1, 3)):
        assert rows._read(json.loads(rows._line(rows._written(value)))) == value


def test_the_guards_stand_again_after_a_restore(made, empty):
    backup.restore(made[0], [KEY], empty)
    with pytest.raises(sa.exc.DBAPIError, match="append_only"), db.unit_of_work():
        db.session.execute(sa.update(AuditEntry).values(body="{}"))
    with pytest.raises(sa.exc.IntegrityError), empty.begin() as connection:
        connection.execute(sa.text("INSERT INTO site (id, clinic_id, name) SELECT id, id, 'x' FROM chair"))


DAMAGE = {
    "another key": lambda content: content,
    "one byte changed": lambda content: content[:-5000] + bytes([content[-5000] ^ 1]) + content[-4999:],
    "cut off": lambda content: content[: len(content) // 2],
    "no backup": lambda content: b"infusion sessions",
    "empty": lambda content: b"",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_backup_brings_nothing_back(made, empty, tmp_path, damage):
    file = tmp_path / "damaged"
    file.write_bytes(DAMAGE[damage](made[0].read_bytes()))
    key = pyrage.x25519.Identity.generate() if damage == "another key" else KEY
    with pytest.raises(BadBackup):
        backup.restore(file, [key], empty)
    with db.unit_of_work(write=False):
        assert db.session.scalar(sa.select(sa.func.count(AuditEntry.id))) == 0


def test_a_database_with_rows_is_not_overwritten(made, empty):
    with db.unit_of_work():
        audit.record(AuditAction.DEMO_CREATED, actor_id=None, at=clock.now())
    with pytest.raises(BadBackup, match="not empty"):
        backup.restore(made[0], [KEY], empty)


def test_a_backup_holds_one_instant_while_others_write(committed_db, tmp_path, monkeypatch):
    written = rows._line

    def write_meanwhile(value):
        if value == {"rows": 0} and not writer.ident:  # the first table is done, the trail's is not
            writer.start()
            writer.join()
        return written(value)

    def write():
        with db.unit_of_work():
            audit.record(AuditAction.DEMO_CREATED, actor_id=None, at=clock.now())

    writer = threading.Thread(target=write)
    monkeypatch.setattr(rows, "_line", write_meanwhile)
    backup.make(tmp_path / "one", [KEY.to_public()], at=clock.now())
    content = pyrage.decrypt((tmp_path / "one").read_bytes(), [KEY])
    assert writer.ident
    assert AuditAction.DEMO_CREATED.encode() not in backup.zlib.decompress(content)


def test_a_backup_that_failed_leaves_no_file_of_that_name(committed_db, tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        backup.make(tmp_path / "nowhere" / "one", [KEY.to_public()], at=clock.now())
    assert list(tmp_path.iterdir()) == []

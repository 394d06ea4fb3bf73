"""Write an export: one zip with each table as JSON and as CSV, the uploads as files, and a signed list of it all.

The format is chairtime-export/1, told in docs/export.md. The zip is made piece by piece while it is sent: nothing of it
touches a disk, and nobody waits for it. One that was cut off has no list and is refused by the import.
"""

import base64
import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from clinic.audit.chain_rules import signing_key
from clinic.core import db
from clinic.core.csv_table import csv_text
from clinic.keeping import rows
from clinic.keeping.backup import one_state, revision_of
from clinic.keeping.contents import FILES, SECRET, Content, OnePatient, WholeClinic
from clinic.patients.rules import ENDINGS

FORMAT: Final = "chairtime-export/1"
LIST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
SIGNED_AS: Final = b"chairtime export 1\n"
"""Stands before what is signed, so that no signature of another kind can be taken for this one."""

_README: Final = """Chairtime export

tables/NAME.json   the rows of a table: a list of objects, one on each line
csv/NAME.csv       the same rows for a spreadsheet; a text that would be a formula is led by an apostrophe
files/...          what was uploaded, as it came; the rows name these files
manifest.json      what is in here: tables, columns and their kinds, the SHA-256 of every file, and what was left out
manifest.sig       the signature of manifest.json (Ed25519, base64)

Instants are UTC. Decimals and whole keys are texts, so that no program rounds them. An empty field is null.
"""


class _Pieces(io.RawIOBase):
    """A file that hands on what was written to it and cannot go back."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        self._waiting.append(bytes(part))
        return len(part)

    def taken(self) -> bytes:
        found = b"".join(self._waiting)
        self._waiting.clear()
        return found


class _Archive:
    """The zip, with the digest of each file in it."""

    def __init__(self, at: datetime) -> None:
        self._pieces = _Pieces()
        self._zip = zipfile.ZipFile(self._pieces, "w")
        self._at = at.astimezone(UTC).timetuple()[:6]
        self.digests: dict[str, str] = {}

    def add(self, name: str, content: Iterator[bytes]) -> Iterator[bytes]:
        """Put a file in; gives the bytes of the zip as they come."""
        entry = zipfile.ZipInfo(name, self._at)
        entry.compress_type = zipfile.ZIP_DEFLATED
        digest = hashlib.sha256()
        with self._zip.open(entry, "w", force_zip64=True) as target:
            for part in content:
                digest.update(part)
                target.write(part)
                yield self._pieces.taken()
        self.digests[name] = digest.hexdigest()
        yield self._pieces.taken()

    def finished(self) -> bytes:
        self._zip.close()
        return self._pieces.taken()


def of_clinic(clinic_id: uuid.UUID, *, secret: str, at: datetime) -> Iterator[bytes]:
    """The export of everything of a clinic, piece by piece, as it stood at one instant."""
    told = {"of": "clinic", "clinic": str(clinic_id)}
    return _pieces(told, lambda: WholeClinic(db.session, clinic_id), secret, at)


def of_patient(patient_id: uuid.UUID, clinic_id: uuid.UUID, *, secret: str, at: datetime) -> Iterator[bytes]:
    """The export of everything about a patient, piece by piece, as it stood at one instant."""
    told = {"of": "patient", "clinic": str(clinic_id), "patient": str(patient_id)}
    return _pieces(told, lambda: OnePatient(db.session, patient_id), secret, at)


def _pieces(told: dict[str, Any], chosen: Callable[[], Content], secret: str, at: datetime) -> Iterator[bytes]:
    archive = _Archive(at)
    try:
        yield from _filled(archive, {"format": FORMAT, **told, "made_at": rows.plain(at)}, chosen, secret)
    finally:
        end = archive.finished()
    yield end


def _filled(archive: _Archive, told: dict[str, Any], chosen: Callable[[], Content], secret: str) -> Iterator[bytes]:
    yield from archive.add("README.txt", iter([_README.encode()]))
    with one_state():
        content = chosen()
        told["revision"] = revision_of(db.session.connection())
        told["tables"] = []
        for table in content.tables():
            lines = _Lines(content, table)
            yield from archive.add(f"tables/{table.name}.json", lines.as_json())
            yield from archive.add(f"csv/{table.name}.csv", lines.as_csv())
            if table.name in FILES:
                for name, body in lines.files():
                    yield from archive.add(name, iter([body]))
            told["tables"].append({"name": table.name, "rows": lines.number, "columns": lines.kinds()})
    told["left_out"] = content.left_out
    told["columns_left_out"] = {name: sorted(columns) for name, columns in SECRET.items()}
    told["files"] = archive.digests.copy()
    listed = json.dumps(told, ensure_ascii=False, indent=1).encode() + b"\n"
    yield from archive.add(LIST, iter([listed]))
    signature = base64.b64encode(signing_key(secret).sign(SIGNED_AS + listed)) + b"\n"
    yield from archive.add(SIGNATURE, iter([signature]))


class _Lines:
    """The rows of one table, written in each of the ways."""

    def __init__(self, content: Content, table: sa.Table) -> None:
        self._content, self._table = content, table
        self._columns = content.columns(table)
        self._file = FILES.get(table.name)
        self.number = 0

    def kinds(self) -> list[dict[str, str]]:
        kinds = {name: rows.kind_of(self._table.c[name]) for name in self._columns}
        return [{"name": name, "kind": "file" if name == self._file else kind} for name, kind in kinds.items()]

    def as_json(self) -> Iterator[bytes]:
        yield b"["
        for self.number, row in enumerate(self._content.rows(self._table), 1):  # noqa: B020 counted
            values = {name: rows.plain(value) for name, value in self._values(row).items()}
            line = json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            yield (",\n" if self.number > 1 else "\n").encode() + line.encode()
        yield b"\n]\n"

    def as_csv(self) -> Iterator[bytes]:
        yield csv_text([self._columns]).encode()
        for row in self._content.rows(self._table):
            yield csv_text([[_cell(value) for value in self._values(row).values()]]).encode()

    def files(self) -> Iterator[tuple[str, bytes]]:
        for row in self._content.rows(self._table):
            yield self._path(row), self._content.file(self._table, row.id)

    def _values(self, row: sa.Row[Any]) -> dict[str, Any]:
        values = dict(zip(self._columns, row, strict=True))
        if self._file is not None:
            values[self._file] = self._path(row)
        return values

    def _path(self, row: sa.Row[Any]) -> str:
        return f"files/{self._table.name}/{row.id}.{ENDINGS[row.media_type]}"


def _cell(value: Any) -> object:
    """A value for a spreadsheet: numbers as numbers, lists as they stand in JSON."""
    written = rows.plain(value)
    if isinstance(value, Decimal):
        return Decimal(written)
    if isinstance(written, bool):
        return "yes" if written else "no"
    return json.dumps(written, ensure_ascii=False) if isinstance(written, list | dict) else written

"""Bring the export of a clinic into an empty installation: all of it, or nothing and BadBackup."""

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, cast

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.engine import Engine

from clinic.keeping import guards, rows
from clinic.keeping.backup import revision_of_empty
from clinic.keeping.contents import NEVER
from clinic.keeping.export import FORMAT, LIST, SIGNATURE, SIGNED_AS
from clinic.keeping.rows import BadBackup

_AT_ONCE: Final = 500
_PART: Final = 1 << 20


def bring_in(file: Path, engine: Engine, *, publics: Iterable[Ed25519PublicKey]) -> dict[str, int]:
    """Put a clinic's export into an empty database; gives the number of rows of each table.

    It must be signed with one of the keys, and hold exactly what its list says.
    """
    revision = revision_of_empty(engine)
    try:
        with zipfile.ZipFile(file) as archive:
            told = _checked(archive, list(publics))
            if told["of"] != "clinic":
                raise BadBackup("This is the export of one patient. Only that of a whole clinic can be brought in.")
            if told["revision"] != revision:
                raise BadBackup(
                    f"This export was made at revision {told['revision']}, and this installation stands at {revision}. "
                    "Bring it in with the version of Chairtime that made it, then upgrade."
                )
            with guards.loading(engine) as connection:
                return _load(connection, archive, told)
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, OSError) as problem:
        raise problem if isinstance(problem, BadBackup) else BadBackup(f"{file} is damaged.") from problem


def _checked(archive: zipfile.ZipFile, publics: list[Ed25519PublicKey]) -> dict[str, Any]:
    """The list of an export, when it was signed and every file is as it says."""
    listed = archive.read(LIST)
    signature = base64.b64decode(archive.read(SIGNATURE))
    if not any(_is_signed(public, signature, listed) for public in publics):
        raise BadBackup(
            "This export was not signed by this installation. Give the key of the one that made it "
            "(clinic audit key) with --signed-by."
        )
    told: dict[str, Any] = json.loads(listed)
    if told.get("format") != FORMAT:
        raise BadBackup("This is no export of Chairtime.")
    if sorted(archive.namelist()) != sorted([*told["files"], LIST, SIGNATURE]):
        raise BadBackup("This export does not hold the files that its list names.")
    for name, digest in told["files"].items():
        if _digest(archive, name) != digest:
            raise BadBackup(f"{name} was changed after this export was made.")
    return told


def _is_signed(public: Ed25519PublicKey, signature: bytes, listed: bytes) -> bool:
    try:
        public.verify(signature, SIGNED_AS + listed)
    except InvalidSignature:
        return False
    return True


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as source:
        while part := source.read(_PART):
            digest.update(part)
    return digest.hexdigest()


def _load(connection: sa.Connection, archive: zipfile.ZipFile, told: dict[str, Any]) -> dict[str, int]:
    wanted = [table for table in rows.tables() if table.name not in NEVER]
    if [each["name"] for each in told["tables"]] != [table.name for table in wanted]:
        raise BadBackup("This export does not hold the tables of this version.")
    counts = {}
    for table, each in zip(wanted, told["tables"], strict=True):
        kinds = {column["name"]: column["kind"] for column in each["columns"]}
        waiting: list[dict[str, Any]] = []
        counts[table.name] = 0
        for row in _rows(archive, table.name):
            waiting.append({name: _value(archive, kinds[name], value) for name, value in row.items()})
            if len(waiting) == _AT_ONCE or "file" in kinds.values():
                counts[table.name] += rows.put(connection, table, waiting)
                waiting = []
        counts[table.name] += rows.put(connection, table, waiting)
        if counts[table.name] != each["rows"]:
            raise BadBackup(f"The table {table.name} has other rows than its list says.")
    return counts


def _rows(archive: zipfile.ZipFile, name: str) -> Iterator[dict[str, Any]]:
    """The rows of a table: each stands on a line of its own."""
    with archive.open(f"tables/{name}.json") as source:
        for line in source:
            text = line.strip().rstrip(b",")
            if text not in {b"[", b"]", b""}:
                yield cast("dict[str, Any]", json.loads(text))


def _value(archive: zipfile.ZipFile, kind: str, value: Any) -> Any:
    return archive.read(value) if kind == "file" else rows.read_as(kind, value)

"""Promises about the list of migrations."""

import ast
import re

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from clinic.areas import load_models
from clinic.keeping import rows
from clinic.keeping.contents import FILES, MENTIONED, NEVER, NOT_OF_A_PATIENT, OWN, PARTS
from tests.structure.tree import ROOT, named, parsed, python_files

REVISIONS = python_files("migrations/versions")


@pytest.fixture(scope="module")
def history():
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return ScriptDirectory.from_config(config)


def test_there_is_one_head(history):
    assert len(history.get_heads()) == 1


def test_revisions_follow_each_other_by_number(history):
    numbers = [revision.revision[:4] for revision in reversed(list(history.walk_revisions()))]
    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]


@pytest.mark.parametrize("path", REVISIONS, ids=named)
def test_a_revision_is_named_and_says_why(path):
    assert re.fullmatch(r"\d{4}_[a-z0-9_]+\.py", path.name)
    assert ast.get_docstring(parsed(path))


@pytest.mark.parametrize("path", REVISIONS, ids=named)
def test_a_revision_goes_both_ways(path):
    functions = {node.name: node for node in parsed(path).body if isinstance(node, ast.FunctionDef)}
    assert {"upgrade", "downgrade"} <= functions.keys()
    assert not isinstance(functions["downgrade"].body[-1], ast.Raise)


def test_every_table_leaves_with_a_copy_or_says_why_not():
    """Whoever makes a table gives it its place in clinic/keeping/contents.py (docs/export.md)."""
    load_models()
    leaves = set(OWN) | MENTIONED | set(PARTS) | {"patient"}
    assert leaves | set(NOT_OF_A_PATIENT) | set(NEVER) == {table.name for table in rows.tables()}
    assert not leaves & (set(NOT_OF_A_PATIENT) | set(NEVER))
    assert all([*NEVER.values(), *NOT_OF_A_PATIENT.values()])


def test_every_upload_leaves_with_a_copy_as_a_file():
    load_models()
    columns = [(table.name, column) for table in rows.tables() for column in table.columns]
    assert {(name, column.name) for name, column in columns if rows.kind_of(column) == "bytes"} == set(FILES.items())

"""Promises about the code itself."""

import ast
import re

import pytest

from clinic.areas import load_models
from clinic.audit import row_digests
from clinic.core import db
from tests.structure.tree import dotted, named, parsed, python_files

CODE = pytest.mark.parametrize("path", python_files("clinic"), ids=named)

LONGEST_MODULE = 400
LONGEST_FUNCTION = 50
# What is longer for a good reason: "path" or "path:function" → the reason.
LONG: dict[str, str] = {}

# Where a number is a place on the screen: charts and drawings work in pixels, which are no quantities.
DRAWING = re.compile(r"clinic/(core/drawing|\w+/chart\w*)\.py")

WALL_CLOCK = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "date.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
    "func.now",
    "sa.func.now",
    "func.current_timestamp",
    "sa.func.current_timestamp",
}


def lengths(path):
    """Each module and function of a file with its number of lines; a docstring explains and does not count."""
    yield named(path), len(path.read_text(encoding="utf-8").splitlines())
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            yield f"{named(path)}:{node.name}", node.end_lineno - first.lineno + 1


@CODE
def test_modules_and_functions_stay_short(path):
    too_long = {
        name: lines
        for name, lines in lengths(path)
        if lines > (LONGEST_FUNCTION if ":" in name else LONGEST_MODULE) and name not in LONG
    }
    assert not too_long


def test_the_list_of_long_places_holds_nothing_that_became_short():
    measured = dict(pair for path in python_files("clinic") for pair in lengths(path))
    short = [n for n in LONG if measured.get(n, 0) <= (LONGEST_FUNCTION if ":" in n else LONGEST_MODULE)]
    assert not short


@CODE
def test_no_quantity_becomes_a_float(path):
    if DRAWING.fullmatch(named(path)):
        return
    made = [
        node.lineno for node in ast.walk(parsed(path)) if isinstance(node, ast.Call) and dotted(node.func) == "float"
    ]
    annotations = [
        part.lineno
        for node in ast.walk(parsed(path))
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if isinstance(annotation, ast.AST)
        for part in ast.walk(annotation)
        if isinstance(part, ast.Name) and part.id == "float"
    ]
    assert not made + annotations, "Use Decimal."


@CODE
def test_only_the_clock_reads_the_wall_clock(path):
    if named(path) == "clinic/core/clock.py":
        return
    readings = [
        f"line {node.lineno}: {dotted(node)}"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and dotted(node) in WALL_CLOCK
    ]
    assert not readings


def test_the_search_for_wall_clocks_finds_the_one_that_is_allowed():
    (clock,) = [path for path in python_files("clinic/core") if path.name == "clock.py"]
    assert {dotted(node) for node in ast.walk(parsed(clock))} & WALL_CLOCK


@CODE
def test_nothing_commits_outside_the_edge(path):
    if named(path) == "clinic/core/db.py":
        return
    commits = [
        f"line {node.lineno}"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and dotted(node.func) in {"db.session.commit", "session.commit"}
    ]
    assert not commits


# Past the session nobody sees which rows were written. A password's hash alone is renewed so, and it is in no digest.
PAST_THE_SESSION = {("clinic/accounts/operations.py", "Staff")}


def test_no_row_that_the_trail_tells_of_is_written_past_the_session():
    """Such a table gets its place in clinic/audit/row_digests.py (UNTOLD), or is written through the session."""
    load_models()
    untold = {
        mapper.class_.__name__ for mapper in db.Base.registry.mappers if str(mapper.local_table) in row_digests.UNTOLD
    }
    written = {
        (named(path), node.args[0].id)
        for path in python_files("clinic")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and dotted(node.func) in {"sa.update", "sa.delete", "sa.insert"}
        if isinstance(node.args[0], ast.Name) and node.args[0].id[0].isupper()
    }
    assert {(path, name) for path, name in written if name not in untold} == PAST_THE_SESSION

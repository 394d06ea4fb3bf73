"""Promises about settings: whoever runs the clinic finds each one explained."""

import ast
import re

import pytest

from tests.structure.tree import ROOT, dotted, named, parsed, python_files

DOCUMENTS = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]


def variables():
    """Environment variables that the application reads: name → where."""
    found = {}
    for path in [*python_files("clinic"), ROOT / "config.py", ROOT / "wsgi.py"]:
        for node in ast.walk(parsed(path)):
            name = None
            if isinstance(node, ast.Call) and dotted(node.func) in {
                "os.environ.get",
                "environ.get",
                "os.getenv",
                "getenv",
            }:
                name = node.args[0]
            elif isinstance(node, ast.Subscript) and dotted(node.value) in {"os.environ", "environ"}:
                name = node.slice
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                found[name.value] = named(path)
    return found


@pytest.fixture(scope="module")
def manual():
    return "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS if path.exists())


def test_every_environment_variable_is_documented(manual):
    assert not {name: where for name, where in variables().items() if f"`{name}`" not in manual}


def test_every_setting_of_ours_is_documented(manual):
    """The upper-case names in config.py; those of the libraries are theirs to document but ours to mention."""
    names = set(
        re.findall(
            r"^\s{4}([A-Z][A-Z0-9_]+)\s*(?::[^=]+)?=",
            (ROOT / "config.py").read_text(encoding="utf-8"),
            flags=re.MULTILINE,
        )
    )
    assert not [name for name in sorted(names) if f"`{name}`" not in manual]

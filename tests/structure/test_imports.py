"""Promises about imports that the contracts in pyproject.toml cannot express."""

import re

import pytest

from tests.structure.tree import ROOT, imported, named, python_files

PAGE_CODE = re.compile(r"clinic\.(\w+)\.(views|forms)(\.|$)")
# The base of all forms belongs to everybody; the shell collects the views of every area.
SHELL = {"clinic/__init__.py", "clinic/app.py"}


@pytest.mark.parametrize("path", python_files("clinic"), ids=named)
def test_nobody_imports_another_areas_views_or_forms(path):
    home = path.relative_to(ROOT).parts[1]
    foreign = [
        f"line {line}: {name}"
        for line, name in imported(path)
        if (found := PAGE_CODE.match(name)) and found[1] not in {home, "core"} and named(path) not in SHELL
    ]
    assert not foreign


def test_imports_are_absolute():
    relative = [named(path) for path in python_files("clinic") if "\nfrom ." in path.read_text(encoding="utf-8")]
    assert not relative


def test_migrations_never_import_the_application():
    for path in python_files("migrations/versions"):
        assert not [name for _, name in imported(path) if name.split(".")[0] == "clinic"], named(path)


WEB = {"flask", "flask_login", "flask_wtf", "flask_babel", "wtforms"}


@pytest.mark.parametrize(
    "path",
    [path for path in python_files("clinic") if re.search(r"(^|_)(rules|models|queries|operations)(_|$)", path.stem)],
    ids=named,
)
def test_a_part_of_an_areas_core_keeps_the_promise_of_the_whole(path):
    """The contracts name `operations.py`; an area that divides it into several files promises the same of each."""
    told_the_time = "models" not in path.stem
    forbidden = [
        f"line {line}: {name}"
        for line, name in imported(path)
        if name.split(".")[0] in WEB or (told_the_time and name.startswith("clinic.core.clock"))
    ]
    assert not forbidden

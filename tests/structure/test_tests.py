"""Promises about the tests: each one runs, everywhere."""

import ast

import pytest

from tests.structure.tree import dotted, named, parsed, python_files

EXCUSES = {"skip", "skipif", "xfail", "importorskip", "SkipTest", "skipUnless", "skipIf"}


@pytest.mark.parametrize("path", python_files("tests"), ids=named)
def test_no_test_is_skipped_or_expected_to_fail(path):
    excuses = [
        f"line {node.lineno}: {dotted(node)}"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute)
        and node.attr in EXCUSES
        and dotted(node).startswith(("pytest.", "unittest."))
    ]
    assert not excuses


@pytest.mark.parametrize("path", python_files("tests"), ids=named)
def test_every_test_claims_something(path):
    """A test without an assertion, an expected refusal or a helper that asserts cannot fail for its reason."""
    silent = [
        f"line {node.lineno}: {node.name}"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not claims(node)
    ]
    assert not silent


def claims(test):
    for node in ast.walk(test):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = dotted(node.func) or getattr(node.func, "attr", "")
            # expect(...).to_have_text(...) of the browser tests, pytest.raises, and helpers named for what they claim
            if name.rsplit(".", maxsplit=1)[-1].startswith(
                ("raises", "expect", "assert", "to_", "not_to_", "refuses", "check")
            ):
                return True
    return False

"""Promises about every address that the application answers."""

import re

import pytest

from clinic.core.permissions import Open, Permission

PART = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+)?")
TYPED = re.compile(r"<[a-z]+(?:\([^)]*\))?:[a-z][a-z0-9_]*>")


@pytest.fixture(scope="module")
def rules(app):
    found = [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]
    assert found
    return found


def test_every_view_declares_who_may_use_it(app, rules):
    silent = [
        rule.endpoint
        for rule in rules
        if not isinstance(getattr(app.view_functions[rule.endpoint], "access", None), Permission | Open)
    ]
    assert not silent


def test_every_placeholder_has_a_type(rules):
    loose = [rule.rule for rule in rules for part in re.findall(r"<[^>]*>", rule.rule) if not TYPED.fullmatch(part)]
    assert not loose


def test_addresses_are_lower_case_nouns_with_hyphens(rules):
    odd = [
        rule.rule
        for rule in rules
        for part in re.sub(r"<[^>]*>", "", rule.rule).split("/")
        if part and not PART.fullmatch(part.strip("."))
    ]
    assert not odd


def test_nothing_changes_by_looking(rules):
    """A view answers to reading or to writing; a link that somebody follows never changes a record."""
    both = [rule.rule for rule in rules if "GET" in rule.methods and rule.rule.rsplit("/", maxsplit=1)[-1] in VERBS]
    assert not both


# The last part of an address that says what a POST does.
VERBS = {"sign", "co-sign", "void", "witness", "cancel", "delete", "sign-out", "lock"}


def test_endpoints_name_their_area(rules):
    nameless = [rule.endpoint for rule in rules if "." not in rule.endpoint and rule.endpoint != "home"]
    assert not nameless

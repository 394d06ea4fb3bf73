"""The areas that have pages, in the order of their dependency."""

from importlib import import_module
from importlib.util import find_spec

from flask import Blueprint

_WITH_PAGES = ("accounts", "patients", "protocols", "orders", "courses", "scheduling", "sessions", "notes", "outcomes")


def blueprints() -> list[Blueprint]:
    """Every area's blueprint, `bp` in its views."""
    return [import_module(f"clinic.{area}.views").bp for area in _WITH_PAGES if find_spec(f"clinic.{area}.views")]

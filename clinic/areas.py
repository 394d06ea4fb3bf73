"""The areas and what they bring: models and pages, in the order of their dependency."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from flask import Blueprint

_HERE: Final = Path(__file__).parent
_WITH_MODELS = (
    "audit",
    "notifications",
    "accounts",
    "signatures",
    "patients",
    "protocols",
    "orders",
    "courses",
    "scheduling",
    "ical",
    "reminders",
    "druglog",
    "sessions",
    "notes",
    "outcomes",
    "keeping",
)
_WITH_PAGES = (
    "accounts",
    "patients",
    "protocols",
    "orders",
    "courses",
    "scheduling",
    "druglog",
    "ical",
    "reminders",
    "sessions",
    "notes",
    "outcomes",
    "reports",
    "keeping",
)


def blueprints() -> list[Blueprint]:
    """Every area's blueprint, `bp` in its views."""
    return [import_module(f"clinic.{area}.views").bp for area in _WITH_PAGES if find_spec(f"clinic.{area}.views")]


def load_models() -> None:
    """Make every area's tables known."""
    for area in _WITH_MODELS:
        for module in sorted((_HERE / area).glob("models*.py")):
            import_module(f"clinic.{area}.{module.stem}")

"""What the tests of playing share: cases of a file, and a play of one inside the test's own database."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from clinic.cases import play, schema
from clinic.cases.parts import Expected

FILES = [schema.WORKED, *sorted((Path(__file__).parent / "files").glob("*.yaml"))]
FOUNDED = datetime(2025, 1, 6, 9, tzinfo=UTC)


def every_case():
    return [case for path in FILES for case in schema.read_file(path).cases]


def case_of(case_id):
    return next(case for case in every_case() if case.id == case_id)


def expecting(case, **figures):
    """The case with other expected figures: texts as a file would have them."""
    made = [
        Expected(name=name, value=Decimal(value) if _is_number(value) else value, text=str(value))
        for name, value in figures.items()
    ]
    return replace(case, expect=tuple(made), sessions=tuple(replace(one, expect=()) for one in case.sessions))


def expecting_more(case, **figures):
    """The case with further figures beside its own."""
    return replace(case, expect=(*case.expect, *expecting(case, **figures).expect))


def _is_number(value):
    return not isinstance(value, bool) and value is not None and str(value).lstrip("-").replace(".", "", 1).isdigit()


def played(case):
    """Play a case in a clinic of its own, in the session that stands."""
    return play.play_case(case, play.found_world(case, at=FOUNDED))


def read(text):
    """The first case of a file written in the test."""
    return schema.read_cases(f"schema: infusion-cases/1\nzone: America/New_York\ncases:\n{text}").cases[0]


def different(result):
    """What does not agree, and every refusal, in words that a failed test shows."""
    found = [
        f"{one.name}: expected {one.expected}, computed {one.computed}" for one in result.figures if not one.agrees
    ]
    return found + ([] if result.known.expects_refusal else [refusal.line for refusal in result.refusals])

"""The demonstration clinic, filled once per run: `demo_copy` gives the address of a copy, at `DEMO_MOMENT`.

Its filling begins as one that was interrupted, is found half filled and made anew.
"""

from datetime import UTC, datetime

import pytest

from clinic.core import clock, db
from clinic.demo.fill import fill_when_empty
from clinic.demo.people import found_clinic

# A Tuesday, 14:27 in New York.
DEMO_MOMENT = datetime(2025, 11, 18, 19, 27, 8, tzinfo=UTC)
SAID = "demo.said"


@pytest.fixture(scope="module")
def demo_copy(databases, app):
    """The address of a database with the demonstration clinic, for the module alone."""

    def fill(url):
        said = []
        db.init(url)
        with clock.standing_at(DEMO_MOMENT), app.app_context():
            with db.unit_of_work():
                found_clinic(at=DEMO_MOMENT)
            fill_when_empty(said.append)
        (databases.folder / SAID).write_text("\n".join(said), encoding="utf-8")

    url = databases.prepared("demo", fill)
    yield url
    databases.discard(url)


@pytest.fixture(scope="module")
def demo_said(databases, demo_copy):
    """What the filling said meanwhile, line by line."""
    return (databases.folder / SAID).read_text(encoding="utf-8").splitlines()

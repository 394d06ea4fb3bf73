"""The demonstration never touches anybody else's records, and never goes into production."""

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from clinic.accounts.models import Clinic
from clinic.core import db
from clinic.demo.commands import demo_command
from clinic.demo.fill import DemoRefused, fill_anew, fill_when_empty


@pytest.fixture
def run(app):
    """Runs `clinic demo` with arguments."""

    def command(*arguments):
        with app.app_context():
            return CliRunner().invoke(demo_command, arguments)

    return command


@pytest.fixture
def production(app, monkeypatch):
    monkeypatch.setitem(app.config, "IS_PRODUCTION", True)
    with app.app_context():
        yield


def names():
    with db.unit_of_work(write=False):
        return db.session.scalars(sa.select(Clinic.name)).all()


@pytest.mark.parametrize("arguments", [(), ("--reset",)])
def test_the_command_refuses_a_database_with_a_real_clinic_in_one_line(committed_db, clinic, run, arguments):
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.output == f"Error: Refused: the database holds {clinic.name}, which is no demonstration clinic.\n"
    assert names() == [clinic.name]


def test_a_start_with_a_real_clinic_adds_nothing(committed_db, clinic, app):
    said = []
    with app.app_context():
        fill_when_empty(said.append)
    assert names() == [clinic.name]
    assert said == ["The database holds a clinic already; the demonstration clinic was not added."]


@pytest.mark.parametrize("make", [fill_when_empty, fill_anew])
def test_production_refuses(committed_db, production, make):
    with pytest.raises(DemoRefused, match="production"):
        make(print)
    assert names() == []


def test_the_command_refuses_in_production(committed_db, production, run):
    result = run()
    assert (result.exit_code, names()) == (1, [])

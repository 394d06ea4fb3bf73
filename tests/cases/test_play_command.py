"""`clinic cases play`: what it prints, how it ends, where it plays."""

import json

import pytest
from click.testing import CliRunner

from clinic.accounts import operations as accounts
from clinic.cases.commands import cases
from clinic.cases.schema import WORKED
from clinic.core import db
from tests.cases.playing import FOUNDED

ONE = WORKED.read_text(encoding="utf-8")
ONE = ONE[: ONE.index("- id: C02")]


@pytest.fixture
def play(tmp_path):
    def run(text=ONE, *options):
        file = tmp_path / "cases.yaml"
        file.write_text(text, encoding="utf-8")
        return CliRunner().invoke(cases, ["play", str(file), *options])

    return run


def test_agreement_ends_with_zero_and_shows_both_figures(play):
    result = play()
    assert result.exit_code == 0
    assert "dose_mg" in result.output
    assert "14 of 14 figures agree in 1 cases." in result.output


def test_a_difference_ends_with_one_and_is_marked(play):
    result = play(ONE.replace("dose_mg: 74.8", "dose_mg: 74.7"))
    assert result.exit_code == 1
    (line,) = [line for line in result.output.splitlines() if "DIFFERS" in line]
    assert line.split() == ["C01", "dose_mg", "74.7", "74.8", "DIFFERS"]


def test_the_figures_for_a_machine_lose_no_digit(play):
    read = json.loads(play(ONE, "--json").output)
    figures = {one["name"]: one for one in read["cases"][0]["figures"]}
    assert read["agree"] is True
    assert figures["unaccounted_mg"] == {"name": "unaccounted_mg", "expected": "0.0", "computed": "0.0", "agrees": True}


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("[60, 120, 17.0]", "[60, 50, 17.0]", "C01.infusion[1]: to is before from"),
        ("schema: infusion-cases/1", "schema: infusion-cases/9", "schema"),
        ("[0, 60, 13.6]", "[0, 60, thirteen]", "C01.infusion[0]"),
        ("cases:", "cases: [", "cases.yaml"),
        ('basis: "mg/kg/h"', 'basis: "lb/stone/h"', "C01.order.basis"),
        ('nurse: "RN-1"', 'nurse: "ZZ-99"', "C01.session: nobody here is “ZZ-99”"),
    ],
)
def test_a_malformed_file_gets_one_line_with_the_place(play, was, now, told):
    result = play(ONE.replace(was, now))
    assert result.exit_code == 2
    assert told in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_a_file_that_is_not_there_gets_one_line(tmp_path):
    result = CliRunner().invoke(cases, ["play", str(tmp_path / "none.yaml")])
    assert result.exit_code == 2
    assert len(result.output.strip().splitlines()) == 1


def test_a_database_can_be_given(play, databases):
    url = databases.empty()
    assert play(ONE, "--database", url).exit_code == 0
    databases.discard(url)


def test_cases_are_never_played_into_a_clinics_records(play, committed_db):
    with db.unit_of_work():
        accounts.create_clinic("A real clinic", zone="America/New_York", at=FOUNDED)
    result = play(ONE, "--database", committed_db)
    assert result.exit_code == 2
    assert "there is a clinic in this database" in result.output

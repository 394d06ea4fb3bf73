import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.protocols.limit_rules import Vital
from clinic.protocols.rules import SedationScale
from clinic.sessions.vital_rules import (
    SEDATION_SCALES,
    VITALS,
    implausible,
    impossible,
    sedation_bounds,
)


def test_every_vital_has_its_line():
    assert set(VITALS) == set(Vital)


@pytest.mark.parametrize("vital", Vital)
def test_what_is_plausible_is_possible(vital):
    spec = VITALS[vital]
    low, high = spec.plausible or spec.absolute
    assert spec.absolute[0] <= low < high <= spec.absolute[1]


@pytest.mark.parametrize("vital", set(Vital) - {Vital.SBP, Vital.DBP})
def test_the_bounds_themselves_are_possible_and_the_next_values_are_not(vital):
    low, high = VITALS[vital].absolute
    assert [bool(impossible({vital: value})) for value in (low - 1, low, high, high + 1)] == [True, False, False, True]


def test_a_systolic_of_418_is_refused_with_what_to_enter():
    assert impossible({Vital.SBP: 418, Vital.DBP: 76}) == {Vital.SBP: "Enter a value from 30 to 300"}


@pytest.mark.parametrize(
    ("sbp", "dbp", "at"), [(80, 80, Vital.DBP), (70, 80, Vital.DBP), (120, None, Vital.DBP), (None, 80, Vital.SBP)]
)
def test_a_pressure_is_a_pair_with_the_higher_first(sbp, dbp, at):
    assert list(impossible({Vital.SBP: sbp, Vital.DBP: dbp})) == [at]


@given(st.dictionaries(st.sampled_from(Vital), st.none()))
def test_what_was_not_taken_is_neither_wrong_nor_odd(reading):
    assert impossible(reading) == implausible(reading) == {}


@pytest.mark.parametrize("scale", SedationScale)
def test_a_sedation_score_keeps_to_its_scale(scale):
    low, high = sedation_bounds(scale)
    asked = [impossible({Vital.SEDATION: value}, scale=scale) for value in (low - 1, low, high, high + 1)]
    assert [bool(refused) for refused in asked] == [True, False, False, True]


def test_each_scale_knows_which_way_is_deeper():
    assert SEDATION_SCALES[SedationScale.RASS].is_deeper(-3, than=0)
    assert SEDATION_SCALES[SedationScale.MOAA_S].is_deeper(3, than=5)
    assert SEDATION_SCALES[SedationScale.RAMSAY].is_deeper(4, than=2)
    assert not SEDATION_SCALES[SedationScale.RASS].is_deeper(2, than=0)


def test_a_scale_whose_text_is_not_ours_ships_no_words():
    assert set(SEDATION_SCALES[SedationScale.POSS].words.values()) == {""}
    assert SEDATION_SCALES[SedationScale.POSS].codes[0] == "S"


def test_rass_shows_its_sign():
    assert [SEDATION_SCALES[SedationScale.RASS].codes[value] for value in (2, 0, -1)] == ["+2", "0", "-1"]


def test_a_rare_value_is_asked_about_once():
    asked = implausible({Vital.HR: 27, Vital.SPO2: 97})
    assert {vital: text.replace("\u00a0", " ") for vital, text in asked.items()} == {
        Vital.HR: "Heart rate 27 per min: is this right?"
    }
